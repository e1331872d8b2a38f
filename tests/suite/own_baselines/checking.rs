//! `baseline check`: the errors, their places, and the names that were probably meant.

use hivemend::baseline::BUILT_IN;
use hivemend::check::{self, Checked};

use super::write;
use crate::command_line::Desk;

/// What check says of a text.
fn said(text: &str) -> String {
    let mut out = Vec::new();
    Checked::new("mine.toml", "mine", text.to_owned()).render(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_built_in_file_passes() {
    for built_in in &BUILT_IN {
        let checked = Checked::new(built_in.id, built_in.id, built_in.text.to_owned());
        assert_eq!(checked.diagnostics, [], "{}", built_in.id);
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/baselines");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // As they are written, too, where they are like a Windows; the others are only parts.
        let like = text.lines().find_map(|line| line.strip_prefix("like = \"")).map(|like| like.trim_end_matches('"'));
        if BUILT_IN.iter().any(|built_in| Some(built_in.id) == like) {
            seen += 1;
            let checked = check::check(&path).unwrap();
            let mut out = Vec::new();
            checked.render(&mut out).unwrap();
            assert!(checked.diagnostics.is_empty(), "{}", String::from_utf8_lossy(&out));
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn an_error_has_its_place_and_the_nearest_name() {
    insta::assert_snapshot!(said("[[key]\nid = 1"), @"
    mine.toml:1:7: error: unclosed array table, expected `]`
      1 | [[key]
        |       ^
    ");
    insta::assert_snapshot!(said(
        r#"
applies-to = ["windos-7"]
like = "windows-81"

[default]
source = "x"

[change.service-bits.values]
Start = { REG_DWRD = 4, sevrity = "hihg", when = { bild-below = 1 } }

[[key]]
template = "servce"
name = "X"
why = "@automtic"
source = "bits-startup-typ"
"#
    ), @r#"
    mine.toml:2:15: error: no Windows "windos-7"; did you mean "windows-7"?
      2 | applies-to = ["windos-7"]
        |               ^
    mine.toml:3:8: error: no built-in baseline "windows-81"; did you mean "windows-8"?
      3 | like = "windows-81"
        |        ^
    mine.toml:5:2: error: "default" is not a field of a baseline; did you mean "defaults"?
      5 | [default]
        |  ^
    mine.toml:9:11: error: "REG_DWRD" is not a field of a value; did you mean "REG_DWORD"?
      9 | Start = { REG_DWRD = 4, sevrity = "hihg", when = { bild-below = 1 } }
        |           ^
    mine.toml:9:25: error: "sevrity" is not a field of a value; did you mean "severity"?
      9 | Start = { REG_DWRD = 4, sevrity = "hihg", when = { bild-below = 1 } }
        |                         ^
    mine.toml:9:52: error: "bild-below" is not a field of `when`; did you mean "build-below"?
      9 | Start = { REG_DWRD = 4, sevrity = "hihg", when = { bild-below = 1 } }
        |                                                    ^
    mine.toml:12:12: error: no template "servce"; did you mean "service"?
      12 | template = "servce"
         |            ^
    mine.toml:14:7: error: no text "automtic"; did you mean "automatic"?
      14 | why = "@automtic"
         |       ^
    mine.toml:15:10: error: no source "bits-startup-typ"; did you mean "bits-startup-type"? A source of your own stands in [sources], or is a sentence
      15 | source = "bits-startup-typ"
         |          ^
    "#);
}

const HEAD: &str = "[[key]]\nid = \"a\"\nhive = \"SYSTEM\"\npath = 'A'\nwhy = \"x\"\nsource = \"a source\"\n";

#[test]
fn what_the_grammar_refuses_is_shown_at_its_row() {
    let wrong = [
        "[key.values]\nx = { REG_DWORD = 1, REG_SZ = \"\" }",
        "[key.values]\nx = { REG_DWORD = -1 }",
        "[key.values]\nx = { REG_DWORD = 1, optional = 1 }",
        "[key.values]\nx = { type = 8 }",
        "[key.values]\nx = { type = 8, hex = \"0\" }",
        "expect = \"absent\"\noptional = true",
        "",
    ];
    let all: Vec<String> = wrong.iter().map(|text| said(&format!("{HEAD}{text}\n"))).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    mine.toml:8:1: error: a/x: more than one first datum; put the others into `or`
      8 | x = { REG_DWORD = 1, REG_SZ = "" }
        | ^

    mine.toml:8:1: error: a/x: Integer(-1) is not a datum of REG_DWORD
      8 | x = { REG_DWORD = -1 }
        | ^

    mine.toml:8:1: error: a/x: invalid type: integer `1`, expected a boolean
      8 | x = { REG_DWORD = 1, optional = 1 }
        | ^

    mine.toml:8:1: error: a/x: type and hex go together
      8 | x = { type = 8 }
        | ^

    mine.toml:8:1: error: a/x: String("0") is not a datum of REG_RESOURCE_LIST: expected two hexadecimal digits a byte
      8 | x = { type = 8, hex = "0" }
        | ^

    mine.toml:2:6: error: key a: optional and expect exclude each other
      2 | id = "a"
        |      ^

    mine.toml:2:6: error: key a: a key needs values, expect, link, or a closed list (others, subkeys)
      2 | id = "a"
        |      ^
    "#);
    insta::assert_snapshot!(said("like = \"windows-7\"\ndrop = [\"service-bts\"]"), @r#"
    mine.toml:2:9: error: drop names "service-bts", which does not exist
      2 | drop = ["service-bts"]
        |         ^
    "#);
    insta::assert_snapshot!(said("like = \"windows-7\"\n[change.service-bts]\nwhy = \"x\""), @"
    mine.toml:2:9: error: change.service-bts: windows-7 has no such row
      2 | [change.service-bts]
        |         ^
    ");
    insta::assert_snapshot!(said(&format!("{HEAD}expect = \"absent\"\n{HEAD}expect = \"absent\"\n")), @r#"
    mine.toml:9:6: error: a: this id is taken
      9 | id = "a"
        |      ^
    "#);
}

#[test]
fn what_nothing_can_meet_or_miss_is_an_error() {
    let key = |id: &str, path: &str, rest: &str| {
        format!(
            "[[key]]\nid = \"{id}\"\nhive = \"SYSTEM\"\npath = '{path}'\nwhy = \"x\"\nsource = \"a source\"\n{rest}\n"
        )
    };
    let text = [
        key("a", "A", "expect = \"absent\""),
        key(
            "b",
            r"a\b",
            "[key.values]\nx = { REG_DWORD = 1, or = [1], but = [{ REG_DWORD = 1, severity = \"low\", why = \"x\" }] }",
        ),
        key(
            "c",
            "C",
            "[key.values]\nX.REG_SZ = \"1\"\ny = { REG_DWORD = 1, when = { build-at-least = 9, build-below = 9 } }",
        ),
        key("d", "c", "[key.values]\nx.REG_SZ = \"2\"\nY.REG_DWORD = 1"),
        key("e", "E", "each-subkey = {}\nexpect = \"present\""),
        key(
            "F",
            "F",
            "when = { product-type = [\"Server\"] }\n[key.values]\nx = { REG_DWORD = 1, same-as = { row = \"a/x\", in = \"quotes\" } }",
        ),
    ];
    insta::assert_snapshot!(said(&text.concat()), @r#"
    mine.toml:9:6: error: b: cannot exist: a expects A to be absent
      9 | id = "b"
        |      ^
    mine.toml:15:1: error: b/x: an entry of `but` is never reached: its data are accepted
      15 | x = { REG_DWORD = 1, or = [1], but = [{ REG_DWORD = 1, severity = "low", why = "x" }] }
         | ^
    mine.toml:15:1: error: b/x: entry 1 of `or` is never reached: data before it are the same
      15 | x = { REG_DWORD = 1, or = [1], but = [{ REG_DWORD = 1, severity = "low", why = "x" }] }
         | ^
    mine.toml:24:1: error: c/y: never checked: no build is at least 9 and below 9
      24 | y = { REG_DWORD = 1, when = { build-at-least = 9, build-below = 9 } }
         | ^
    mine.toml:32:1: error: d/x: contradicts c/X, which states the same value
      32 | x.REG_SZ = "2"
         | ^
    mine.toml:33:1: error: d/Y: is stated twice: c/y says the same
      33 | Y.REG_DWORD = 1
         | ^
    mine.toml:35:6: error: e: each-subkey expects nothing of the subkeys: it has no values
      35 | id = "e"
         |      ^
    mine.toml:43:6: error: F: an id is made of small letters, digits and single hyphens
      43 | id = "F"
         |      ^
    mine.toml:43:6: error: F: never checked: no Windows has one of ["Server"]; the known ones are WinNT, ServerNT, LanmanNT
      43 | id = "F"
         |      ^
    mine.toml:50:1: error: F/x: same-as names a/x, which is not a row
      50 | x = { REG_DWORD = 1, same-as = { row = "a/x", in = "quotes" } }
         | ^
    "#);
}

#[test]
fn the_program_exits_with_2_where_something_is_wrong() {
    let desk = Desk::with(&[]);
    write(&desk, "good.toml", format!("{HEAD}expect = \"absent\"\n"));
    write(&desk, "bad.toml", "nonsense = 1\n");
    let output = desk.run(&["baseline", "check", "good.toml"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @"good.toml: no errors; keys: 1, values: 0, steps: 0");
    assert_eq!(desk.code(&["baseline", "check", "good.toml", "bad.toml"]), 2);
    assert_eq!(desk.code(&["baseline", "check", "none.toml"]), 2);
}

/// A file may hold anything: what is shown steers no terminal.
#[test]
fn a_hostile_file_is_shown_as_text() {
    let text = "\"\u{1b}[31m\u{202e}\" = 1\n\"\\u001b\" = 2\n";
    let said = said(text);
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    assert!(said.contains("expected non-double-quote"), "{said}");
    let said = super::checking::said("\"\\u001b[31m\\u202e\" = 2\n");
    assert!(said.contains("is not a field of a baseline") && !said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn the_example_in_the_documentation_passes() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/baselines.md")).unwrap();
    let (_, rest) = page.split_once("```toml\nid   = \"house\"").unwrap();
    let example = format!("id = \"house\"{}", rest.split("```").next().unwrap());
    assert!(said(&example).contains("no errors"), "{}", said(&example));
}
