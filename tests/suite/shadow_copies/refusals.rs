//! Unreadable data are refused with the place and the reason. A problem of one block affects only that block.

use hivemend::error::Problem;
use hivemend::evidence::volume::shadow_copies::ShadowCopies;

use super::{blocks, in_order, saving, shadow_copies};
use crate::shadow_volume::Saved::{Moved, Raw, Sectors, Whole};
use crate::shadow_volume::{BLOCK, Places, Store, Volume, build, guid, told};

fn two() -> Volume {
    build(8, &in_order([saving([Whole(3)]), Store { previously_unused: Some(vec![]), ..saving([Whole(4)]) }]))
}

/// Changes the volume's bytes; the books of the older and of the newer lie there.
type Damage = fn(&mut [u8], Places, Places);

/// What opening the older and the newer of [`two`] comes to, once `damage` is done.
fn opened(damage: Damage) -> [Result<(), Problem>; 2] {
    let mut volume = two();
    damage(&mut volume.bytes, volume.stores[0], volume.stores[1]);
    let copies = shadow_copies(&volume);
    [1, 2].map(|index| copies.open(index).map(|_| ()))
}

/// What [`ShadowCopies::of`] says against a damaged catalog.
fn refused(damage: impl FnOnce(&mut Volume)) -> String {
    let mut volume = two();
    damage(&mut volume);
    ShadowCopies::of(&blocks(&volume)).err().unwrap().to_string()
}

