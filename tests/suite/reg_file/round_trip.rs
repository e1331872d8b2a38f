//! Any contents of a hive are the same after writing and reading, or were refused.

use std::collections::BTreeSet;

use hivemend::reg_file::{self, CodePage, Dialect, Document, Importer, KeyPath, Operation, ReadOptions, Verdict};
use proptest::prelude::*;

/// Units that mean something to somebody, and any others.
fn unit() -> impl Strategy<Value = u16> {
    let pitfalls = "\r\n\0\\\u{85}\u{feff}\u{202e}\u{fdd0}".encode_utf16().chain([0xd83d, 0xde00]);
    prop_oneof![6 => prop::sample::select(pitfalls.collect::<Vec<_>>()), 3 => 0x20..0x7f_u16, 1 => any::<u16>()]
}

/// A name that may well be refused, or, more often, one full of what means something elsewhere in the format.
pub(crate) fn name() -> impl Strategy<Value = Vec<u16>> {
    let hostile = prop::collection::vec(unit(), 0..12);
    let tricky = "[\"\\\\\\[\\]=;#@,: \taAéÉ😀-]{0,12}".prop_map(|text| text.encode_utf16().collect());
    let plain = "[a-z ]{1,30}".prop_map(|text| text.encode_utf16().collect());
    prop_oneof![1 => hostile, 3 => tricky, 3 => plain]
}

fn key() -> impl Strategy<Value = KeyPath> {
    prop::collection::vec(name(), 0..4).prop_map(|names| {
        let start = ["HKEY_LOCAL_MACHINE", "SOFTWARE"].map(|name| name.encode_utf16().collect());
        KeyPath::from_names(start.into_iter().chain(names))
    })
}

pub(crate) fn data() -> impl Strategy<Value = (u32, Vec<u8>)> {
    let text = prop::collection::vec(unit(), 0..40).prop_map(|mut units| {
        units.push(0);
        units.into_iter().flat_map(u16::to_le_bytes).collect()
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..120);
    (prop_oneof![6 => 0..12_u32, 1 => any::<u32>()], prop_oneof![text, bytes])
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        1 => key().prop_map(|key| Operation::CreateKey { key }),
        1 => key().prop_map(|key| Operation::DeleteKey { key }),
        1 => (key(), name()).prop_map(|(key, name)| Operation::DeleteValue { key, name }),
        5 => (key(), name(), data())
            .prop_map(|(key, name, (data_type, bytes))| Operation::SetValue { key, name, data_type, bytes }),
    ]
}

/// Version 5.00, REGEDIT4 in any code page, and hivexregedit's.
fn dialect() -> impl Strategy<Value = Dialect> {
    let page = prop::sample::select(CodePage::all().collect::<Vec<_>>());
    prop_oneof![1 => Just(Dialect::Regedit5), 1 => Just(Dialect::Hivex), 2 => page.prop_map(Dialect::Regedit4)]
}

/// Operations that a dialect cannot say are as likely as not; in a code page most are, but for what it has.
fn said_in(dialect: Dialect) -> impl Strategy<Value = (Dialect, Vec<Operation>)> {
    let letters = match dialect.code_page() {
        Some(page) => page.decode(&(1..=u8::MAX).collect::<Vec<_>>()),
        None => "aé😀".encode_utf16().collect(),
    };
    let letters: Vec<u16> = letters.into_iter().filter(|&unit| unit != 0xfffd).collect();
    let text = || prop::collection::vec(prop::sample::select(letters.clone()), 0..20);
    let set = (text(), text(), prop::sample::select(vec![1_u32, 2, 7, 3]), any::<bool>());
    let set = set.prop_map(|(name, mut data, data_type, ends)| {
        data.extend(ends.then_some(0));
        let bytes = data.into_iter().flat_map(u16::to_le_bytes).collect();
        Operation::SetValue { key: KeyPath::from(r"HKEY_USERS\a"), name, data_type, bytes }
    });
    (Just(dialect), prop::collection::vec(prop_oneof![operation(), set], 1..6))
}

/// Reads what was written, as the importer it was written for would.
fn read(written: &[u8], dialect: Dialect) -> reg_file::Reading {
    let options = ReadOptions { importer: dialect.importer(), code_page: dialect.code_page() };
    reg_file::parse_with(written, &options)
}

