//! Walking whole hives: every counted entry is delivered or reported as lost, and an oddity is a problem, not a loss.

use hivemend::evidence::Bytes;
use hivemend::hive::Hive;
use hivemend::hive::walk::{Coverage, Lost, Visitor, WalkedKey, WalkedValue, check, walk};

use crate::builder::{self, Built, Key, ListKind, units};
use crate::real_hives::corpus;

mod hostile;

fn opened(built: &Built) -> Hive {
    Hive::from_bytes(Bytes::Read(built.bytes.clone())).unwrap().as_it_lies()
}

/// What a check comes to: the coverage, and the problems as text.
fn checked(built: &Built) -> (Coverage, Vec<String>) {
    let (coverage, problems) = check(&opened(built), &mut ());
    (coverage, problems.iter().map(ToString::to_string).collect())
}

/// The one problem of a hive of which nothing is lost.
fn oddity(built: &Built) -> String {
    let (coverage, problems) = checked(built);
    assert!(coverage.complete && coverage.lost.is_empty(), "{coverage:?}");
    assert_eq!((coverage.keys, coverage.values), (coverage.keys_promised, coverage.values_promised));
    let [problem] = problems.as_slice() else { panic!("one problem expected: {problems:#?}") };
    problem.clone()
}

/// A hive whose root has the subkeys `Alpha`, `Beta` and `Gamma`, each with the value `Number`, and `Beta\Below`.
fn three_keys() -> builder::Hive {
    let mut hive = builder::Hive::new("ROOT");
    for (name, number) in [("Alpha", 1), ("Beta", 2), ("Gamma", 3)] {
        hive.root.create(name).set_dword("Number", number).set_sz("Text", "longer than four bytes");
    }
    hive.root.create(r"Beta\Below").class = Some(units("A class"));
    hive
}

/// Notes down everything that it is shown.
#[derive(Default)]
struct Notes(Vec<String>);

impl Visitor for Notes {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        self.0.push(format!("{}: {} {:?} {}", key.depth(), key.path(), key.promises(), key.last_written()));
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        self.0.push(format!("{}: {}={}, {} bytes", key.name(), value.name(), value.data_type(), value.data().len()));
    }
}

