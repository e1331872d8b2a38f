//! Compares hivexregedit with our model of it: every key, value, type, and byte, and whether and where it stops.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::Command;

use hivemend::evidence::Bytes;
use hivemend::examination::Options;
use hivemend::hive::merge::{foresee, merge};
use hivemend::hive::{Hive, Key, Overlay};
use hivemend::reg_file::{self, Dialect, Importer, ReadOptions};
use hivemend::registry::{DataType, RegistryValue};
use hivemend::remediation::{PatchOptions, patch_files};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::is_installed;
use crate::cases::examined;
use crate::{builder, fixture};

const PREFIX: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE";
/// What stands for the prefix in the table.
const SHORT: &str = "{P}";

/// A value in its place: name, type and bytes.
pub(super) type Value = (String, u32, Vec<u8>);

/// Every key by its path as it is spelled, with its values in order.
pub(super) type Tree = Vec<(String, Vec<Value>)>;

fn tree_of(key: &Key<'_, '_>, tree: &mut Tree) {
    let values = key.values().into_iter().map(|value| {
        let value = value.unwrap();
        (value.name, value.value.data_type.0, value.value.bytes)
    });
    tree.push((key.path().to_owned(), values.collect()));
    for subkey in key.subkeys().0 {
        tree_of(&subkey, tree);
    }
}

fn sorted(mut tree: Tree) -> Tree {
    tree.sort();
    tree
}

fn lying(hive: &Hive) -> Tree {
    let (tree, mut found) = (hive.tree(), Tree::new());
    tree_of(&tree.root().unwrap(), &mut found);
    sorted(found)
}

/// What our model makes of the hive; the line where it stops, and whether that is known from the file alone.
pub(super) fn by_the_model(hive: &[u8], file: &[u8], prefix: &str) -> Result<Tree, (usize, bool)> {
    let hive = Hive::from_bytes(Bytes::Read(hive.to_vec())).unwrap().as_it_lies();
    let reading =
        reg_file::parse_with(file, &ReadOptions { importer: Importer::Hivexregedit, ..ReadOptions::default() });
    let mut overlay = Overlay::default();
    let merged = merge(&hive, &mut overlay, &reading, prefix);
    assert!(reading.stop().is_none() || merged.is_err() && reading.effect.operations.is_empty());
    merged.map_err(|stopped| {
        assert!(overlay.is_empty(), "{}", stopped.reason);
        (stopped.line, reading.stop().is_some_and(|stop| stop.line == stopped.line))
    })?;
    let (tree, mut found) = (hive.tree().under(&overlay), Tree::new());
    tree_of(&tree.root().unwrap(), &mut found);
    Ok(sorted(found))
}

/// What hivexregedit makes of it, or what it says where it stops. Then the hive must be as it was.
pub(super) fn by_the_program(hive: &[u8], file: &[u8], prefix: &str, folder: &Path) -> Result<Tree, String> {
    let (merged, text) = (folder.join("hive"), folder.join("file.reg"));
    fs::write(&merged, hive).unwrap();
    fs::write(&text, file).unwrap();
    let run = Command::new("hivexregedit")
        .args(["--merge", "--prefix", prefix])
        .args([&merged, &text])
        .env_remove("PERL_UNICODE")
        .output()
        .unwrap();
    if !run.status.success() {
        assert!(fs::read(&merged).unwrap() == hive, "the hive was written, and yet it stopped");
        return Err(String::from_utf8_lossy(&run.stderr).into_owned());
    }
    Ok(lying(&Hive::open(&merged, false).unwrap().unwrap().as_it_lies()))
}

/// A hive with something for each trap.
fn trapped(minor: u32) -> builder::Hive {
    let mut hive = builder::Hive::new("ROOT");
    hive.minor = minor;
    hive.root.set_sz("", "default").set_dword("Start", 4);
    hive.root.create(r"Select").set_dword("Current", 1);
    let bits = hive.root.create(r"ControlSet001\Services\BITS");
    bits.set_dword("Start", 4).set_sz("Loc\u{212a}", "kelvin").set_sz("Log\u{f4}n", "circumflex");
    bits.set_units(&builder::units("Hid\0den"), 1, b"n\0\0\0").set("empty", 1, &[]).set("odd", 1, b"abc");
    bits.set_sz("\u{e2}\u{82}\u{ac}", "three").set_sz("\u{c9}a", "capital");
    hive.root.create(r"ControlSet001\Services\BITS\Parameters").set_sz("ServiceDll", "x");
    hive.root.create("Gr\u{dc}N").set_dword("a", 1);
    hive.root.create("wor\u{212a}").set_dword("a", 2);
    hive.root.create_child(&builder::units("key\0hidden")).set_dword("a", 3);
    hive.root.create(r"z] ;\q").set_dword("a", 4);
    hive
}

