//! Hives that are made to mislead: what cannot be expressed is reported in its place, and every run ends.

use std::fs;

use hivemend::reg_file;
use hivemend::show::{Layout, MOST_PROBLEMS};

use super::{Desk, values_of};
use crate::builder::{self, Key, units};

/// Names that no `.reg` file can have, among others that it can.
fn inexpressible() -> builder::Hive {
    let mut hive = builder::Hive::new("ROOT");
    let key = hive.root.create("Key");
    key.set_dword("before", 1);
    key.values.push(builder::Value { name: units("nul\0hidden"), data_type: 4, data: vec![2, 0, 0, 0] });
    key.values.push(builder::Value { name: units("line\r\nend = 1"), data_type: 4, data: vec![3, 0, 0, 0] });
    key.values.push(builder::Value { name: vec![0x61, 0xd800], data_type: 4, data: vec![4, 0, 0, 0] });
    key.values.push(builder::Value { name: units("BEFORE"), data_type: 4, data: vec![5, 0, 0, 0] });
    key.set_dword("after", 6);
    hive.root.create_child(&units("a\0b")).create("lost").set_dword("x", 1);
    hive.root.create_child(&units(r"back\slash"));
    hive.root.create("Twin").set_dword("first", 1);
    let mut twin = Key::new("TWIN");
    twin.set_dword("second", 2);
    hive.root.subkeys.push(twin);
    hive.root.create("Zuletzt").set_dword("last", 7);
    hive
}

#[test]
fn what_no_reg_file_can_say_is_a_comment_in_its_place() {
    let desk = Desk::built(&inexpressible().build());
    let (text, shown) = desk.shown("", true, Layout::RegText);
    insta::assert_snapshot!(text);
    assert!(!shown.complete);
    assert_eq!(shown.problems.len(), 7);
    let names: Vec<String> =
        super::merged(&text).into_iter().map(|(_, name, ..)| String::from_utf16(&name).unwrap()).collect();
    assert_eq!(names, ["before", "after", "first", "last"]);
    let output = desk.run(&["evidence/hive", "--recursive"]);
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(3), text));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 7, "{said}");
    assert!(said.lines().all(|line| line.starts_with("hivemend: evidence/hive: ")), "{said}");
}

#[test]
fn json_and_table_say_all_of_it() {
    let desk = Desk::built(&inexpressible().build());
    for layout in [Layout::Json, Layout::Table(hivemend::report::table::Style::default())] {
        let (text, shown) = desk.shown("", true, layout);
        assert!(shown.complete, "{:?}", shown.problems);
        for name in ["hidden", "end = 1", "BEFORE", "lost", "TWIN", "second", "last"] {
            assert!(text.contains(name), "{name}: {text}");
        }
        assert!(!text.contains('\0') && !text.contains('\r'));
    }
}

#[test]
fn a_key_that_cannot_be_said_at_all_is_a_comment_and_nothing_else() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create("a] ; b").set_dword("x", 1);
    let (text, shown) = Desk::built(&hive.build()).shown("a] ; b", true, Layout::RegText);
    assert!(!shown.complete);
    insta::assert_snapshot!(text, @r"
    Windows Registry Editor Version 5.00

    ; at 0x1110: expected a key that can be shown in this form, found key name that reads like a comment after the key line (key HKEY_LOCAL_MACHINE\HIVE\a] ; b); the key and all below it are left out
    ");
}

#[test]
fn a_loop_ends_and_is_told_where_it_closes() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create(r"Alpha\Beta\Gamma").set_dword("x", 1);
    let mut built = hive.build();
    let alpha = built.key("Alpha").nk.offset();
    let list = built.key(r"Alpha\Beta").subkey_list.as_ref().unwrap().cell.payload();
    built.put_u32(list + 4, alpha);
    let desk = Desk::built(&built);
    for key in ["", "Alpha", r"Alpha\Beta"] {
        let (text, shown) = desk.shown(key, true, Layout::RegText);
        assert!(!shown.complete, "{key}");
        assert!(text.contains("found one that is below itself: a loop (key Alpha\\Beta\\Alpha)"), "{key}: {text}");
        assert!(reg_file::parse_text(&text).into_document().is_ok());
    }
    // Not descended into, it is a key like any other.
    assert!(desk.shown(r"Alpha\Beta", false, Layout::RegText).1.complete);
}