#[test]
fn a_visitor_sees_every_key_before_what_is_below_it() {
    let mut hive = three_keys();
    hive.root.subkeys.retain(|key| key.name == units("Beta"));
    let mut notes = Notes::default();
    let walked = walk(&opened(&hive.build()), &mut notes);
    assert_eq!((walked.keys, walked.values, walked.damaged), (3, 2, false));
    insta::assert_debug_snapshot!(notes.0, @r#"
    [
        "0:  (1, 0) 2010-01-01T00:00:00.0000000Z",
        "1: Beta (1, 2) 2010-01-01T00:00:00.0000000Z",
        "Beta: Number=REG_DWORD, 4 bytes",
        "Beta: Text=REG_SZ, 46 bytes",
        "2: Beta\\Below (0, 0) 2010-01-01T00:00:00.0000000Z",
    ]
    "#);
}

#[test]
fn of_a_sound_hive_every_byte_in_use_is_reached() {
    let versions = [(3, ListKind::Auto), (5, ListKind::Auto), (6, ListKind::Auto)];
    let kinds = [ListKind::Lf, ListKind::Lh, ListKind::Li, ListKind::Ri].map(|kind| (5, kind));
    for (minor, list_kind) in versions.into_iter().chain(kinds) {
        let mut hive = builder::Hive { minor, list_kind, ..three_keys() };
        hive.root.set_binary("Big", &[7; 1000].repeat(40));
        for number in 0..1200 {
            hive.root.create("Beta").subkeys.push(Key::new(&format!("Ω{number:04}")));
        }
        let (coverage, problems) = checked(&hive.build());
        assert_eq!(problems, [""; 0], "1.{minor}, {list_kind:?}");
        assert!(coverage.complete && coverage.lost.is_empty());
        assert_eq!((coverage.keys, coverage.values), (1205, 7));
        assert_eq!((coverage.keys_promised, coverage.values_promised), (1205, 7));
        assert_eq!((coverage.allocated_bytes, coverage.unreached_cells), (coverage.reached_bytes, 0));
        assert!((coverage.coverage, coverage.unreadable_bytes) == (1.0, 0) && coverage.free_bytes > 0);
    }
}

#[test]
fn the_loss_is_listed_by_key() {
    let mut built = three_keys().build();
    let gamma = built.key("Gamma").clone();
    built.put(gamma.value_list.unwrap().payload(), &[0xff; 4]);
    let below = built.key(r"Beta\Below").nk.payload();
    built.put(below, b"xx");
    let (coverage, problems) = checked(&built);
    let lost: Vec<_> =
        coverage.lost.iter().map(|lost| (lost.key.as_str(), lost.what, lost.promised, lost.delivered)).collect();
    assert_eq!(lost, [("Beta", Lost::Subkeys, 1, 0), ("Gamma", Lost::Values, 2, 1)]);
    assert_eq!(coverage.lost[1].offset, u64::try_from(gamma.nk.size_field()).unwrap());
    assert!(!coverage.complete && coverage.coverage < 1.0);
    assert_eq!((coverage.keys_promised, coverage.keys), (5, 4));
    assert_eq!((coverage.values_promised, coverage.values), (6, 5));
    // The key, its class, the value and its data: allocated, and nobody's.
    assert_eq!(coverage.unreached_cells, 3);
    assert_eq!(problems.len(), 2, "{problems:#?}");
}

#[test]
fn a_hive_without_its_root_has_lost_all() {
    let mut built = three_keys().build();
    built.put(built.key("").nk.payload(), b"xx");
    let (coverage, _) = checked(&built);
    assert_eq!((coverage.keys_promised, coverage.keys, coverage.lost[0].what), (1, 0, Lost::Root));
    assert_eq!((coverage.reached_bytes, coverage.coverage), (0, 0.0));
}

#[test]
fn a_list_that_is_not_sorted_is_a_problem_and_not_a_miss() {
    let mut hive = three_keys();
    hive.root.keep_order = true;
    hive.root.subkeys.rotate_left(2);
    insta::assert_snapshot!(oddity(&hive.build()), @"at 0x11f0: expected a list of subkeys in the order of their uppercase names, by which Windows searches, found a name that belongs further up (key Alpha)");
}

#[test]
fn two_of_a_name_are_a_problem_and_both_are_delivered() {
    let mut hive = three_keys();
    hive.root.subkeys.push(Key::new("BETA"));
    insta::assert_snapshot!(oddity(&hive.build()), @r#"at 0x1340: expected one subkey named "BETA", found another of that name (key BETA)"#);
    // Not even neighbours.
    let mut hive = three_keys();
    hive.root.keep_order = true;
    hive.root.subkeys.push(Key::new("ALPHA"));
    let (coverage, problems) = checked(&hive.build());
    assert!(coverage.complete);
    insta::assert_debug_snapshot!(problems, @r#"
    [
        "at 0x1420: expected a list of subkeys in the order of their uppercase names, by which Windows searches, found a name that belongs further up (key ALPHA)",
        "at 0x1420: expected one subkey named \"ALPHA\", found another of that name (key ALPHA)",
    ]
    "#);
    let mut hive = three_keys();
    let alpha = hive.root.create("Alpha");
    let twin = alpha.values[0].clone();
    alpha.values.push(builder::Value { name: units("nUMBER"), ..twin });
    insta::assert_snapshot!(oddity(&hive.build()), @r#"at 0x11e0: expected one value named "nUMBER", found another of that name (key Alpha)"#);
}

#[test]
fn names_that_hide_something_are_problems() {
    let mut hive = three_keys();
    hive.root.create_child(&units("Beta\0"));
    insta::assert_snapshot!(oddity(&hive.build()).escape_default(), @r#"at 0x1340: expected a name without NUL and backslash, found \"Beta\\0\" (key Beta\u{0})"#);
    let mut hive = three_keys();
    hive.root.create_child(&units(r"Beta\Below"));
    insta::assert_snapshot!(oddity(&hive.build()), @r#"at 0x1340: expected a name without NUL and backslash, found "Beta\\Below" (key Beta\Below)"#);
    let mut hive = three_keys();
    hive.root.set_dword("Run\0", 1).set_dword(r"C:\path", 1);
    insta::assert_snapshot!(oddity(&hive.build()), @r#"at 0x1110: expected a value whose name is without NUL, found "Run\0" (the root key)"#);
}

#[test]
fn a_wrong_parent_is_a_problem() {
    let mut built = three_keys().build();
    let gamma = built.key("Gamma").nk.offset();
    let below = built.key(r"Beta\Below").nk.payload();
    built.put_u32(below + 16, gamma);
    insta::assert_snapshot!(oddity(&built), @r#"at 0x12d0: expected the key above it as its parent, at 0x11f0, found the parent 0x1340 (key Beta\Below)"#);
}

#[test]
fn a_hash_that_is_not_of_the_name_is_a_problem() {
    for kind in [ListKind::Lh, ListKind::Lf] {
        let mut built = builder::Hive { list_kind: kind, ..three_keys() }.build();
        let list = built.key("").subkey_list.as_ref().unwrap().cell.payload();
        built.put(list + 8, b"Abba");
        assert!(oddity(&built).ends_with("(key Alpha)"), "{}", oddity(&built));
    }
}

#[test]
fn times_that_cannot_be_are_noted_once() {
    let mut hive = three_keys();
    hive.root.create("Alpha").last_written = 0;
    insta::assert_snapshot!(oddity(&hive.build()), @"at 0x1110: expected a time of last write in every key, found none (0) in 1 key, the first of them key Alpha");
    let mut hive = three_keys();
    hive.root.create("Alpha").last_written = 123_882_047_999_999_999;
    insta::assert_snapshot!(oddity(&hive.build()), @"at 0x1110: expected no key written before the first Windows NT (1993), found 1 key, the earliest at 1993-07-26T23:59:59.9999999Z, the first in the hive key Alpha");
    let mut hive = three_keys();
    hive.root.create("Beta").set_time(hive.last_written + 10_000_000);
    insta::assert_snapshot!(oddity(&hive.build()), @"at 0x11f0: expected no key written after the hive's own last write, 2010-01-01T00:00:00.0000000Z, found 2 keys, the latest at 2010-01-01T00:00:01.0000000Z, the first in the hive key Beta; either the clock was set back, or Windows (8.1 or later) did not update the hive's own time: do not rely on one of the two times alone");
}

#[test]
fn what_lies_over_another_hive_is_a_problem() {
    let mut hive = builder::Hive { minor: 6, ..three_keys() };
    hive.root.set("Hidden", 0, &[]);
    let mut built = hive.build();
    let alpha = built.key("Alpha").nk.payload();
    built.put(alpha + 13, &[2]);
    let value = built.value("", "Hidden").vk.payload();
    built.put_u32(value + 8, u32::MAX);
    built.put_u16(value + 16, 3);
    let (coverage, problems) = checked(&built);
    assert!(coverage.complete);
    insta::assert_debug_snapshot!(problems, @r#"
    [
        "at 0x1110: expected a value named Hidden that stands by itself, found one that hides that of the hive below it (a tombstone) (the root key)",
        "at 0x1138: expected a key that stands by itself, found one that lies over that of the hive below it (layer semantics 2) (key Alpha)",
    ]
    "#);
}

#[test]
fn a_predefined_handle_is_no_count() {
    let mut hive = three_keys();
    hive.root.create("Alpha").flags = 0x40;
    hive.root.create("Alpha").values.clear();
    let mut built = hive.build();
    let alpha = built.key("Alpha").nk.payload();
    built.put_u32(alpha + 36, 0x8000_0050);
    let (coverage, problems) = checked(&built);
    assert_eq!((coverage.values_promised, coverage.values, problems.len()), (4, 4, 0));
    // A count that is no handle is one, whatever the flag says: the values are there.
    let mut hive = three_keys();
    hive.root.create("Alpha").flags = 0x40;
    assert_eq!(checked(&hive.build()).0.values, 6);
}

#[test]
fn the_hives_of_the_corpus_have_the_keys_and_values_of_their_manifest() {
    let Some(corpus) = corpus() else { return };
    for (path, keys, values) in [
        ("xp-sp3-x86/software", 44_446, 72_335),
        ("win7-sp1-x86/SOFTWARE", 117_488, 193_870),
        ("win81-x64-dirty-no-logs/SOFTWARE", 203_485, 385_411),
        ("win10-1709-x64-dirty-with-logs/SYSTEM", 33_123, 74_957),
        ("ntuser-dirty-with-logs/NTUSER.DAT", 2_590, 4_119),
    ] {
        let hive = Hive::open(&corpus.join(path), true).unwrap().unwrap().as_it_lies();
        let (coverage, problems) = check(&hive, &mut ());
        assert_eq!((coverage.keys, coverage.values), (keys, values), "{path}");
        assert_eq!((coverage.keys_promised, coverage.values_promised), (keys, values), "{path}");
        assert_eq!((coverage.complete, coverage.unreached_cells), (true, 0), "{path}");
        assert_eq!(problems, [], "{path}");
    }
    let damaged = Hive::open(&corpus.join("xp-damaged/SYSTEM"), true).unwrap().unwrap().as_it_lies();
    let (coverage, problems) = check(&damaged, &mut ());
    assert!(!coverage.complete && coverage.keys < coverage.keys_promised && coverage.unreadable_bytes > 1 << 20);
    assert_eq!((coverage.lost.len(), coverage.lost_left_out), (83, 0));
    assert!(problems.len() > 20);
}

/// hivex writes all data of a value into one cell, whatever the format of the hive: Windows looks for segments there.
#[test]
fn data_in_one_cell_where_windows_looks_for_segments_are_told() {
    for (minor, size, is_told) in [(3, 16_345, false), (5, 16_344, false), (4, 16_345, true), (5, 20_000, true)] {
        let mut hive = builder::Hive::new("ROOT");
        hive.minor = 3;
        hive.root.create("Alpha").set_binary("Long", &vec![7; size]);
        let mut built = hive.build();
        built.put_u32(0x18, minor);
        built.fix_checksum();
        let (coverage, problems) = checked(&built);
        assert_eq!((coverage.values, coverage.complete), (1, !is_told), "{minor} {size}");
        let told = problems.iter().filter(|problem| problem.contains("in one cell")).count();
        assert_eq!((told, problems.len()), (usize::from(is_told), usize::from(is_told)), "{problems:?}");
    }
}
