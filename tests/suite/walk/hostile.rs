//! Misleading or damaged hives: no hang, no panic, and a report of what is wrong.

use hivemend::evidence::Bytes;
use hivemend::hive::Hive;
use hivemend::hive::walk::{Lost, check};
use proptest::prelude::*;

use super::{checked, three_keys};
use crate::builder::{self, Key, ListKind};

#[test]
fn a_loop_is_walked_once() {
    let mut built = three_keys().build();
    let root = built.key("").nk.offset();
    let list = built.key("Beta").subkey_list.as_ref().unwrap().cell.payload();
    built.put_u32(list + 4, root);
    let (coverage, problems) = checked(&built);
    assert_eq!((coverage.keys, coverage.keys_promised, coverage.complete), (4, 5, false));
    assert_eq!((coverage.lost[0].key.as_str(), coverage.lost[0].what), ("Beta", Lost::Subkeys));
    assert!(problems[0].contains("found one that is below itself: a loop (key Beta\\ROOT)"), "{problems:#?}");
}

#[test]
fn a_key_in_two_lists_is_delivered_once() {
    let mut built = three_keys().build();
    let alpha = built.key("Alpha").nk.offset();
    let list = built.key("Beta").subkey_list.as_ref().unwrap().cell.payload();
    built.put_u32(list + 4, alpha);
    let (coverage, problems) = checked(&built);
    assert_eq!((coverage.keys, coverage.keys_promised, coverage.complete), (4, 5, false));
    assert!(problems[0].contains("found one that was read before (key Beta\\Alpha)"), "{problems:#?}");
}

#[test]
fn keys_deeper_than_the_registry_allows_are_not_followed() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create(&r"a\".repeat(600));
    let (coverage, problems) = checked(&hive.build());
    assert_eq!((coverage.keys, coverage.keys_promised, coverage.complete), (513, 514, false));
    assert!(problems[0].contains("expected keys no more than 512 deep"), "{problems:#?}");
}

/// A list of lists that names one list thousands of times, in every key.
#[test]
fn lists_that_are_read_again_and_again_come_to_an_end() {
    let mut hive = builder::Hive { list_kind: ListKind::Ri, ..builder::Hive::new("ROOT") };
    for number in 0..2000 {
        hive.root.subkeys.push(Key::new(&format!("{number:04}")));
    }
    hive.root.set_binary("Room", &[0; 16_000]);
    let mut built = hive.build();
    let list = built.key("").subkey_list.as_ref().unwrap().clone();
    let room = match &built.value("", "Room").data {
        builder::DataLocation::Cell(cell) => *cell,
        other => panic!("{other:?}"),
    };
    built.put(room.payload(), b"ri");
    built.put_u16(room.payload() + 2, 3999);
    for entry in 1..4000 {
        built.put_u32(room.payload() + 4 * entry, list.leaves[0].offset());
    }
    for key in built.keys.clone() {
        built.put_u32(key.nk.payload() + 20, 4_000_000);
        built.put_u32(key.nk.payload() + 28, room.offset());
    }
    let (coverage, problems) = checked(&built);
    assert!(coverage.keys <= 2001 && !coverage.complete);
    assert!(problems.iter().any(|problem| problem.contains("more; the rest was not read")), "{problems:#?}");
    assert!(coverage.lost_left_out > 0 && problems.len() < 200);
}

#[test]
fn one_datum_cannot_be_read_again_and_again() {
    let mut hive = builder::Hive::new("ROOT");
    for number in 0..1000 {
        hive.root.set(&format!("{number:03}"), 3, &[]);
    }
    hive.root.set_binary("Long", &[0; 16_000]);
    let mut built = hive.build();
    let long = built.value("", "Long").clone();
    let builder::DataLocation::Cell(data) = long.data else { panic!("{:?}", long.data) };
    for number in 0..1000 {
        let value = built.value("", &format!("{number:03}")).vk.payload();
        built.put_u32(value + 4, 16_000);
        built.put_u32(value + 8, data.offset());
    }
    let (coverage, problems) = checked(&built);
    assert!((1..100).contains(&coverage.values) && !coverage.complete, "{}", coverage.values);
    assert!(problems.iter().any(|problem| problem.contains("the same data again")), "{problems:#?}");
}

