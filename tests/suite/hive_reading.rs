//! Unusual or invalid hives: existing entries are found, missing ones are absent, and unreadable ones are neither.

use hivemend::evidence::Bytes;
use hivemend::hive::Hive;
use hivemend::registry::DataType;

use crate::builder::{self, Built, Key, units};

fn opened(built: Built) -> Hive {
    Hive::from_bytes(Bytes::Read(built.bytes)).unwrap().as_it_lies()
}

/// A hive whose root has the subkeys `Alpha`, `Beta` and `Gamma`, each with the value `Number`.
fn three_keys() -> builder::Hive {
    let mut hive = builder::Hive::new("ROOT");
    for (name, number) in [("Alpha", 1), ("Beta", 2), ("Gamma", 3)] {
        hive.root.create(name).set_dword("Number", number);
    }
    hive
}

fn number(hive: &Hive, key: &str) -> Option<u64> {
    hive.tree().key(key).unwrap()?.value("number").unwrap()?.as_number()
}

#[test]
fn a_key_in_an_unsorted_list_is_found() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.keep_order = true;
    for (name, number) in [("Gamma", 3), ("Alpha", 1), ("Beta", 2)] {
        hive.root.create(name).set_dword("Number", number);
    }
    let hive = opened(hive.build());
    assert_eq!([number(&hive, "alpha"), number(&hive, "BETA"), number(&hive, "Gamma")], [Some(1), Some(2), Some(3)]);
}

#[test]
fn a_letter_that_windows_does_not_fold_makes_another_key() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create("NOT\u{131}FY").set_dword("Number", 666);
    hive.root.create("NOTIFY").set_dword("Number", 1);
    let hive = opened(hive.build());
    assert_eq!(number(&hive, "Notify"), Some(1));
    assert_eq!(hive.tree().key("NOTIFI").unwrap().map(|key| key.name()), None);
}

#[test]
fn a_long_value_in_a_format_1_3_hive_is_read_whole() {
    let data: Vec<u8> = (0..20_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    for minor in [3, 5] {
        let mut hive = builder::Hive { minor, ..builder::Hive::new("ROOT") };
        hive.root.set_binary("Long", &data);
        let hive = opened(hive.build());
        let tree = hive.tree();
        let value = tree.root().unwrap().value("Long").unwrap().unwrap();
        assert_eq!((value.data_type, value.bytes == data), (DataType::BINARY, true), "format 1.{minor}");
        assert_eq!(tree.problems(), []);
    }
}

#[test]
fn an_empty_value_is_empty_wherever_its_offset_points() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.set_sz("Text", "twelve letters");
    let mut built = hive.build();
    let vk = built.value("", "Text").vk.payload();
    built.put_u32(vk + 4, 0);
    built.put_u32(vk + 8, u32::MAX);
    let hive = opened(built);
    assert!(hive.tree().root().unwrap().value("Text").unwrap().unwrap().bytes.is_empty());
}

#[test]
fn a_count_of_zero_is_an_empty_list_whatever_its_offset_says() {
    let mut built = three_keys().build();
    let root = built.key("").nk.payload();
    built.put_u32(root + 20, 0);
    built.put_u32(root + 28, 0x7777);
    let hive = opened(built);
    assert!(hive.tree().key("Alpha").unwrap().is_none());
    assert_eq!(hive.tree().problems(), []);
}

/// Found by fuzzing: nt-hive looks at the offset of a list whose count is 0, and panics on a cell of size 0.
#[test]
fn a_stale_list_offset_is_not_shown_to_nt_hive() {
    let mut built = three_keys().build();
    let alpha = built.key("Alpha").nk.payload();
    let free = built.bytes.len() - 64;
    built.put_u32(free, 0);
    built.put_u32(alpha + 28, u32::try_from(free - 4096).unwrap());
    let hive = opened(built);
    let tree = hive.tree();
    let (subkeys, problems) = tree.key("Alpha").unwrap().unwrap().subkeys();
    assert!(subkeys.is_empty() && problems.is_empty());
}