/// The operations with the keys that sections open on the way left out.
fn substance(operations: impl IntoIterator<Item = Operation>) -> Vec<Operation> {
    operations.into_iter().filter(|operation| !matches!(operation, Operation::CreateKey { .. })).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back((dialect, operations) in dialect().prop_flat_map(said_in)) {
        let mut document = Document::default();
        operations.iter().filter(|operation| reg_file::check_operation(operation, dialect).is_ok()).for_each(
            |operation| document.push(operation.clone()),
        );
        let Ok(written) = reg_file::emit(&document, dialect) else { return Ok(()) };
        let reading = read(&written, dialect);
        prop_assert_ne!(reading.verdict(), Verdict::Reject, "{:?}", reading.diagnostics);
        let effect = substance(reading.effect.operations.iter().map(|entry| entry.operation.clone()));
        let made: BTreeSet<_> = reading.effect.operations.iter().map(|entry| entry.operation.key().clone()).collect();
        let again = reading.into_document().unwrap();
        prop_assert_eq!(reg_file::emit(&again, dialect).unwrap(), written);

        let asked = substance(document.operations.into_iter().map(|entry| entry.operation));
        prop_assert_eq!(&substance(again.operations.into_iter().map(|entry| entry.operation)), &asked);
        for operation in &operations {
            if reg_file::check_operation(operation, dialect).is_ok() {
                prop_assert!(made.contains(operation.key()));
            }
        }
        // What regedit is said to restore, it stores; what it is said to alter differs or is unsure.
        for (asked, stored) in asked.iter().zip(&effect) {
            if let Operation::SetValue { data_type, bytes, .. } = asked
                && reg_file::regedit_restores(*data_type, bytes).is_ok()
            {
                prop_assert_eq!(asked, stored);
            }
        }
    }

    #[test]
    fn a_single_value_is_refused_only_for_its_name_or_key(key in key(), name in name(), (data_type, bytes) in data()) {
        let by_name = Operation::DeleteValue { key: key.clone(), name: name.clone() };
        let set = Operation::SetValue { key, name, data_type, bytes };
        for dialect in [Dialect::Regedit5, Dialect::Hivex] {
            let expected = reg_file::check_operation(&by_name, dialect);
            prop_assert_eq!(reg_file::check_operation(&set, dialect), expected);
        }
    }

    /// Hostile text: no panic, every diagnostic within the text, a document only where there is no error.
    #[test]
    fn any_text_is_read(lines in prop::collection::vec(line(), 0..12), end in prop::sample::select(vec!["\n", "\r\n", "\r"])) {
        let text: Vec<u16> = lines.join(&end.encode_utf16().collect::<Vec<_>>()[..]);
        let header = "\u{feff}Windows Registry Editor Version 5.00\n".encode_utf16();
        let bytes: Vec<u8> = header.chain(text).flat_map(u16::to_le_bytes).collect();
        let reading = reg_file::parse(&bytes);
        for found in &reading.diagnostics {
            prop_assert!(found.line >= 1 && found.column >= 1 && found.column <= bytes.len());
        }
        prop_assert_eq!(reading.verdict() == Verdict::Reject, reading.clone().into_document().is_err());
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        reg_file::parse(&bytes);
        reg_file::parse(&[b"REGEDIT4\n[HKEY_USERS\\a]\n".as_slice(), &bytes].concat());
        reg_file::parse_text(&String::from_utf8_lossy(&bytes));
        let options = ReadOptions { importer: Importer::Hivexregedit, ..ReadOptions::default() };
        reg_file::parse_with(&bytes, &options);
        let reading = reg_file::parse_with(&[b"[HKEY_USERS\\a]\n\"".as_slice(), &bytes].concat(), &options);
        prop_assert!(reading.stop().is_none() || reading.effect.operations.is_empty());
    }
}

/// A line that is nearly one of the known kinds.
fn line() -> impl Strategy<Value = Vec<u16>> {
    let starts = [
        "",
        "[",
        "[-",
        "[HKEY_USERS\\",
        "[-hkey_users\\",
        "\"",
        "@=",
        "\"a\"=",
        "\"a\"=hex:",
        "\"a\"=hex(2):01,\\",
        "  ",
    ];
    let ends = ["", "]", "\"", "\\", ",\\", "-", "dword:1", "00,01,", " ; c"];
    let piece = |of: &'static [&'static str]| prop::sample::select(of).prop_map(|text| text.encode_utf16().collect());
    let (starts, ends) = (piece(&*starts.to_vec().leak()), piece(&*ends.to_vec().leak()));
    (starts, name(), ends)
        .prop_map(|(start, middle, end): (Vec<u16>, Vec<u16>, Vec<u16>)| [start, middle, end].concat())
}
