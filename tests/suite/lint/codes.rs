//! Every code with a text that causes it: the table in `docs/reg-file.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use hivemend::lint::{LintOptions, LintedFile, render_json};
use hivemend::reg_file::{self, Code, CodePage, Importer, ReadOptions};

use super::utf16;

/// What triggers a code.
enum Example {
    /// These lines below a good header and an open key.
    Below(&'static str),
    /// A line below them with so many letters in it.
    Long(&'static str, usize, &'static str),
    /// The same in UTF-16 units, for what is no text.
    UnitsBelow(&'static [u16]),
    /// This whole text.
    Whole(&'static str),
    /// These bytes.
    Bytes(&'static [u8]),
    /// These bytes, on a machine with that code page.
    InPage(u16, &'static [u8]),
    /// These bytes below a good header and an open key, as hivexregedit reads them.
    Hivex(&'static [u8]),
    /// This whole file, as hivexregedit reads it.
    WholeHivex(&'static [u8]),
    /// So many values below a good header and an open key. Only `lint` forgets names.
    Many(usize),
    /// This text in UTF-16, with another code that comes with it.
    Utf16(&'static str, Option<Code>),
}
use Example::{Below, Bytes, Hivex, InPage, Long, Many, UnitsBelow, Utf16, Whole, WholeHivex};

const HEAD: &str = "Windows Registry Editor Version 5.00\n[HKEY_USERS\\k]\n";

fn example(code: Code) -> Option<Example> {
    Some(match code {
        Code::EmptyFile => Bytes(b""),
        Code::Utf16WithoutMark => Bytes(b"W\0i\0n\0"),
        Code::Utf16BigEndian => Bytes(b"\xfe\xff\0W\0i\0n"),
        Code::Utf8Mark => Bytes(b"\xef\xbb\xbfWin"),
        Code::TwoMarks => Utf16("\u{feff}Windows Registry Editor Version 5.00\n", None),
        Code::HalfUnit => Bytes(b"\xff\xfeW\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0i\0s\0t\0r\0y\0 \0E\0d\0i\0t\0o\0r\0 \0V\0e\0r\0s\0i\0o\0n\0 \x005\0.\x000\x000\0\n"),
        Code::NulInText => Below("@=\"1\"\0"),
        Code::EightBitVersion5 => Bytes(b"Windows Registry Editor Version 5.00\n"),
        Code::HeaderNotForEncoding => Utf16("REGEDIT4\n", None),
        Code::CodePageDependent => Bytes(b"REGEDIT4\n[HKEY_USERS\\caf\xe9]\n"),
        Code::NotInCodePage => InPage(932, b"REGEDIT4\n[HKEY_USERS\\caf\xff]\n"),
        Code::HiddenCharacter => Below("\"Sta\u{200b}rt\"=dword:4"),
        Code::UnpairedSurrogate => UnitsBelow(&[0x3b, 0xd800]),
        Code::BadHeader => Whole("Windows Registry Editor Version 5.0\n"),
        Code::HeaderNotImported => Whole("REGEDIT5\n"),
        Code::Windows31 => Whole("REGEDIT\n"),
        Code::BlankBeforeKey => Below("[ HKEY_USERS\\a]"),
        Code::MissingBracket => Below("[HKEY_USERS\\a"),
        Code::TextAfterBracket => Below("[HKEY_USERS\\a] ; a note"),
        Code::CommentInKey => Below("[HKEY_USERS\\a] ; see [b]"),
        Code::UnknownRoot => Below("[HKEY_LOCAL_MASHINE\\a]"),
        Code::AbbreviatedRoot => Below("[HKLM\\a]"),
        Code::KeyNameTooLong => Long("[HKEY_USERS\\", 256, "]"),
        Code::ValueNameTooLong => Long("\"", 16_384, "\"=dword:1"),
        Code::EmptyKeyName => Below("[HKEY_USERS\\a\\\\b]"),
        Code::DeleteRoot => Below("[-HKEY_USERS]"),
        Code::CurrentControlSet => Below("[HKEY_LOCAL_MACHINE\\OFFLINE\\CurrentControlSet\\Services]"),
        Code::DeleteUnknownRoot => Below("[-HKLM\\a]"),
        Code::UnknownLine => Below("a=\"1\""),
        Code::SmartQuote => Below("“a”=“1”"),
        Code::SmartQuoteInName => Below("\"the “a”\"=\"1\""),
        Code::NoOpenKey => Below("[-HKEY_USERS\\a]\n\"a\"=\"1\""),
        Code::MissingEquals => Below("\"a\" \"1\""),
        Code::UnclosedQuote => Below("\"a\"=\"1"),
        Code::StringContinued => Below("\"a\"=\"1\\"),
        Code::NulEscape => Below("\"a\"=\"1\\0\""),
        Code::UnknownEscape => Below("\"a\"=\"C:\\temp\""),
        Code::TextAfterDelete => Below("\"a\"=- # gone"),
        Code::TextAfterData => Below("\"a\"=\"1\" # note"),
        Code::UnknownData => Below("\"a\"=DWORD:1"),
        Code::BadTypeNumber => Below("\"a\"=hex(0x2):01"),
        Code::BadDword => Below("\"a\"=dword:0x1"),
        Code::BadHex => Below("\"a\"=hex:01,,02"),
        Code::HexByteForm => Below("\"a\"=hex:1,2"),
        Code::TrailingComma => Below("\"a\"=hex:01,"),
        Code::TextAfterBackslash => Below("\"a\"=hex:01,\\ 02"),
        Code::ContinuationAtEnd => Below("\"a\"=hex:01,\\"),
        Code::KeySwallowed => Below("\"a\"=hex:01,\\\n[HKEY_USERS\\b]"),
        Code::ValueSwallowed => Below("\"a\"=hex:01,\\\n\"b\"=\"1\""),
        Code::BadContinuation => Below("\"a\"=hex:01,\\\n# a note"),
        Code::AmbiguousHexText => {
            Utf16("REGEDIT4\n[HKEY_USERS\\k]\n\"a\"=hex(2):25,00\n", Some(Code::HeaderNotForEncoding))
        }
        Code::TerminatorAdded => Below("\"a\"=hex(1):41,00"),
        Code::OddText => Below("\"a\"=hex(1):41"),
        Code::NamesForgotten => Many(1 << 18),
        Code::DuplicateValue => Below("\"a\"=\"1\"\n\"A\"=\"2\""),
        Code::HivexUtf16 => WholeHivex(b"\xff\xfeW\0i\0n\0"),
        Code::HivexUnexpectedText => Hivex(b" \"a\"=\"1\""),
        Code::HivexNoBlankLine => Hivex(b"[HKEY_USERS\\b]"),
        Code::HivexBadValue => Hivex(b"\"a\"=dword:1"),
        Code::HivexNameNotUtf8 => Hivex(b"\"caf\xe9\"=\"1\""),
        Code::HivexLineJoined => Hivex(b"; in C:\\\n\"a\"=\"1\""),
        Code::HivexLineSkipped => Hivex(b"\n[HKEY_USERS\\Windows Registry Editor Version]"),
        Code::HivexSetWins => Hivex(b"\"a\"=\"1\"\n\"A\"=-"),
        Code::HivexStoredTwice => Hivex(b"\"a\"=\"1\"\n\"A\"=\"2\""),
        Code::HivexDeleteMisread => Hivex(b"\"a\"=\"x=-"),
        Code::HivexTextIgnored => Hivex(b"\"a\"=\"1\" ; \"b\""),
        Code::HivexTextBeyondAscii => Hivex("\"a\"=\"é\"".as_bytes()),
        Code::HivexNameBeyondAscii => Hivex("\"é\"=hex:01".as_bytes()),
        Code::HivexBadHex => Hivex(b"\"a\"=hex:0x01"),
        Code::HivexRegedit4Text => WholeHivex(b"REGEDIT4\n\n[HKEY_USERS\\k]\n\"a\"=hex(2):25,00\n"),
        Code::HivexTypeNumber => Hivex(b"\"a\"=hex(100000001):01"),
        Code::HivexEmptyName => Hivex(b"\n[HKEY_USERS\\a\\\\b]"),
        Code::HivexNul => Hivex(b"\"a\0b\"=\"1\""),
        _ => return None,
    })
}

fn bytes(example: &Example) -> Vec<u8> {
    match example {
        Below(lines) => utf16(&format!("\u{feff}{HEAD}{lines}\n")),
        Long(before, count, after) => utf16(&format!("\u{feff}{HEAD}{before}{}{after}\n", "k".repeat(*count))),
        UnitsBelow(units) => {
            let units = units.iter().flat_map(|unit| unit.to_le_bytes());
            utf16(&format!("\u{feff}{HEAD}")).into_iter().chain(units).collect()
        }
        Many(count) => {
            let lines = (0..*count).fold(String::new(), |lines, number| lines + &format!("\"{number:x}\"=-\n"));
            utf16(&format!("\u{feff}{HEAD}{lines}"))
        }
        Whole(text) => text.as_bytes().to_vec(),
        Bytes(bytes) | WholeHivex(bytes) | InPage(_, bytes) => bytes.to_vec(),
        Utf16(text, _) => utf16(&format!("\u{feff}{text}")),
        Hivex(lines) => [HEAD.as_bytes(), lines, b"\n"].concat(),
    }
}

#[test]
fn every_code_has_an_example_that_triggers_it_and_nothing_else() {
    for &code in Code::ALL {
        let example = example(code).unwrap_or_else(|| panic!("{} has no example", code.id()));
        let mut expected = BTreeSet::from([code.id()]);
        if let Utf16(_, Some(companion)) = example {
            expected.insert(companion.id());
        }
        // A continuation has no end only at the end of the text.
        let mut bytes = bytes(&example);
        if code == Code::ContinuationAtEnd {
            bytes.truncate(bytes.len() - 2);
        }
        let code_page = match example {
            InPage(number, _) => Some(CodePage::new(number).unwrap()),
            _ => None,
        };
        let importer = match example {
            Hivex(_) | WholeHivex(_) => Importer::Hivexregedit,
            _ => Importer::Regedit,
        };
        if let Many(_) = example {
            let lint = LintOptions { importer: Some(importer), ..LintOptions::default() };
            let file = LintedFile::new("a.reg", &bytes, &lint).unwrap();
            let mut report = Vec::new();
            render_json(&[file], &mut report).unwrap();
            let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
            let found = report["files"][0]["diagnostics"].as_array().unwrap();
            assert_eq!(found.iter().map(|found| found["code"].as_str().unwrap()).collect::<BTreeSet<_>>(), expected);
            continue;
        }
        let found = reg_file::parse_with(&bytes, &ReadOptions { code_page, importer }).diagnostics;
        assert!(found.iter().all(|found| found.importers == importer.into()));
        assert_eq!(found.iter().map(|found| found.code.id()).collect::<BTreeSet<_>>(), expected);
    }
}

/// An example as the table shows it: lines joined by arrows, what does not show as an escape, bytes in hexadecimal.
fn shown(example: &Example) -> String {
    let text = |text: &str| {
        let lines: Vec<String> = text
            .trim_end_matches('\n')
            .split('\n')
            .map(|line| hivemend::report::escape::escape(line).replace('|', "\\|"))
            .map(|line| format!("`{line}`"))
            .collect();
        lines.join(" ⏎ ")
    };
    match example {
        Below(lines) => text(lines),
        Long(before, count, after) => format!("`{before}kkk…k{after}`, {count} letters k"),
        Many(count) => format!("`\"0\"=-` ⏎ `\"1\"=-` ⏎ …, {count} values"),
        UnitsBelow(units) => {
            let character = |character: Result<char, std::char::DecodeUtf16Error>| match character {
                Ok(character) => character.to_string(),
                Err(unpaired) => format!("\\u{{{:x}}}", unpaired.unpaired_surrogate()),
            };
            format!("`{}`", char::decode_utf16(units.iter().copied()).map(character).collect::<String>())
        }
        Whole(whole) => format!("whole file: {}", text(whole)),
        Utf16(whole, _) => format!("whole file in UTF-16 with its mark: {}", text(whole)),
        Hivex(lines) => match str::from_utf8(lines) {
            Ok(lines) => text(lines),
            Err(_) => format!("`{}`", lines.escape_ascii()),
        },
        Bytes([]) => "no bytes at all".to_owned(),
        Bytes(bytes) | WholeHivex(bytes) => format!("whole file: `{}`", bytes.escape_ascii()),
        InPage(number, bytes) => format!("whole file, `--code-page {number}`: `{}`", bytes.escape_ascii()),
    }
}

#[test]
fn the_documentation_has_every_code() {
    const COMMAND: &str = "UPDATE_DOCS=1 cargo test --test suite the_documentation_has_every_code";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reg-file.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- codes -->\n", "<!-- end -->");
    let (before, rest) = page.split_once(begin).expect("the mark where the table begins");
    let (old, after) = rest.split_once(end).expect("the mark where it ends");
    let mut table = String::from("| code | severity | what it means | known for Windows | example |\n");
    table.push_str("| --- | --- | --- | --- | --- |\n");
    for &code in Code::ALL {
        let example = example(code).map(|example| shown(&example)).unwrap_or_default();
        let known = if code.is_established() { "yes" } else { "no" };
        let message = code.message().replace('|', "\\|");
        writeln!(table, "| `{}` | {} | {message} | {known} | {example} |", code.id(), code.severity().id()).unwrap();
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(old, table, "docs/reg-file.md is stale; refresh it with: {COMMAND}");
    }
}
