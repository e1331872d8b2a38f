//! VSS structures with changed bytes: reading always ends, soon and without a panic.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hivemend::evidence::block::Blocks;
use hivemend::evidence::volume::shadow_copies::ShadowCopies;

use super::{in_order, saving};
use crate::shadow_volume::Saved::{Moved, Sectors, Whole};
use crate::shadow_volume::{BLOCK, Store, build};

/// A generator of numbers that are the same in each run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Reads all that there is to be read; gives how many shadow copies opened.
fn read_all(volume: Vec<u8>) -> usize {
    let volume: Blocks = Arc::new(volume);
    let Ok(Some(copies)) = ShadowCopies::of(&volume) else { return 0 };
    let mut opened = 0;
    for index in 1..=copies.list().len() {
        let Ok(snapshot) = copies.open(index) else { continue };
        opened += 1;
        let mut block = [0; BLOCK];
        for offset in (0..snapshot.size().min(1 << 20)).step_by(BLOCK) {
            let _ = snapshot.read_exact_at(&mut block, offset);
        }
        let _ = snapshot.read_at(&mut block, snapshot.size() - 1);
        assert_eq!(snapshot.read_at(&mut block, u64::MAX).unwrap(), 0);
    }
    opened
}

#[test]
fn changed_bytes_in_the_books_neither_panic_nor_last() {
    let volume = build(
        12,
        &in_order([
            saving([Moved(3, 4), Sectors(5, 0xf0), Whole(4), Whole(6), Moved(7, 8)]),
            Store { unused: vec![9], ..saving([Whole(8), Sectors(9, 3), Moved(2, 3)]) },
            Store { unused: vec![5, 9], previously_unused: Some(vec![5]), ..saving([Moved(3, 10), Whole(10)]) },
        ]),
    );
    let of_stores = volume.stores.iter().flat_map(|s| [s.header, s.list, s.ranges, s.bitmap, s.previous_bitmap]);
    let books: Vec<usize> = of_stores.chain([volume.catalog, 0x1e00]).filter(|place| *place != 0).collect();
    let (mut numbers, mut opened, start) = (Numbers(7), 0, Instant::now());
    for _ in 0..4000 {
        let mut bytes = volume.bytes.clone();
        for _ in 0..=numbers.next(3) {
            let place = books[usize::try_from(numbers.next(books.len() as u64)).unwrap()];
            let at = place + usize::try_from(numbers.next(0x180)).unwrap();
            match numbers.next(4) {
                0 => bytes[at] ^= 1 << numbers.next(8),
                1 => bytes[at] = u8::try_from(numbers.next(256)).unwrap(),
                2 => bytes[at & !7..][..8].fill(0xff),
                // An offset of other books, or of the middle of nowhere.
                _ => {
                    let other = books[usize::try_from(numbers.next(books.len() as u64)).unwrap()] as u64;
                    bytes[at & !7..][..8].copy_from_slice(&(other + numbers.next(2) * 0x4000).to_le_bytes());
                }
            }
        }
        opened += read_all(bytes);
    }
    // Far more than half of the three times 4000 open: most bytes are not looked at, or concern one store alone.
    assert!((2_000..12_000).contains(&opened), "{opened} shadow copies opened");
    assert!(start.elapsed() < Duration::from_mins(2), "{:?}", start.elapsed());
}

#[test]
fn a_volume_that_is_cut_anywhere_neither_panics_nor_lasts() {
    let volume = build(12, &in_order([saving([Whole(3), Moved(5, 6)]), saving([Whole(6), Sectors(7, 1)])]));
    let opened: Vec<usize> =
        (0..volume.bytes.len()).step_by(0x1e00).map(|size| read_all(volume.bytes[..size].to_vec())).collect();
    assert_eq!(opened.iter().max(), Some(&0), "the catalog lies at the end of the volume: {opened:?}");
}