/// Compares both; says where they differ.
fn compare(hive: &builder::Hive, file: &[u8], folder: &Path) -> Result<bool, String> {
    let bytes = hive.to_bytes();
    let (ours, theirs) = (by_the_model(&bytes, file, PREFIX), by_the_program(&bytes, file, PREFIX, folder));
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) if ours == theirs => Ok(true),
        (Ok(ours), Ok(theirs)) => {
            let only = |a: &Tree, b: &Tree| a.iter().filter(|key| !b.contains(key)).cloned().collect::<Vec<_>>();
            Err(format!("ours: {:#?}\ntheirs: {:#?}", only(&ours, &theirs), only(&theirs, &ours)))
        }
        (Err((line, from_file)), Err(said)) => {
            if from_file && !said.contains(&format!("line {line} near")) {
                return Err(format!("ours stops at line {line}, theirs: {said}"));
            }
            if !from_file && said.contains("parse error") {
                return Err(format!("ours stops at line {line} for the hive's sake, theirs: {said}"));
            }
            Ok(false)
        }
        (Ok(_), Err(said)) => Err(format!("theirs stops: {said}")),
        (Err(ours), Ok(_)) => Err(format!("ours stops: {ours:?}")),
    }
}

/// Files that do to a hive what one would not think, with `true` where hivexregedit carries them out to their end. Below
/// the header that stands in most of them.
const BELOW_A_HEADER: &[(&str, bool)] = &[
    // Line joining: any line, comments and key lines, too.
    ("; a comment \\\n[{P}\\Select]\n\"Current\"=dword:00000002\n", false),
    ("; a comment \\\n; goes on\n[{P}\\Select]\n\"Current\"=dword:00000002\n", true),
    ("[{P}\\Sel\\\nect]\n\"Current\"=dword:00000002\n", true),
    ("[{P}\\Select]\n\"a\"=\"one \\\ntwo\"\n", true),
    ("[{P}\\Select]\n\"a\"=\"one \\ \t\r\ntwo\"\r\n\r\n", true),
    ("[{P}\\Select]\n\"a\"=hex:01,\\\n  02,\\\n\n\"b\"=hex:03\n", true),
    ("[{P}\\Select]\n\"a\"=hex:01,\\\r\n  02,\\\r\n  03", true),
    ("[{P}\\Select]\n\"a\"=hex:01,\\", true),
    ("[{P}\\Select]\n\"a\"=dword:0000\\\n0001\r\n", false),
    ("[{P}\\Select]\n\"a\"=dword:0000\\\n0001\n", true),
    ("[{P}\\Select]\n\"a\"=\"x\\\n\\\ny\"\n", true),
    ("[{P}\\Select]\n\"a\"=\"C:\\\\\"\n\"b\"=\"x\\\\\\\n\"\n\n", true),
    // States.
    ("[{P}\\Select]\n[{P}\\Select]\n", false),
    ("[{P}\\Select]\n; ends it\n[{P}\\Select]\n", true),
    ("[{P}\\Select]\n\"a\"=\"1\"\n\n\"b\"=\"2\"\n", false),
    ("\"b\"=\"2\"\n", false),
    ("[{P}\\Select]\nWindows Registry Editor Version 5.00\n", false),
    ("[{P}\\Windows Registry Editor Version 5.00]\n\"a\"=\"1\"\n", false),
    ("[-{P}\\Windows Registry Editor Version 5.00]\nREGEDIT4 [x]\n[{P}\\Select]\n", true),
    (" [{P}\\Select]\n", false),
    ("[{P}\\Select]\n \"a\"=\"1\"\n", false),
    ("[{P}\\Select] ; note\n", false),
    ("[{P}\\Select] \t\x0b\x0c\n\"a\"=\"1\"\n", true),
    ("# note\n", false),
    ("[{P}\\Select]\n\"a\"=\"1\" ; note\n", false),
    ("[{P}\\Select]\n\"a\"=\"1\" ; \"note\"\n", true),
    ("[{P}\\Select]\n\"a\" = \"1\"\n", false),
    ("[{P}\\Select]\n\"a\"= \"1\"\n", false),
    ("[{P}\\Select]\n\"a\"=\"1\" \n", false),
    ("[{P}\\Select]\n@ =\"1\"\n", false),
    ("[{P}\\Select]\n  ; indented\n[-{P}\\Select]\n", true),
    // Greedy patterns.
    ("[{P}\\Select]\n\"Current\"=\"x=-\n", true),
    ("[{P}\\Select]\n\"Current\"=-   \n\"none\"=-\n", true),
    ("[{P}\\Select]\n\"Current\"=- ; note\n", false),
    ("[{P}\\Select]\n\"a\"b\"=\"1\"\n", false),
    ("[{P}\\Select]\n\"a=\"=\"1\"\n\"x\\\"=\"=\"2\"\n", true),
    ("[{P}\\Select]\n\"a\\\"=-\n", false),
    ("[{P}\\z] ;\\q]\n\"a\"=-\n", true),
    ("[{P}\\a]b]\n", true),
    ("[-{P}\\Select]]\n", true),
    // Deletes of keys.
    ("[{P}\\Select]\n[-{P}\\Select]\n", false),
    ("[-{P}\\ControlSet001\\Services]\n[{P}\\ControlSet001\\Services\\BITS]\n", false),
    ("[-{P}\\ControlSet001\\Services]\n[{P}\\ControlSet001\\Services]\n\n[{P}\\ControlSet001\\Services\\bits]\n", true),
    ("[-{P}\\none\\at\\all]\n", true),
    ("[-{P}]\n", false),
    ("[-{P}\\\\\\]\n", false),
    ("[-]\n", false),
    // Data.
    ("[{P}\\Select]\n\"a\"=dword:1\n", false),
    ("[{P}\\Select]\n\"a\"=dword:0000000g\n", false),
    ("[{P}\\Select]\n\"a\"=DWORD:00000001\n", false),
    ("[{P}\\Select]\n\"a\"=hex:zz,g,1\n\"b\"=hex:0x01\n\"c\"=hex:\n\"d\"=hex:,,\n\"e\"=hex:1 2 3\n", true),
    ("[{P}\\Select]\n\"a\"=hex:01 ; note\n", true),
    (
        "[{P}\\Select]\n\"a\"=hex(7):61,00\n\"b\"=hex(100000001):61\n\"c\"=hex(ffffffffffffffff):61\n\"d\"=hex(fffffffffffffffff):6\n",
        true,
    ),
    ("[{P}\\Select]\n\"a\"=hex(2):25,00\n\"b\"=hex(B):01\n\"c\"=hex(000000000000000000000000000002):01\n", true),
    ("[{P}\\Select]\n\"a\"=hex():01\n", false),
    ("[{P}\\Select]\n\"a\"=hex(-1):01\n", false),
    ("[{P}\\Select]\n\"a\"=str:\"x\"\n\"b\"=str(7):\"y\"\n\"c\"=\"\u{e9}\u{20ac}\"\n\"d\"=\"a\\nb\\0c\"\n", true),
    ("[{P}\\Select]\n\"a\"=\"nul\0inside\"\n", true),
    ("[{P}\\Select]\n@=\"default\"\n\"\"=\"again\"\n", true),
    ("[{P}]\n@=-\n\"start\"=-\n", true),
    ("[{P}\\Select]\n\"a\"=\"\"\n\"b\"=\"\\\"\n", false),
    ("[{P}\\Select]\n\"a\"=nothing\n", false),
    ("[{P}\\Select]\n@=\n", false),
    // Names of values.
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"start\"=dword:00000003\n\"START\"=dword:00000002\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"Start\"=dword:00000003\n\"Start\"=-\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"Start\"=-\n\"Start\"=dword:00000003\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"lock\"=-\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"Lock\"=\"plain\"\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"Loc\u{212a}\"=-\n\"Log\u{f4}n\"=-\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"Log\u{f4}n\"=\"twice\"\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"\u{20ac}\"=-\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"Hid\0den\"=-\n", true),
    ("[{P}\\ControlSet001\\Services\\BITS]\n\"hid\"=\"cut\"\n", true),
    ("[{P}\\Select]\n\"c\0ut\"=\"at a NUL\"\n", true),
    // Paths.
    ("[{P}\\none\\at\\all]\n", false),
    ("[{P}\\none]\n\n[{P}\\NONE\\at]\n\n[{P}\\None\\AT\\all]\n", true),
    ("[{P}\\Select\\]\n\"a\"=\"1\"\n", true),
    ("[{P}\\none\\]\n", false),
    ("[{P}\\Select\\\\x]\n\"a\"=\"1\"\n", true),
    ("[{P}\\Select]\n\n[{P}\\Select\\x]\n\n[{P}\\Select\\\\x]\n", false),
    ("[{P}\\\\Select]\n", false),
    ("[{P}\\]\n\"a\"=\"root\"\n", true),
    ("[{P}]\n\"a\"=\"root\"\n", true),
    ("[{P}Select]\n\"a\"=\"no boundary\"\n", true),
    ("[{P}X\\y]\n", false),
    ("[{P}X]\n\n[{P}\\x\\y]\n\"a\"=\"1\"\n", true),
    ("[hkey_local_machine\\software\\SELECT]\n\"a\"=\"1\"\n", true),
    ("[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n", false),
    ("[HKEY_LOCAL_MACHINE]\n\n[HKEY_LOCAL_MACHINE\\SYSTEM]\n\"a\"=\"literally\"\n", true),
    ("[Select]\n\"a\"=\"bare\"\n", true),
    ("[]\n\"a\"=\"root\"\n", true),
    ("[{P}\\CurrentControlSet]\n\n[{P}\\CurrentControlSet\\Services]\n\"a\"=\"1\"\n", true),
    ("[{P}\\CurrentControlSet\\Services]\n", false),
    ("[{P}\\key]\n\"b\"=\"found by what stands before its NUL\"\n", true),
    ("[{P}\\Sel\0ect]\n\"b\"=\"cut\"\n", true),
    // Keys that are alike to Windows and not to hivex.
    ("[{P}\\Gr\u{fc}n]\n\"a\"=\"second\"\n", true),
    ("[{P}\\GR\u{dc}n]\n\"a\"=\"same\"\n", true),
    ("[{P}\\Gr\u{fc}n]\n\n[-{P}\\Gr\u{dc}n]\n[{P}\\GR\u{dc}N]\n\"b\"=\"anew\"\n", true),
    ("[{P}\\Gr\u{fc}n]\n\n[{P}\\Gr\u{fc}n\\x]\n\n[{P}\\GR\u{fc}N\\X]\n\"a\"=\"below the second\"\n", true),
    ("[{P}\\work]\n\"a\"=\"not the Kelvin sign\"\n", true),
    // A stop takes everything back.
    ("[{P}\\Select]\n\"Current\"=dword:00000009\n\n[{P}\\none\\at]\n", false),
    ("[{P}\\none\\at]\n\nnot a line\n", false),
    // Blanks between.
    ("\x0b\n\x0c\n \t \n[{P}\\Select]\n\x0b\n[{P}\\Select]\n", true),
    ("[{P}\\Select]\n\u{a0}\n", false),
];