#[test]
fn behind_a_broken_list_nothing_is_absent() {
    let mut built = three_keys().build();
    let list = built.key("").subkey_list.as_ref().unwrap().cell.payload();
    built.put(list, b"xx");
    let hive = opened(built);
    let tree = hive.tree();
    let Err(problem) = tree.key("Alpha") else { panic!("the list cannot be read") };
    assert!(problem.to_string().contains("expected a list of subkeys (lf, lh, li, ri), found the signature \"xx\""));
    assert_eq!(problem.offset, Some(u64::try_from(list - 4).unwrap()));
}

#[test]
fn a_broken_neighbour_does_not_hide_a_key_and_leaves_others_unknown() {
    let mut built = three_keys().build();
    let beta = built.key("Beta").nk.payload();
    built.put(beta, b"xx");
    let hive = opened(built);
    assert_eq!(number(&hive, "Gamma"), Some(3));
    assert!(hive.tree().key("Beta").is_err());
    // It might have been Beta's old name: nobody can say that it is not there.
    assert!(hive.tree().key("Delta").is_err());
}

#[test]
fn offsets_that_point_nowhere_are_problems_and_not_panics() {
    for (field, what) in [(28, "subkeys"), (40, "values")] {
        let mut hive = three_keys();
        hive.root.set_dword("Number", 0);
        let mut built = hive.build();
        let root = built.key("").nk.payload();
        built.put_u32(root + field, u32::MAX);
        let hive = opened(built);
        let tree = hive.tree();
        let root = tree.root().unwrap();
        let failed = if what == "subkeys" { root.subkey("Alpha").is_err() } else { root.value("Number").is_err() };
        assert!(failed, "{what}");
    }
}

#[test]
fn where_the_base_block_was_lost_nt_hive_is_not_asked_for_the_root_that_it_names() {
    let bytes = three_keys().build().bytes;
    // What nt-hive refuses by panicking, what it takes for a cell of no bytes, and another key of the same hive.
    for root in [u32::MAX, 0x8, 0x24] {
        let mut bytes = bytes.clone();
        bytes[..4].fill(0);
        bytes[36..40].copy_from_slice(&root.to_le_bytes());
        let hive = Hive::from_bytes(Bytes::Read(bytes)).unwrap().as_it_lies();
        assert_eq!(number(&hive, "Beta"), Some(2), "{root:#x}");
    }
}

#[test]
fn a_second_key_of_the_same_name_is_a_problem_of_the_hive() {
    let mut hive = three_keys();
    let mut twin = Key::new("ALPHA");
    twin.set_dword("Number", 9);
    hive.root.subkeys.push(twin);
    let hive = opened(hive.build());
    let tree = hive.tree();
    tree.key("Alpha").unwrap().unwrap();
    let problems: Vec<String> = tree.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("expected one subkey named Alpha, found another"), "{problems:?}");
}

#[test]
fn a_name_with_a_nul_is_not_the_name_before_it() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create_child(&units("Alpha\0")).set_dword("Number", 9);
    let hive = opened(hive.build());
    assert!(hive.tree().key("Alpha").unwrap().is_none());
}

#[test]
fn hives_of_every_list_kind_read_the_same() {
    use crate::builder::ListKind;
    for list_kind in [ListKind::Lf, ListKind::Lh, ListKind::Li, ListKind::Ri] {
        let mut hive = builder::Hive { list_kind, ..three_keys() };
        hive.root.set_time(130_000_000_000_000_000);
        let hive = opened(hive.build());
        assert_eq!([number(&hive, "alpha"), number(&hive, "beta"), number(&hive, "delta")], [Some(1), Some(2), None]);
        let time = hive.tree().key("Gamma").unwrap().unwrap().last_written();
        assert_eq!(time.to_string(), "2012-12-14T23:06:40.0000000Z");
    }
}

#[test]
fn any_bytes_behind_a_sound_base_block_are_survived() {
    use proptest::prelude::*;
    let sound = three_keys().build().bytes;
    proptest!(|(changes in proptest::collection::vec((4096..sound.len(), any::<u8>()), 1..24))| {
        let mut bytes = sound.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let hive = Hive::from_bytes(Bytes::Read(bytes)).unwrap().as_it_lies();
        let tree = hive.tree();
        for path in ["Alpha", "Beta", r"Gamma\Delta"] {
            if let Ok(Some(key)) = tree.key(path) {
                let _ = (key.value("Number"), key.values(), key.subkeys());
            }
        }
    });
}
