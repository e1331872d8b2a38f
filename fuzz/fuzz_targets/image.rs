//! Any bytes as a disk image of any kind: its tables, its packed pieces, its hashes, its partitions.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use hivemend::evidence::disk;
use hivemend::evidence::volume::volumes;
use libfuzzer_sys::fuzz_target;

/// Bytes that are read at each place.
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
        }
    }
});