fn set(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn a_header_or_a_catalog_that_is_damaged_is_refused() {
    let refusals = [
        refused(|volume| volume.bytes[0x1e10] = 3),
        refused(|volume| volume.bytes[0x1e14] = 2),
        refused(|volume| volume.bytes[0x1e18] = 1),
        refused(|volume| set(&mut volume.bytes, 0x1e30, 0x4001)),
        refused(|volume| set(&mut volume.bytes, 0x1e30, 1 << 50)),
        refused(|volume| set(&mut volume.bytes, 0x1e30, 0x4000)),
        refused(|volume| set(&mut volume.bytes, volume.catalog + 40, volume.catalog as u64)),
        refused(|volume| volume.bytes[volume.catalog + 128] = 4),
        refused(|volume| volume.bytes[volume.catalog + 128 * 3 + 16..][..16].copy_from_slice(&guid(1))),
        refused(|volume| volume.bytes[volume.catalog + 128 * 4 + 16..][..16].copy_from_slice(&guid(1))),
        refused(|volume| set(&mut volume.bytes, volume.catalog + 136, 0)),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn more_shadow_copies_than_windows_keeps_are_refused() {
    let stores = |count| (0..count).map(|created| Store { created, ..Store::default() }).collect::<Vec<_>>();
    assert_eq!(shadow_copies(&build(2, &stores(512))).list().len(), 512);
    let error = ShadowCopies::of(&blocks(&build(2, &stores(513)))).err().unwrap().to_string();
    assert!(error.contains("expected at most 512 shadow copies, found more"), "{error}");
}

#[test]
fn books_that_are_damaged_stop_their_own_shadow_copy_and_the_older_ones() {
    let cases: [(&str, Damage); 16] = [
        ("list of the older", |bytes, older, _| bytes[older.list] ^= 1),
        ("list of the newer", |bytes, _, newer| bytes[newer.list + 20] = 6),
        ("list in a loop", |bytes, _, newer| set(bytes, newer.list + 40, newer.list as u64)),
        ("list elsewhere", |bytes, _, newer| bytes[newer.list + 33] ^= 0x40),
        ("next past the end", |bytes, _, newer| set(bytes, newer.list + 40, 1 << 40)),
        ("flags", |bytes, _, newer| bytes[newer.list + 128 + 25] = 1),
        ("moved and sectors", |bytes, _, newer| bytes[newer.list + 128 + 24] = 3),
        ("block past the end", |bytes, _, newer| set(bytes, newer.list + 128, 1 << 40)),
        ("crooked block", |bytes, _, newer| bytes[newer.list + 128] = 1),
        ("saved nowhere", |bytes, _, newer| set(bytes, newer.list + 144, 0)),
        ("crooked place", |bytes, _, newer| bytes[newer.list + 144] = 1),
        ("moved past the end", |bytes, _, newer| {
            set(bytes, newer.list + 136, 1 << 40);
            set(bytes, newer.list + 144, 0);
            bytes[newer.list + 128 + 24] = 1;
        }),
        ("ranges", |bytes, _, newer| bytes[newer.ranges] ^= 1),
        ("a range without end", |bytes, _, newer| set(bytes, newer.ranges + 144, u64::MAX)),
        // One block of bits is enough for so small a volume, and the chain is not followed further.
        ("bitmap in a loop", |bytes, _, newer| set(bytes, newer.bitmap + 40, newer.bitmap as u64)),
        ("previous bitmap", |bytes, _, newer| bytes[newer.previous_bitmap + 20] = 5),
    ];
    let told: Vec<String> = cases
        .into_iter()
        .map(|(name, damage)| {
            let told =
                opened(damage).map(|opened| opened.map_or_else(|problem| problem.to_string(), |()| "opens".into()));
            format!("{name}\n  1: {}\n  2: {}", told[0], told[1])
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_header_of_a_store_that_is_damaged_leaves_its_shadow_copy_listed_and_readable() {
    let mut volume = two();
    let header = volume.stores[0].header;
    volume.bytes[header + 20] = 9;
    let copies = shadow_copies(&volume);
    let problem = copies.list()[0].identity.clone().unwrap_err();
    assert_eq!((problem.offset, problem.found.as_str()), (Some(header as u64), "record type 9"));
    assert_eq!(told(&*copies.open(1).unwrap(), 3, 0), "store 1 3.0");
}

#[test]
fn a_store_on_another_volume_is_refused_by_name_with_all_that_build_upon_it() {
    let mut volume = two();
    volume.bytes[0x1e50..0x1e60].copy_from_slice(&guid(0xee));
    // The second pair's entry of type 3 is not on this volume.
    let entry = volume.catalog + 128 * 4;
    volume.bytes[entry] = 1;
    let copies = shadow_copies(&volume);
    let problems = [1, 2, 3, 0].map(|index| copies.open(index).err().unwrap().to_string());
    insta::assert_snapshot!(problems.join("\n"));
    assert!(copies.list()[1].identity.is_err());
}

#[test]
fn a_volume_that_keeps_the_stores_of_others_is_listed_but_not_read() {
    let mut volume = two();
    let entry = volume.catalog + 128;
    volume.bytes[entry] = 1;
    let copies = shadow_copies(&volume);
    assert_eq!(copies.list().len(), 1);
    insta::assert_snapshot!(copies.open(1).err().unwrap());
}

#[test]
fn an_age_that_the_numbers_contradict_is_no_age_to_go_by() {
    let mut stores = in_order([saving([Whole(3)]), saving([Whole(4)])]);
    stores[0].created = 3000;
    let copies = shadow_copies(&build(8, &stores));
    assert_eq!(copies.list()[1].store.0[0], 1);
    insta::assert_snapshot!(copies.open(2).err().unwrap());
}

#[test]
fn a_block_that_cannot_be_told_is_an_error_and_the_others_are_not() {
    let store = saving([
        Moved(3, 4),
        Moved(4, 3), // moved away and back
        Whole(5),
        Moved(5, 6), // saved and then moved
        Moved(5, 7),
        Sectors(8, 1),
        Raw([8 * BLOCK as u64, 1, BLOCK as u64, 2 | 2 << 32]), // sectors in a second place
        Raw([9 * BLOCK as u64, 0, BLOCK as u64, 0]),           // saved outside of the store
        Moved(10, 10),                                         // moved to itself
        Whole(11),
        Moved(12, 13),
        Moved(13, 12),
        Whole(12), // and then saved after all
    ]);
    let copies = shadow_copies(&build(16, &in_order([store])));
    let snapshot = copies.open(1).unwrap();
    let told: Vec<String> = (3..14).map(|block| format!("{block}: {}", told(&*snapshot, block, 1))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_volume_that_ends_before_its_saved_blocks_is_an_error_where_they_are_missed() {
    let mut volume = build(8, &in_order([saving([Whole(3), Whole(4)])]));
    let list = volume.stores[0].list;
    // The books say 0x10000 bytes further on than there are any; so does a range.
    let beyond = volume.bytes.len() as u64 + 0x10000;
    set(&mut volume.bytes, list + 144, beyond);
    let range = volume.stores[0].ranges;
    set(&mut volume.bytes, range + 144, 1 << 30);
    let snapshot = shadow_copies(&volume).open(1).unwrap();
    assert!(
        told(&*snapshot, 3, 0).ends_with("of the volume expected, which ends before"),
        "{}",
        told(&*snapshot, 3, 0)
    );
    assert_eq!(told(&*snapshot, 4, 0), "store 1 4.0");
}
