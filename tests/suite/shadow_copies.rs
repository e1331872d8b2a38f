//! Volume shadow copies: of volumes that the tests write, and of the samples in the folder that `HIVEMEND_IMAGES`
//! names. Both are compared with libvshadow's `vshadowmount`.

use std::sync::Arc;

use hivemend::evidence::block::Blocks;
use hivemend::evidence::volume::shadow_copies::ShadowCopies;
use hivemend::registry::FileTime;

use crate::shadow_volume::Saved::{Moved, NotUsed, Sectors, Whole};
use crate::shadow_volume::{BLOCK, Store, Volume, build, told};

mod hostile;
mod mounted;

mod refusals;
mod samples;

fn blocks(volume: &Volume) -> Blocks {
    Arc::new(volume.bytes.clone())
}

fn shadow_copies(volume: &Volume) -> ShadowCopies {
    ShadowCopies::of(&blocks(volume)).unwrap().unwrap()
}

/// Stores made one after the other, the oldest first.
fn in_order<const N: usize>(stores: [Store; N]) -> Vec<Store> {
    let numbered = (1..).zip(stores);
    numbered.map(|(number, store)| Store { sequence: number, created: number * 1000, flags: 0x40, ..store }).collect()
}

fn saving(saved: impl Into<Vec<crate::shadow_volume::Saved>>) -> Store {
    Store { saved: saved.into(), ..Store::default() }
}

#[test]
fn a_volume_without_vss_has_no_catalog_and_one_without_shadow_copies_an_empty_one() {
    let mut volume = build(8, &[]);
    assert_eq!(shadow_copies(&volume).list(), []);
    volume.bytes[0x1e30..0x1e38].fill(0);
    assert_eq!(shadow_copies(&volume).list(), []);
    volume.bytes[0x1e0f] ^= 1;
    assert!(ShadowCopies::of(&blocks(&volume)).unwrap().is_none());
    let short: Blocks = Arc::new(vec![0_u8; 0x1fff]);
    assert!(ShadowCopies::of(&short).unwrap().is_none());
}

#[test]
fn shadow_copies_are_listed_and_chained_by_age_whatever_the_order_of_the_catalog() {
    let mut stores = in_order([saving([Whole(3)]), saving([Whole(4)]), saving([Whole(4), Whole(5)])]);
    stores[1].flags = 0x140;
    // The catalog has the newest first, then the oldest.
    stores.rotate_right(1);
    let volume = build(8, &stores);
    let copies = shadow_copies(&volume);
    let listed: Vec<_> = copies.list().iter().map(|c| (c.index, c.created, c.store.0[0], c.offline)).collect();
    let times = [FileTime(1000), FileTime(2000), FileTime(3000)];
    assert_eq!(listed, [(1, times[0], 2, false), (2, times[1], 3, true), (3, times[2], 1, false)]);
    let first = &copies.list()[0];
    let identity = first.identity.clone().unwrap();
    assert_eq!((identity.id.0[0], identity.set.0[0], identity.attributes), (102, 202, 0x0042_0009));
    assert_eq!(first.volume_size, volume.bytes.len() as u64);
    let seen = |index| {
        let snapshot = copies.open(index).unwrap();
        [3, 4, 5, 6].map(|block| told(&*snapshot, block, 9))
    };
    assert_eq!(seen(1), ["store 2 3.9", "store 3 4.9", "store 1 5.9", "live 6.9"]);
    assert_eq!(seen(2), ["live 3.9", "store 3 4.9", "store 1 5.9", "live 6.9"]);
    assert_eq!(seen(3), ["live 3.9", "store 1 4.9", "store 1 5.9", "live 6.9"]);
}

#[test]
fn single_sectors_count_for_their_own_shadow_copy_only_and_unused_descriptors_for_none() {
    let volume = build(
        8,
        &in_order([
            saving([Sectors(3, 0b110), Sectors(3, 1 << 31), Whole(4), Sectors(4, 1), NotUsed(5), Sectors(6, 1)]),
            saving([Sectors(3, 0b1001), Sectors(4, 2), Whole(6)]),
        ]),
    );
    let copies = shadow_copies(&volume);
    let (old, new) = (copies.open(1).unwrap(), copies.open(2).unwrap());
    let old = |block, sector| told(&*old, block, sector);
    assert_eq!([old(3, 0), old(3, 1), old(3, 2)], ["live 3.0", "store 1 3.1", "store 1 3.2"]);
    assert_eq!([old(3, 3), old(3, 30), old(3, 31)], ["live 3.3", "live 3.30", "store 1 3.31"]);
    assert_eq!([old(4, 0), old(4, 1), old(5, 0)], ["store 1 4.0", "store 1 4.1", "live 5.0"]);
    assert_eq!([old(6, 0), old(6, 1)], ["store 1 6.0", "store 2 6.1"]);
    let new = |block, sector| told(&*new, block, sector);
    assert_eq!([new(3, 0), new(3, 1), new(3, 3), new(4, 1)], ["store 2 3.0", "live 3.1", "store 2 3.3", "store 2 4.1"]);
}

