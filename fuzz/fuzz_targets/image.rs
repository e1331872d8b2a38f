//! Reads any bytes as a disk image: its tables, compressed parts, hashes, and partitions, and their file systems.
#![no_main]

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::disk;
use hivemend::evidence::file_system::EntryKind;
use hivemend::evidence::file_systems;
use hivemend::evidence::volume::volumes;
use libfuzzer_sys::fuzz_target;

/// The most bytes that are read at each place.
const READ: usize = 256 << 10;

fuzz_target!(|bytes: &[u8]| {
    let Ok(disk) = disk::open_within(Path::new("disk"), Arc::new(bytes.to_vec())) else { return };
    let size = disk.blocks.size();
    let mut buffer = vec![0; READ];
    for at in [0, size / 3, size / 2 + 511, size.saturating_sub(READ as u64), size.saturating_sub(1), size] {
        if let Ok(count) = disk.blocks.read_at(&mut buffer, at) {
            assert!(count > 0 || at >= size, "no bytes at {at} of {size}, and no error");
        }
    }
    if size < 64 << 20 {
        let _ = disk.verify();
    }
    if let Ok(table) = volumes(&disk.blocks, "disk") {
        for volume in table.volumes.iter().take(4) {
            let _ = volume.blocks.read_at(&mut buffer, 0);
            files(&volume.blocks, &mut buffer);
        }
    }
});

/// Visits every file, and reads the beginnings of some.
fn files(volume: &Blocks, buffer: &mut [u8]) {
    let Ok(Some(system)) = file_systems::open(volume) else { return };
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
    system.list(system.root(), &mut |_| ControlFlow::Continue(()));
    for node in nodes {
        let _ = system.head(node);
        if let Ok(mut content) = system.open(node) {
            let _ = content.read(buffer);
        }
    }
}