/// The same for whole files.
const WHOLE: &[(&[u8], bool)] = &[
    (b"", true),
    (b"\n\n", true),
    (b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Select]\n\"a\"=\"no header\"", true),
    (
        b"\xef\xbb\xbfWindows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Select]\n\"a\"=\"1\"\n",
        true,
    ),
    (b"\xef\xbb\xbfREGEDIT4\n", false),
    (b"\xef\xbb\xbf[HKEY_LOCAL_MACHINE\\SOFTWARE\\Select]\n", false),
    (b"\xff\xfeW\0i\0n\0d\0o\0w\0s\0\r\0\n\0", false),
    (b"W\0i\0n\0d\0o\0w\0s\0\r\0\n\0", false),
    (b"\n\0\n\0", false),
    (b"REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Select]\n\"a\"=hex(2):25,61,00\n", true),
    (b" REGEDIT4\n", false),
    (b"Windows Registry Editor Version 5.00\r[HKEY_LOCAL_MACHINE\\SOFTWARE\\none]\r\"a\"=\"1\"\r", true),
    // Latin-1: a name finds itself, and cannot be stored.
    (b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\ControlSet001\\Services\\BITS]\n\"log\xf4n\"=-\n", true),
    (b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\ControlSet001\\Services\\BITS]\n\"\xc9A\"=-\n", true),
    (b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\ControlSet001\\Services\\BITS]\n\"\xe9A\"=-\n", true),
    (b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\gr\xfcn]\n", false),
    (b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Select]\n\"caf\xe9\"=\"1\"\n", false),
    (b"[-HKEY_LOCAL_MACHINE\\SOFTWARE\\gr\xfcn]\n", true),
    (b"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Select]\n\"a\"=\"caf\xe9\"\n", true),
];