#[test]
fn content_that_moved_is_followed_to_where_it_is_and_saved_for_where_it_was() {
    let volume = build(
        20,
        &in_order([
            saving([
                Moved(3, 4), // and 4 is saved by the next
                Moved(5, 6), // and 6 by nobody
                Moved(7, 8),
                Whole(8), // which is what was in 7
                Moved(9, 10),
                Moved(10, 11), // so 9 is in 11
                Moved(12, 13), // and the next moves it on
            ]),
            saving([Whole(4), Moved(13, 14), Moved(15, 16)]),
            saving([Whole(16), Whole(14)]),
        ]),
    );
    let copies = shadow_copies(&volume);
    let old = copies.open(1).unwrap();
    let old = |block| told(&*old, block, 0);
    assert_eq!([old(3), old(5), old(7), old(8)], ["store 2 4.0", "live 6.0", "store 1 8.0", "live 8.0"]);
    assert_eq!([old(9), old(10), old(12), old(15)], ["live 11.0", "live 10.0", "store 3 14.0", "store 3 16.0"]);
    let new = copies.open(2).unwrap();
    assert_eq!([told(&*new, 13, 0), told(&*new, 15, 0)], ["store 3 14.0", "store 3 16.0"]);
}

#[test]
fn what_was_not_in_use_is_zeros_in_the_newest_shadow_copy_alone() {
    let newest = Store {
        unused: vec![3, 4, 5, 6, 7],
        previously_unused: Some(vec![3, 4, 5, 6]),
        ..saving([Whole(4), Moved(8, 5), Sectors(6, 1)])
    };
    let volume = build(12, &in_order([Store { unused: vec![3, 9], ..Store::default() }, newest.clone()]));
    let copies = shadow_copies(&volume);
    let seen = |index, block| told(&*copies.open(index).unwrap(), block, 1);
    let blocks = [3, 4, 5, 6, 7, 8];
    let expected = ["zeros", "store 2 4.1", "live 5.1", "zeros", "live 7.1", "live 5.1"];
    assert_eq!(blocks.map(|block| seen(2, block)), expected);
    assert_eq!([seen(1, 3), seen(1, 9)], ["live 3.1", "live 9.1"]);
    assert_eq!(told(&*copies.open(2).unwrap(), 6, 0), "store 2 6.0");
    // Without a previous bitmap the one counts.
    let volume = build(12, &in_order([Store { previously_unused: None, ..newest }]));
    assert_eq!(told(&*shadow_copies(&volume).open(1).unwrap(), 7, 0), "zeros");
}

#[test]
fn a_read_from_anywhere_gives_the_same_bytes() {
    let store = Store { unused: vec![5], ..saving([Sectors(3, 0x00ff_0f0a), Whole(4), Moved(6, 2)]) };
    let volume = build(9, &in_order([store]));
    let snapshot = shadow_copies(&volume).open(1).unwrap();
    let mut whole = vec![0; usize::try_from(snapshot.size()).unwrap()];
    snapshot.read_exact_at(&mut whole, 0).unwrap();
    for (offset, length) in (0..whole.len() - 20_000).step_by(777).zip([1, 511, 513, 4096, 20_000].iter().cycle()) {
        let mut part = vec![0xee; *length];
        snapshot.read_exact_at(&mut part, offset as u64).unwrap();
        assert!(part == whole[offset..offset + length], "{length} bytes at {offset:#x}");
    }
    let mut beyond = [0; 8];
    assert_eq!(snapshot.read_at(&mut beyond, snapshot.size()).unwrap(), 0);
    assert_eq!(snapshot.read_at(&mut beyond, snapshot.size() - 3).unwrap(), 3);
}

#[test]
fn a_list_of_saved_blocks_and_a_catalog_go_on_in_further_blocks() {
    let many: Vec<_> = (1..1200).map(Whole).collect();
    let volume = build(1200, &in_order([saving(many)]));
    let snapshot = shadow_copies(&volume).open(1).unwrap();
    assert_eq!(
        [1, 600, 1199].map(|block| told(&*snapshot, block, 31)),
        ["store 1 1.31", "store 1 600.31", "store 1 1199.31"]
    );
    let stores: Vec<_> = (0..70).map(|i| Store { created: i, ..saving([Whole(i + 2)]) }).collect();
    let copies = shadow_copies(&build(80, &stores));
    assert_eq!(copies.list().len(), 70);
    assert_eq!(told(&*copies.open(1).unwrap(), 71, 0), "store 70 71.0");
    assert_eq!(BLOCK, 16 << 10);
}
