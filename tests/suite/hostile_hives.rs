//! Small hives that are made to occupy a reader for hours or to fill its memory. They get no result; this is reported,
//! and reading ends.

use hivemend::evidence::Bytes;
use hivemend::hive::Hive;

use crate::builder::{self, Built, ListKind, units};

fn opened(built: Built) -> Hive {
    Hive::from_bytes(Bytes::Read(built.bytes)).unwrap().as_it_lies()
}

/// A root with so many subkeys, and a list in which each entry is the first of them, the one with the long name.
fn one_name_again_and_again(subkeys: usize) -> Built {
    let mut hive = builder::Hive { list_kind: ListKind::Lf, ..builder::Hive::new("ROOT") };
    hive.root.keep_order = true;
    hive.root.create_child(&units(&"x".repeat(30_000)));
    for number in 1..subkeys {
        hive.root.create(&format!("{number}"));
    }
    let mut built = hive.build();
    let long = built.keys[1].nk.offset();
    let list = built.key("").subkey_list.as_ref().unwrap().cell.payload();
    for entry in 0..subkeys {
        built.put_u32(list + 4 + entry * 8, long);
    }
    built
}

#[test]
fn a_long_name_that_a_list_repeats_is_not_read_for_ever() {
    let hive = opened(one_name_again_and_again(500));
    let tree = hive.tree();
    let Err(problem) = tree.key("Nope") else { panic!("500 names of 30,000 letters were read") };
    assert!(problem.to_string().contains("expected names that are together no longer than the hive"), "{problem}");
    let (subkeys, problems) = tree.root().unwrap().subkeys();
    assert!(subkeys.len() < 500 && !problems.is_empty());
}

#[test]
fn lists_that_name_the_same_list_are_read_no_longer_than_keys_have_room() {
    let mut hive = builder::Hive { list_kind: ListKind::Ri, ..builder::Hive::new("ROOT") };
    for number in 0..5_000 {
        hive.root.create(&format!("{number}"));
    }
    let mut built = hive.build();
    let root = built.key("").subkey_list.clone().unwrap();
    let (first, lists) = (root.leaves[0].offset(), root.leaves.len());
    // The list of lists grows over what follows it: each of its entries is the first list.
    let entries = 20_000_u16;
    built.put_u16(root.cell.payload() + 2, entries);
    let end = built.bytes.len() + usize::from(entries) * 4;
    let size = u32::try_from(end.next_multiple_of(4096) - 4096).unwrap();
    let list = u32::try_from(built.bytes.len() - 4096).unwrap();
    built.bytes.resize(4096 + usize::try_from(size).unwrap(), 0);
    let at = usize::try_from(list).unwrap() + 4096;
    built.put_u32(at, (4 + 4 + u32::from(entries) * 4).wrapping_neg());
    built.put(at + 4, b"ri");
    built.put_u16(at + 6, entries);
    for entry in 0..usize::from(entries) {
        built.put_u32(at + 8 + entry * 4, first);
    }
    let nk = built.key("").nk.payload();
    built.put_u32(nk + 28, list);
    built.put_u32(40, size);
    built.fix_checksum();
    assert!(lists > 1);
    let hive = opened(built);
    let tree = hive.tree();
    let Err(problem) = tree.key("Nope") else { panic!("millions of entries were read") };
    assert!(tree.problems().iter().any(|problem| problem.found == "more; the rest was not read"), "{problem}");
    assert!(tree.root().unwrap().subkeys().0.len() < usize::try_from(size).unwrap() / 40);
}

#[test]
fn values_that_share_one_huge_cell_do_not_fill_the_memory() {
    const SHARED: usize = 1 << 20;
    // Format 1.3 has values of any size in one cell.
    let mut hive = builder::Hive { minor: 3, ..builder::Hive::new("ROOT") };
    hive.root.set_binary("0", &vec![7; SHARED]);
    for number in 1..1_000 {
        hive.root.set_binary(&number.to_string(), b"eight by");
    }
    let mut built = hive.build();
    let shared = built.value("", "0").vk.payload();
    let data: [u8; 4] = built.bytes[shared + 8..shared + 12].try_into().unwrap();
    for number in 1..1_000 {
        let vk = built.value("", &number.to_string()).vk.payload();
        built.put_u32(vk + 4, u32::try_from(SHARED).unwrap());
        built.put(vk + 8, &data);
    }
    let hive = opened(built);
    let tree = hive.tree();
    let values = tree.root().unwrap().values();
    let read: usize = values.iter().flatten().map(|value| value.value.bytes.len()).sum();
    assert!(read < 20 << 20, "{read} bytes");
    let lost = values.iter().filter_map(|value| value.as_ref().err()).next_back().unwrap();
    assert!(lost.to_string().contains("expected values that are together no larger than the hive"), "{lost}");
}

#[test]
fn a_value_list_longer_than_the_hive_has_room_for_values_is_cut_off() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.set_binary("List", &[0; 16_000]);
    hive.root.set_dword("Number", 1);
    let mut built = hive.build();
    // The data of one value become the list of values: 4,000 entries, each of them the number's.
    let number = built.value("", "Number").vk.offset();
    let data = built.value("", "List").vk.payload() + 8;
    let list: [u8; 4] = built.bytes[data..data + 4].try_into().unwrap();
    let at = usize::try_from(u32::from_le_bytes(list)).unwrap() + 4096 + 4;
    for entry in 0..4_000 {
        built.put_u32(at + entry * 4, number);
    }
    let nk = built.key("").nk.payload();
    built.put_u32(nk + 36, 4_000);
    built.put(nk + 40, &list);
    let room = (built.bytes.len() - 4096) / 24;
    let hive = opened(built);
    let tree = hive.tree();
    let values = tree.root().unwrap().values();
    assert_eq!(values.iter().filter(|value| value.is_ok()).count(), room);
    let Err(problem) = tree.root().unwrap().value("Nope") else { panic!("the list was read whole") };
    assert!(problem.to_string().contains("values that have room in the hive"), "{problem}");
}