#[test]
fn a_bin_without_its_header_is_unreadable_and_its_keys_are_read_all_the_same() {
    let mut hive = three_keys();
    for number in 0..400 {
        hive.root.create("Gamma").create(&format!("{number:03}"));
    }
    let mut built = hive.build();
    let bin = built.bins[2];
    built.put(bin, b"xxxx");
    let (coverage, problems) = checked(&built);
    assert_eq!((coverage.keys, coverage.keys_promised), (405, 405));
    assert!(!coverage.complete && coverage.unreadable_bytes >= 4096 && coverage.lost.is_empty());
    assert!(coverage.coverage > 0.9, "{coverage:?}");
    assert_eq!(problems.len(), 1, "{problems:#?}");
}

#[test]
fn what_is_behind_the_end_of_a_truncated_file_is_lost() {
    let mut hive = three_keys();
    for number in 0..400 {
        hive.root.create("Gamma").create(&format!("{number:03}"));
    }
    let mut built = hive.build();
    let whole = built.bytes.len();
    built.bytes.truncate(whole / 4096 / 2 * 4096);
    let (coverage, _) = checked(&built);
    assert_eq!(coverage.unreadable_bytes, u64::try_from(whole - built.bytes.len()).unwrap());
    assert!(!coverage.complete && !coverage.lost.is_empty());
    // The same count in words, from the other side.
    assert!(coverage.keys < coverage.keys_promised);
}

#[test]
fn bins_behind_the_declared_end_are_told_of_where_something_is_lost() {
    let mut hive = three_keys();
    for number in 0..400 {
        hive.root.create("Gamma").create(&format!("{number:03}"));
    }
    let mut built = hive.build();
    built.put_u32(40, 8192);
    let (coverage, problems) = checked(&built);
    assert!(!coverage.complete && coverage.unreadable_bytes == 0, "{coverage:?}");
    assert!(problems.iter().any(|problem| problem.contains("the base block may be wrong")), "{problems:#?}");
}

#[test]
fn a_cell_in_the_middle_of_another_is_a_problem() {
    let mut built = three_keys().build();
    let value = built.value("Alpha", "Text").vk.payload();
    let data = match &built.value("Beta", "Text").data {
        builder::DataLocation::Cell(cell) => *cell,
        other => panic!("{other:?}"),
    };
    built.put_u32(data.payload() + 4, 16_u32.wrapping_neg());
    built.put_u32(value + 4, 8);
    built.put_u32(value + 8, data.offset() + 8);
    let (coverage, problems) = checked(&built);
    assert!(!coverage.complete && coverage.unreached_cells == 1);
    assert!(problems.iter().any(|problem| problem.contains("a cell that begins here")), "{problems:#?}");
}

#[test]
fn any_bytes_behind_a_sound_base_block_are_walked_to_an_end() {
    let mut hive = builder::Hive { minor: 6, ..three_keys() };
    hive.root.set_binary("Big", &[7; 1000].repeat(40));
    let sound = hive.build().bytes;
    let words = [0, 1, 8, 0x20, 0x1000, u32::MAX, 0x8000_0000, 0x7fff_ffff, 0xffff_fff8];
    let change =
        (4096..sound.len() - 4, prop_oneof![any::<u32>(), prop::sample::select(words.to_vec()), 0..0x4000_u32]);
    proptest!(|(changes in proptest::collection::vec(change, 1..24))| {
        let mut bytes = sound.clone();
        for (at, word) in changes {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let hive = Hive::from_bytes(Bytes::Read(bytes)).unwrap().as_it_lies();
        let (coverage, problems) = check(&hive, &mut ());
        prop_assert!(coverage.keys <= coverage.keys_promised && coverage.values <= coverage.values_promised);
        prop_assert!(coverage.reached_bytes <= coverage.allocated_bytes && (0.0..=1.0).contains(&coverage.coverage));
        prop_assert_eq!(coverage.lost.is_empty(), coverage.keys == coverage.keys_promised && coverage.values == coverage.values_promised);
        prop_assert!(coverage.complete || !problems.is_empty());
    });
}
