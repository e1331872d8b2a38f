//! Metadata with changed bytes: opening and reading always end, soon, without a panic, and without wrong bytes.

use std::time::{Duration, Instant};

use hivemend::evidence::volume::bitlocker::{Keys, Opened};

use super::open;
use super::volume::{BLOCKS, BOOKS, Conversion, Kind, LOGS, MAPS, SIZE, Spec, Volume};

/// A generator of numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below as u64).unwrap()
    }
}

/// Writes the CRC-32 of a block anew, so that what it says is looked at.
fn mend(bytes: &mut [u8], place: usize) {
    let unit = if bytes[place + 10] == 1 { 1 } else { 16 };
    let size = unit * usize::from(u16::from_le_bytes([bytes[place + 8], bytes[place + 9]]));
    // Behind its 16 or 64 KiB the volume's sectors go on.
    if size + 8 <= 0x4000 {
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[place..place + size]);
        bytes[place + size + 4..place + size + 8].copy_from_slice(&crc.sum().to_le_bytes());
    }
}

/// Opens and reads; gives how many of its sectors are read, where it opens, each of which is as it should be.
fn read(bytes: Vec<u8>, plain: Option<&[u8]>) -> Option<usize> {
    let (Opened::Unlocked { blocks, .. } | Opened::Decrypted { blocks, .. }) = open(bytes, &Keys::default()).ok()?
    else {
        return None;
    };
    let mut sectors = 0;
    let mut sector = [0; 4096];
    for offset in (0..SIZE as u64).step_by(0x1_1000) {
        if blocks.read_exact_at(&mut sector, offset).is_ok() {
            sectors += 1;
            let at = usize::try_from(offset).unwrap();
            assert!(plain.is_none_or(|plain| sector == plain[at..at + 4096]), "{offset:#x} is not as it was");
        }
    }
    let _ = blocks.read_at(&mut sector, blocks.size() - 1);
    assert_eq!(blocks.read_at(&mut sector, u64::MAX).unwrap(), 0);
    Some(sectors)
}

fn specs() -> Vec<Spec> {
    let bits = |count| (0..count).map(|bit| bit % 2 == 0).collect();
    let regions = vec![(0x2000, 0x18_0000, bits(24)), (0x18_0000, SIZE, bits(24))];
    vec![
        Spec { protectors: vec![0, 0x0200, 0x0100], ..Spec::default() },
        Spec { kind: Kind::Vista, method: 0x8001, ..Spec::default() },
        Spec { state: 5, conversion: Some(Conversion { chunk: 0x1_0000, regions }), ..Spec::default() },
        Spec { state: 1, encrypted: 0, ..Spec::default() },
    ]
}

#[test]
fn changed_bytes_in_the_metadata_neither_panic_nor_last() {
    let (mut numbers, start) = (Numbers(11), Instant::now());
    for (place, spec) in specs().iter().enumerate() {
        let Volume { bytes: sound, plain } = spec.build();
        // Vista's boot sector and the books of a conversion have no checksum that a key protects.
        let plain = (spec.kind != Kind::Vista && spec.conversion.is_none()).then_some(&plain[..]);
        assert!(read(sound.clone(), plain).is_some());
        let (mut opened, mut refused) = (0, 0);
        for _ in 0..300 {
            let mut bytes = sound.clone();
            for _ in 0..=numbers.next(3) {
                let mut places: Vec<(usize, usize)> = BLOCKS.map(|block| (block, 0x300)).into();
                places.push((0, 0xe0));
                if spec.conversion.is_some() {
                    places.extend([(BOOKS[0], 0x60), (MAPS, 0x3c), (MAPS + 0x400, 0x40), (LOGS, 0x240)]);
                }
                let (start, length) = places[numbers.next(places.len())];
                let at = start + numbers.next(length);
                match numbers.next(4) {
                    0 => bytes[at] ^= 1 << numbers.next(8),
                    1 => bytes[at] = u8::try_from(numbers.next(256)).unwrap(),
                    2 => bytes[at & !7..][..8].fill(0xff),
                    _ => bytes[at & !7..][..8].copy_from_slice(&(numbers.next(SIZE) as u64 & !511).to_le_bytes()),
                }
            }
            if numbers.next(2) == 0 {
                for block in BLOCKS {
                    mend(&mut bytes, block);
                }
            }
            if read(bytes, plain).is_some() { opened += 1 } else { refused += 1 }
        }
        note!("volume {place}: {opened} open, {refused} do not");
        assert!(opened > 20 && refused > 20, "volume {place}: {opened} open, {refused} do not");
    }
    assert!(start.elapsed() < Duration::from_mins(2), "{:?}", start.elapsed());
}

/// What a key opens has a SHA-256: whoever changes the metadata and their CRC-32 is found out.
#[test]
fn metadata_that_were_changed_on_purpose_do_not_open() {
    let sound = Spec::default().build().bytes;
    for at in [12, 16, 28, 56, 90, 130] {
        let mut bytes = sound.clone();
        for block in BLOCKS {
            bytes[block + at] ^= 0x10;
            mend(&mut bytes, block);
        }
        assert!(read(bytes, None).is_none(), "{at}");
    }
}

/// A block of Windows 7 or later without that SHA-256 is none.
#[test]
fn metadata_without_their_checksum_do_not_open() {
    let mut bytes = Spec::default().build().bytes;
    for block in BLOCKS {
        let size = 16 * usize::from(u16::from_le_bytes([bytes[block + 8], bytes[block + 9]]));
        bytes[block + size + 12] = 7;
    }
    let problem = open(bytes, &Keys::default()).err().unwrap().to_string();
    assert!(problem.contains("expected the SHA-256 of a metadata block, found none"), "{problem}");
}

#[test]
fn a_volume_that_is_cut_anywhere_neither_panics_nor_lasts() {
    for spec in specs() {
        let bytes = spec.build().bytes;
        let opened: Vec<bool> =
            (0..SIZE).step_by(0x1_5600).map(|size| read(bytes[..size].to_vec(), None).is_some()).collect();
        assert!(opened.iter().any(|one| *one) && opened.iter().any(|one| !one), "{opened:?}");
    }
}
