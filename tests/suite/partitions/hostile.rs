//! Disks with some wrong or unreadable bytes.

#![allow(clippy::single_range_in_vec_init, reason = "one part of a disk that cannot be read is a range of bytes")]

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use hivemend::evidence::block::{BlockRead, Blocks};
use hivemend::evidence::volume::{VolumeKind, file_system_of, volumes};

use super::{Bench, MIB, ORDINARY_SHOWN, ordinary, shown, told};
use crate::damage::Seeded;

/// A disk of which parts cannot be read.
struct Bad(Vec<u8>, Vec<std::ops::Range<u64>>);

impl BlockRead for Bad {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let end = offset + buffer.len() as u64;
        if self.1.iter().any(|bad| bad.start < end && offset < bad.end) {
            return Err(io::Error::other("a chunk that is damaged"));
        }
        self.0.read_at(buffer, offset)
    }
}

#[test]
fn what_can_be_read_of_a_disk_counts() {
    let bench = Bench::new();
    if !ordinary(&bench) {
        return;
    }
    let bytes = fs::read(bench.path("disk")).unwrap();
    let of = |bad: Vec<std::ops::Range<u64>>| {
        volumes(&(Arc::new(Bad(bytes.clone(), bad)) as Blocks), "disk").unwrap_or_else(|problem| panic!("{problem}"))
    };
    // The first sector, the table in front, each boot sector.
    let table = of(vec![0..512]);
    assert_eq!(shown(&table), ORDINARY_SHOWN);
    assert!(told(&table)[0].contains("a first sector that can be read"), "{:?}", told(&table));
    assert_eq!(shown(&of(vec![0..32768])), ORDINARY_SHOWN);
    for (place, start) in [(0, MIB), (2, 53 * MIB), (3, 65 * MIB)] {
        let table = of(vec![start..start + 512]);
        let mut expected = ORDINARY_SHOWN.map(str::to_owned);
        expected[place].push_str(", recovered");
        assert_eq!(shown(&table), expected);
        assert_eq!(told(&table).len(), 1, "{:?}", told(&table));
    }
    // All tables: the volumes are found, and what could not be searched is told.
    let table = of(vec![0..32768, 80 * MIB - 17000..80 * MIB]);
    assert_eq!(shown(&table).len(), 3, "{:?}", shown(&table));
    assert!(told(&table).iter().any(|problem| problem.contains("bytes left out")), "{:?}", told(&table));
    // Nothing.
    let nothing: Blocks = Arc::new(Bad(bytes.clone(), vec![0..80 * MIB]));
    let problem = volumes(&nothing, "disk").err().unwrap().to_string();
    assert!(problem.contains("a first sector that can be read, found a chunk that is damaged"), "{problem}");
    assert_eq!(file_system_of(&nothing), VolumeKind::Unknown);
}

#[test]
fn wrong_bytes_in_tables_and_boot_sectors_end_in_volumes_or_a_refusal() {
    let bench = Bench::new();
    if !bench.volumes() {
        return;
    }
    let mut random = Seeded(0x5eed);
    for script in [
        "label: gpt\nsize=12MiB\nsize=36MiB\nsize=12MiB\n",
        "label: dos\nsize=12MiB, type=7\ntype=f\nsize=36MiB, type=c\nsize=12MiB, type=7\n",
    ] {
        assert!(bench.disk(70 * MIB, script));
        let places = bench.dumped();
        for ((start, _), volume) in places.iter().zip(["ntfs", "fat", "exfat"]) {
            bench.put(volume, *start);
        }
        let sound = fs::read(bench.path("disk")).unwrap();
        let mut spots: Vec<usize> = places.iter().map(|(start, _)| usize::try_from(*start).unwrap()).collect();
        spots.extend([0, 440, 512, 1024, sound.len() - 512, sound.len() - 33 * 512]);
        // The tables of the extended partitions.
        spots.extend(places.iter().map(|(start, _)| usize::try_from(*start - MIB).unwrap()));
        let mut bytes = sound.clone();
        for round in 0..60 {
            let mut changed = Vec::new();
            for _ in 0..=random.below(6) {
                let at = (spots[random.below(spots.len())] + random.below(160)).min(bytes.len() - 1);
                changed.push(at);
                bytes[at] = if round % 2 == 0 {
                    u8::try_from(random.below(256)).unwrap()
                } else {
                    bytes[at] ^ (1 << random.below(8))
                };
            }
            let disk: Blocks = Arc::new(bytes.clone());
            let start = Instant::now();
            if let Ok(table) = volumes(&disk, "disk") {
                assert!(table.volumes.len() < 200, "round {round}");
                for volume in &table.volumes {
                    let _ = volume.blocks.read_at(&mut [0; 4096], 0);
                }
            }
            assert!(start.elapsed().as_secs() < 30, "round {round}");
            for at in changed {
                bytes[at] = sound[at];
            }
        }
    }
}

/// A table that names the same place a thousand times, and boot sectors everywhere that lead nowhere.
#[test]
fn work_is_bounded() {
    let bench = Bench::new();
    if !bench.volumes() {
        return;
    }
    let mut script = "label: gpt\ntable-length: 1024\ngrain: 512\n".to_owned();
    (0..1000).for_each(|_| script.push_str("size=64KiB\n"));
    assert!(bench.disk(100 * MIB, &script));
    let boot = fs::read(bench.path("ntfs")).unwrap()[..512].to_vec();
    let noise: Vec<u8> = boot.iter().copied().cycle().take(60 << 20).collect();
    bench.write(MIB, &noise);
    let start = Instant::now();
    let table = bench.table();
    assert!(table.volumes.len() >= 1000);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
