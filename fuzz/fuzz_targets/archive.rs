//! Reads any bytes as an archive or a compressed file of any kind: its members, their bytes, their checksums.
#![no_main]

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use hivemend::evidence::archive::{self, Kind, Limits};
use hivemend::evidence::file_system::EntryKind;
use libfuzzer_sys::fuzz_target;

/// The most bytes of a member that are read.
const READ: u64 = 256 << 10;

fuzz_target!(|bytes: &[u8]| {
    let Some(kind) = Kind::of(bytes) else { return };
    let limits = Limits { unpacked: 16 << 20, ..Limits::default() };
    let Ok(system) = archive::open(kind, Arc::new(bytes.to_vec()), "x", Some("password"), limits) else { return };
    let mut nodes = Vec::new();
    system.scan(&mut |met| {
        if let Ok(entry) = met
            && entry.kind == EntryKind::File
            && nodes.len() < 16
        {
            nodes.push(entry.node);
        }
        ControlFlow::Continue(())
    });
    let _ = (system.vouched(), system.defects());
    for node in &nodes {
        let _ = system.head(*node);
    }
    system.read_each(&nodes, &mut |_, content| {
        if let Ok(content) = content {
            let mut some = Vec::new();
            if content.take(READ).read_to_end(&mut some).is_ok_and(|count| (count as u64) < READ) {
                let _ = content.finish();
            }
        }
        ControlFlow::Continue(())
    });
});