#[test]
fn what_cannot_be_read_is_told_in_every_form() {
    let mut hive = builder::Hive::new("ROOT");
    let key = hive.root.create("Key");
    key.class = Some(units("class"));
    key.set_dword("sound", 1).set_dword("broken", 2).set_binary("gone", &[1; 100]);
    key.create("Below");
    key.create("Sound");
    let mut built = hive.build();
    let broken = built.value("Key", "broken").vk.payload();
    built.put(broken, b"xx");
    let gone = built.value("Key", "gone").vk.payload();
    built.put_u32(gone + 8, 0x00ff_fff0);
    let below = built.key(r"Key\Below").nk.payload();
    built.put(below, b"xx");
    let desk = Desk::built(&built);
    for recursive in [true, false] {
        for layout in [Layout::RegText, Layout::Json, Layout::Table(hivemend::report::table::Style::default())] {
            let (text, shown) = desk.shown("Key", recursive, layout);
            assert_eq!((shown.complete, shown.problems.len()), (false, 3), "{:?}", shown.problems);
            let problem =
                if layout == Layout::Json { r#""expected": "a value (vk)""# } else { "expected a value (vk)" };
            assert!(text.contains(problem) && text.contains("sound"), "{text}");
        }
    }
    let output = desk.run(&["evidence/hive", r"Key\Below"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
    assert!(String::from_utf8(output.stderr).unwrap().contains("whether the key exists cannot be determined"));
}

#[test]
fn deep_keys_are_shown_as_far_as_the_registry_goes() {
    let mut hive = builder::Hive::new("ROOT");
    hive.root.create(&r"a\".repeat(600));
    let (text, shown) = Desk::built(&hive.build()).shown("", true, Layout::RegText);
    assert_eq!(text.lines().filter(|line| line.starts_with('[')).count(), 514, "one of them again, behind the comment");
    assert!(!shown.complete && shown.problems.len() == 1, "{:?}", shown.problems);
}

/// Every key repeats the names above it: a path of megabytes would fill a disk.
#[test]
fn paths_longer_than_windows_knows_are_left_out() {
    let mut hive = builder::Hive::new("ROOT");
    let mut key = &mut hive.root;
    for _ in 0..40 {
        key = key.create_child(&units(&"x".repeat(1000)));
    }
    for number in 0..2000 {
        key.subkeys.push(Key::new(&format!("{number:04}")));
    }
    let desk = Desk::built(&hive.build());
    for layout in [Layout::RegText, Layout::Json] {
        let (text, shown) = desk.shown("", true, layout);
        assert!(!shown.complete && shown.problems.len() == 1);
        assert!(text.len() < 2 << 20, "{}", text.len());
        assert!(text.contains("more than Windows can name"));
    }
}

/// One value of a long name, in the list thousands of times.
#[test]
fn one_name_cannot_be_shown_again_and_again() {
    let mut hive = builder::Hive::new("ROOT");
    for number in 0..3000 {
        hive.root.set(&format!("{number:04}"), 3, &[]);
    }
    let long = "n".repeat(16_000);
    hive.root.set(&long, 3, &[]);
    let mut built = hive.build();
    let list = built.key("").value_list.unwrap().payload();
    let value = built.value("", &long).vk.offset();
    for entry in 0..3000 {
        built.put_u32(list + 4 * entry, value);
    }
    let size = built.bytes.len();
    let (text, shown) = Desk::built(&built).shown("", true, Layout::Json);
    assert!(!shown.complete && shown.problems.len() == MOST_PROBLEMS + 1, "{}", shown.problems.len());
    assert_eq!(shown.more, 3001 - size as u64 / 16_000 - MOST_PROBLEMS as u64);
    assert!(text.len() < size + MOST_PROBLEMS * 2000, "{}", text.len());
}

#[test]
fn an_audit_fixture_of_hostile_strings_prints_safely() {
    for role in ["SOFTWARE", "SYSTEM"] {
        let desk = Desk::of("hostile-strings", role);
        let style = hivemend::report::table::Style::default();
        for layout in [Layout::RegText, Layout::Json, Layout::Table(style)] {
            let (text, shown) = desk.shown("", true, layout);
            assert!(shown.complete, "{:?}", shown.problems);
            let safe = |letter: char| letter == '\n' || !(letter.is_control() || letter == '\u{202e}');
            assert!(text.chars().all(safe), "{role} {layout:?}");
        }
        let output = desk.path("out.reg");
        assert_eq!(desk.run(&[&format!("evidence/{role}"), "-r", "--output", "out.reg"]).status.code(), Some(0));
        assert!(values_of(&fs::read(output).unwrap()).len() > 20);
    }
}

#[test]
fn a_key_is_found_by_the_name_that_is_printed_for_it() {
    let desk = crate::command_line::Desk::with(&[]);
    let mut hive = builder::Hive::new("ROOT");
    let key = hive.root.create_child(&units("a\r\n\u{202e}b"));
    key.create("c").set_dword("x", 1);
    fs::write(desk.path("hive"), hive.to_bytes()).unwrap();
    let printed = String::from_utf8(desk.run(&["show", "hive", "--format", "table"]).stdout).unwrap();
    let name = r"a\u{d}\u{a}\u{202e}b";
    assert!(printed.contains(name), "{printed}");
    assert_eq!(desk.code(&["show", "hive", &format!(r"{name}\c"), "--format", "json"]), 0);
    assert_eq!(desk.code(&["show", "hive", &format!(r"{name}\d"), "--format", "json"]), 2);
}
