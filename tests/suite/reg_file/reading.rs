//! Reading that the cases do not cover: encodings, and the places of lines.

use hivemend::reg_file::{self, Encoding, Operation, Reading, Verdict, Version};

const HEAD: &str = "Windows Registry Editor Version 5.00\n[HKEY_USERS\\k]\n";

/// Line, column and name of each diagnostic.
fn remarks(reading: &Reading) -> Vec<String> {
    reading.diagnostics.iter().map(|found| format!("{}:{} {}", found.line, found.column, found.code.id())).collect()
}

fn remarks_of(lines: &str) -> Vec<String> {
    remarks(&reg_file::parse_text(&format!("{HEAD}{lines}")))
}

/// The data of every value that is set.
fn data(reading: &Reading) -> Vec<Vec<u8>> {
    let operations = reading.effect.operations.iter().map(|entry| &entry.operation);
    let data = operations.filter_map(|operation| match operation {
        Operation::SetValue { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    data.collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn nothing_is_imported_without_the_exact_header() {
    for header in [" Windows Registry Editor Version 5.00 ", "", "\n", "; c\n", "REGEDIT4 ", "\u{feff}REGEDIT4"] {
        let reading = reg_file::parse_text(&format!("{header}\n[HKEY_USERS\\k]\n@=-\n"));
        assert_eq!((reading.version, reading.verdict()), (None, Verdict::Reject), "{header:?}");
        assert_eq!(reading.effect.operations, [], "{header:?}");
    }
}

#[test]
fn regedit4_texts_in_hex_are_widened_and_ended() {
    let reading = reg_file::parse(b"REGEDIT4\r\n[HKEY_USERS\\k]\r\n\"a\"=hex(2):25,61\r\n\"b\"=hex:25\r\n");
    assert_eq!((reading.encoding, reading.version), (Encoding::EightBit, Some(Version::Regedit4)));
    assert_eq!(data(&reading), [b"%\0a\0\0\0".to_vec(), b"%".to_vec()]);
    assert_eq!(remarks(&reading), ["3:12 terminator-added"]);
}

#[test]
fn a_code_page_is_a_guess() {
    let reading = reg_file::parse(b"REGEDIT4\n; caf\xe9\n[HKEY_USERS\\k]\n\"\x80\"=\"x\"\n\"h\"=hex(1):e9,00\n");
    assert_eq!(remarks(&reading), ["4:2 code-page-dependent", "5:12 code-page-dependent"]);
    assert!(!reading.is_established());
}

#[test]
fn where_header_and_encoding_disagree_texts_in_hex_are_in_doubt() {
    let text = "\u{feff}REGEDIT4\r\n[HKEY_USERS\\k]\r\n\"a\"=\"x\"\r\n\"b\"=hex(2):25,00\r\n";
    let reading = reg_file::parse(&utf16(text));
    assert_eq!(remarks(&reading), ["1:1 header-not-for-encoding", "4:12 ambiguous-hex-text"]);
}

#[test]
fn a_nul_hides_the_rest_of_the_text() {
    let reading = reg_file::parse(&utf16(&format!("\u{feff}{HEAD}@=-\0\n\"a\"=-\n")));
    assert_eq!(remarks(&reading), ["3:4 nul-in-text"]);
    assert_eq!(reading.effect.operations.len(), 2);
}

#[test]
fn a_file_cut_within_a_unit_is_rejected() {
    let mut bytes = utf16(&format!("\u{feff}{HEAD}@=-"));
    bytes.push(b'x');
    assert_eq!(remarks(&reg_file::parse(&bytes)), ["1:1 half-unit"]);
    assert_eq!(remarks(&reg_file::parse(b"\xff\xfe")), ["1:1 empty-file"]);
}

#[test]
fn nothing_after_the_delete_of_a_root_is_done() {
    let reading = reg_file::parse_text(&format!("{HEAD}[-HKEY_USERS]\n[HKEY_USERS\\k]\n@=-\n"));
    assert_eq!(reading.effect.operations.len(), 1);
}

#[test]
fn an_ignored_key_line_leaves_the_key_before_open() {
    let reading = reg_file::parse_text(&format!("{HEAD}[ HKEY_USERS\\other]\n@=-\n"));
    assert_eq!(reading.effect.operations[1].operation.key().to_string(), "HKEY_USERS\\k");
    assert_eq!(reading.verdict(), Verdict::Reject);
}

#[test]
fn diagnostics_point_at_the_place() {
    assert_eq!(remarks_of("  \"a\" \"x\"\n"), ["3:7 missing-equals"]);
    assert_eq!(remarks_of("\"a\"=\"x\"  # c\n"), ["3:8 text-after-data"]);
    assert_eq!(remarks_of("\"a\"=  DWORD:1  \n"), ["3:7 unknown-data"]);
    assert_eq!(remarks_of("\"a\\n\"=\"\\t\\t\"\n"), ["3:3 unknown-escape", "3:8 unknown-escape"]);
    assert_eq!(remarks_of("\"a\"=-x\n"), ["3:6 text-after-delete"]);
    assert_eq!(remarks_of("\"a\"=hex(0x2):01\n"), ["3:9 bad-type-number"]);
    assert_eq!(remarks_of("\"a\"=hex():01\n"), ["3:9 bad-type-number"]);
    assert_eq!(remarks_of("\"a\"=hex:01,02 03\n"), ["3:14 bad-hex"]);
    assert_eq!(remarks_of("\"a\"=-\n\"A\"=-\n"), ["4:1 duplicate-value"]);
    assert_eq!(remarks_of("; x\u{202e}y\n"), ["3:4 hidden-character"]);
    assert_eq!(remarks_of("text\n"), ["3:1 unknown-line"]);
}

#[test]
fn comments_on_lines_of_their_own_are_kept_wherever_they_stand() {
    let text = format!("{HEAD};one\n\"a\"=hex:01,\\\n ; two\n  02 ; not one of them\n#  three=\n");
    let reading = reg_file::parse_text(&text);
    assert_eq!(reading.verdict(), Verdict::Accept);
    let comments = reading.effect.comments.iter();
    let comments: Vec<_> = comments.map(|c| (c.line, String::from_utf16_lossy(&c.text), c.before)).collect();
    let expected = [(3, "one", 1), (5, "two", 1), (7, " three=", 2)];
    assert_eq!(comments, expected.map(|(line, text, before)| (line, text.to_string(), before)));
    assert_eq!(data(&reading), [[1, 2]]);
}