#[test]
fn hivexregedit_does_with_nasty_files_what_the_model_says() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let header = |text: &str| format!("Windows Registry Editor Version 5.00\n\n{}", text.replace(SHORT, PREFIX));
    let below = BELOW_A_HEADER.iter().map(|(text, to_its_end)| (header(text).into_bytes(), *to_its_end));
    let whole = WHOLE.iter().map(|(bytes, to_its_end)| (bytes.to_vec(), *to_its_end));
    let mut wrong = Vec::new();
    for (file, to_its_end) in below.chain(whole) {
        for minor in [3, 5] {
            match compare(&trapped(minor), &file, folder.path()) {
                Ok(found) if found == to_its_end => {}
                Ok(found) => wrong.push(format!("{}: to its end: {found}", file.escape_ascii())),
                Err(why) => wrong.push(format!("{}: {why}", file.escape_ascii())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Pieces of lines that mean something to an importer.
const PIECES: [&str; 44] = [
    "[{P}",
    "[-{P}",
    "]",
    "\\Select",
    "\\ControlSet001",
    "\\Services",
    "\\BITS",
    "\\bits",
    "\\Gr\u{fc}n",
    "\\GR\u{dc}N",
    "\\none",
    "\\",
    "\"",
    "\"Start\"=",
    "\"start\"=",
    "@=",
    "\"Loc\u{212a}\"=",
    "\"lock\"=",
    "\"Log\u{f4}n\"=",
    "-",
    "dword:00000003",
    "dword:3",
    "hex:",
    "hex(7):",
    "01,",
    "0",
    "g",
    "\"text\"",
    "\"",
    "=",
    "=-",
    ";",
    " ",
    "\t",
    "\r",
    "\\\\",
    "\\\"",
    "\\\n",
    "\\ \r\n  ",
    "\u{e9}",
    "\0",
    "Windows Registry Editor Version",
    "REGEDIT4",
    "str:",
];

/// Lines that are whole, so that not every file stops at its first.
const LINES: [&str; 26] = [
    "",
    "",
    "",
    "; note",
    "[{P}\\Select]",
    "[{P}\\ControlSet001\\Services\\BITS]",
    "[{P}\\ControlSet001\\Services\\bits\\x]",
    "[{P}\\Gr\u{fc}n]",
    "[{P}\\GR\u{dc}N]",
    "[-{P}\\gr\u{fc}n]",
    "[{P}\\none]",
    "[{P}\\none\\none]",
    "[-{P}\\none]",
    "\"Start\"=dword:00000003",
    "\"START\"=dword:00000002",
    "\"start\"=-",
    "@=-",
    "@=\"\"",
    "\"lock\"=-",
    "\"Loc\u{212a}\"=hex:01",
    "\"a\"=\"b\"",
    "\"a\"=hex(7):61,00,\\\n  00,00",
    "\"\u{e9}\"=\"\u{e9}\"",
    "\"Hid\0den\"=-",
    "[{P}]",
    "; note \\",
];

fn file() -> impl Strategy<Value = String> {
    let noise = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..6).prop_map(|pieces| pieces.concat());
    let line = prop_oneof![60 => prop::sample::select(LINES.to_vec()).prop_map(str::to_owned), 1 => noise];
    // A section in good form, so that many files come to their end.
    let section = prop::collection::vec(prop::sample::select(LINES[13..23].to_vec()), 0..4).prop_flat_map(|values| {
        let key = prop::sample::select(LINES[4..12].to_vec());
        key.prop_map(move |key| format!("{key}\n{}\n", values.join("\n")))
    });
    let part = prop_oneof![1 => line, 6 => section];
    let end = prop::sample::select(vec!["\n", "\n", "\r\n"]);
    (prop::collection::vec(part, 1..7), end).prop_map(|(parts, end)| {
        format!("Windows Registry Editor Version 5.00\n\n{}\n", parts.join("\n"))
            .replace('\n', end)
            .replace(SHORT, PREFIX)
    })
}

/// What stands beside in the hive hinders hivexregedit, or suffers from it.
#[test]
fn what_stands_beside_hinders_hivexregedit_as_the_model_says() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = format!("[{PREFIX}\\Select]\n\"a\"=\"1\"\n");
    let beside = |change: &dyn Fn(&mut builder::Hive)| {
        let mut hive = trapped(5);
        change(&mut hive);
        let found = compare(&hive, file.as_bytes(), folder.path()).unwrap();
        let opened = Hive::from_bytes(Bytes::Read(hive.to_bytes())).unwrap().as_it_lies();
        let options = ReadOptions { importer: Importer::Hivexregedit, ..ReadOptions::default() };
        let reading = reg_file::parse_with(file.as_bytes(), &options);
        let merged = merge(&opened, &mut Overlay::default(), &reading, PREFIX);
        let harm = merged.iter().flatten().flat_map(|merged| &merged.harm).count();
        (found, harm)
    };
    let select = |hive: &mut builder::Hive, name: &[u16], size: usize| {
        hive.root.create("Select").set_units(name, 3, &vec![7; size]);
    };
    assert_eq!(beside(&|_| {}), (true, 0));
    assert_eq!(beside(&|hive| select(hive, &[0xd800], 8)), (false, 0));
    // Its name is cut to that of the value that is set.
    assert_eq!(beside(&|hive| select(hive, &[0x61, 0, 0x62], 8)), (true, 2));
    assert_eq!(beside(&|hive| select(hive, &[0x62, 0, 0x62], 8)), (true, 1));
    assert_eq!(beside(&|hive| select(hive, &[0x62], 16_344)), (true, 0));
    assert_eq!(beside(&|hive| select(hive, &[0x62], 16_345)), (true, 1));
    assert_eq!(beside(&|hive| select(hive, &[0x62], 999_996)), (true, 1));
    assert_eq!(beside(&|hive| select(hive, &[0x62], 999_997)), (false, 0));
    // Keys are looked at one after the other, up to the one that is sought.
    assert_eq!(beside(&|hive| _ = hive.root.create_child(&[0x41, 0xd800])), (false, 0));
    assert_eq!(beside(&|hive| _ = hive.root.create_child(&[0x7a, 0xd800])), (true, 0));
}

/// regedit after hivexregedit: Windows finds the first of two, and leaves the other alone.
#[test]
fn what_windows_edits_after_hivexregedit_is_the_first_of_two() {
    let hive = trapped(5);
    let opened = Hive::from_bytes(Bytes::Read(hive.to_bytes())).unwrap().as_it_lies();
    let file = format!("[{PREFIX}\\Gr\u{fc}n]\n\"a\"=\"1\"\n\"A\"=\"2\"\n");
    let options = ReadOptions { importer: Importer::Hivexregedit, ..ReadOptions::default() };
    let mut overlay = Overlay::default();
    merge(&opened, &mut overlay, &reg_file::parse_with(file.as_bytes(), &options), PREFIX).unwrap();
    let green = |overlay: &Overlay| {
        let (tree, mut found) = (opened.tree().under(overlay), Tree::new());
        tree_of(&tree.root().unwrap(), &mut found);
        found.retain(|(path, _)| path.to_lowercase() == "gr\u{fc}n");
        let short = |(path, values): (String, Vec<Value>)| {
            let values = values.into_iter().map(|(name, _, bytes)| format!("{name}={}", bytes[0]));
            format!("{path}: {}", values.collect::<Vec<_>>().join(" "))
        };
        found.into_iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(green(&overlay), ["Gr\u{dc}N: a=1", "Gr\u{fc}n: a=49 A=50"]);
    let path = |name: &str| vec![name.encode_utf16().collect::<Vec<u16>>()];
    let name = |name: &str| name.encode_utf16().collect::<Vec<u16>>();
    // The first of the keys is the one that was there, for it sorts before.
    overlay.set_value(&path("GR\u{dc}N"), &name("A"), RegistryValue::dword(7));
    assert_eq!(green(&overlay), ["Gr\u{dc}N: a=7", "Gr\u{fc}n: a=49 A=50"]);
    overlay.delete_key(&path("gr\u{fc}n"));
    assert_eq!(green(&overlay), ["Gr\u{fc}n: a=49 A=50"]);
    overlay.delete_value(&path("gr\u{fc}n"), &name("A"));
    assert_eq!(green(&overlay), ["Gr\u{fc}n: A=50"]);
    overlay.set_value(&path("gr\u{fc}n"), &name("b"), RegistryValue::dword(8));
    assert_eq!(green(&overlay), ["Gr\u{fc}n: A=50 b=8"]);
    overlay.delete_key(&path("gr\u{fc}n"));
    assert_eq!(green(&overlay), [""; 0]);
    overlay.create_key(&path("GR\u{dc}N"));
    assert_eq!(green(&overlay), ["GR\u{dc}N: "]);
}

/// What planning asks before it writes an edit for hivexregedit.
#[test]
fn what_hivexregedit_would_do_beside_an_edit_is_foreseen() {
    let mut hive = trapped(5);
    hive.root.create("Big").set_binary("Long", &vec![7; 20_000]).set_dword("Start", 4);
    hive.root.create("Half").set_units(&[0xd800], 3, &[1]).set_dword("Start", 4);
    let opened = Hive::from_bytes(Bytes::Read(hive.to_bytes())).unwrap().as_it_lies();
    let told = |key: &str, name: &str, data: Option<&RegistryValue>| foresee(&opened, key, name, data);
    let three = RegistryValue::dword(3);
    assert_eq!(told("Select", "Current", Some(&three)), None);
    assert_eq!(told("None", "Start", Some(&three)), None);
    assert_eq!(told("Big", "Long", None), None);
    let long = RegistryValue { data_type: DataType::BINARY, bytes: vec![7; 16_345] };
    for (key, name, data, said) in [
        (r"ControlSet001\Services\BITS", "Lock", None, "removes the value \"Loc\u{212a}\""),
        (r"ControlSet001\Services\BITS", "Start", Some(&three), "at its NUL"),
        ("Big", "Start", Some(&three), "the 20000 bytes of the value \"Long\""),
        ("Half", "Start", None, "half a surrogate pair"),
        ("Select", "New", Some(&long), "the 16345 bytes"),
    ] {
        let found = told(key, name, data).unwrap();
        assert!(found.contains(said), "{key} {name}: {found}");
    }
}

/// Our own patches and rollbacks of every fixture, each after the other.
#[test]
fn hivexregedit_does_with_our_patches_what_the_model_says() {
    if !is_installed() {
        return;
    }
    let (folder, mut merged) = (tempfile::tempdir().unwrap(), 0);
    for name in fixture::names().unwrap() {
        let case = fixture::compile(&name).unwrap();
        let Ok(plan) = examined(case.clone(), &Options::default()).plan() else { continue };
        let written = PatchOptions { dialect: Dialect::Hivex, ..PatchOptions::default() };
        for file in patch_files(&plan, &written).unwrap() {
            let (role, hive) = case.hives.iter().find(|(role, _)| file.name.starts_with(*role)).unwrap();
            let (hive, root) = (hive.to_bytes(), fixture::root_of(role));
            let ours = by_the_model(&hive, &file.bytes, &root).unwrap_or_else(|stop| panic!("{name}: {stop:?}"));
            let theirs = by_the_program(&hive, &file.bytes, &root, folder.path()).unwrap();
            assert!(ours == theirs, "{name}: {}", file.name);
            merged += 1;
        }
    }
    assert!(merged > 100, "only {merged} files");
}

#[test]
fn hivexregedit_does_with_random_files_what_the_model_says() {
    if !is_installed() {
        return;
    }
    let cases = std::env::var("HIVEMEND_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let folder = tempfile::tempdir().unwrap();
    let counts = [Cell::new(0), Cell::new(0)];
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&(file(), prop::sample::select(vec![3_u32, 5])), |(file, minor)| {
        let to_its_end = compare(&trapped(minor), file.as_bytes(), folder.path()).map_err(TestCaseError::fail)?;
        counts[usize::from(to_its_end)].update(|count| count + 1);
        Ok(())
    });
    outcome.unwrap();
    let [stopped, ended] = counts.map(Cell::into_inner);
    assert!(ended > cases / 5 && stopped > cases / 20, "{ended} came to their end, {stopped} stopped");
}
