//! The text of one value, `"name"=data`, wrapped as regedit wraps it.

use super::dialect::Dialect;
use super::legible::is_legible;
use super::quoted;
use super::text_data::is_text;

/// A line of bytes ends as soon as it has this length, in UTF-16 units without its backslash. This reproduces 929
/// wrapped values of 163 public exports byte for byte.
const WRAP_COLUMN: usize = 77;
/// The start of a continuation line.
const INDENT: &str = "  ";

const REG_SZ: u32 = 1;
const REG_BINARY: u32 = 3;
const REG_DWORD: u32 = 4;

/// Writes the name and the equals sign. Malformed names were refused before.
pub(super) fn write_name(text: &mut String, name: &[u16]) {
    if name.is_empty() {
        text.push('@');
    } else {
        text.push_str(&quoted::write(&String::from_utf16_lossy(name)));
    }
    text.push('=');
}

/// Writes the data of a value after its name.
pub(super) fn write_data(text: &mut String, name: &[u16], data_type: u32, bytes: &[u8], dialect: Dialect) {
    if let (REG_DWORD, &[a, b, c, d]) = (data_type, bytes) {
        text.push_str("dword:");
        for byte in [d, c, b, a] {
            push_byte(text, byte);
        }
        return;
    }
    if data_type == REG_SZ
        && let Some(data) = plain_text(bytes, dialect)
    {
        text.push_str(&quoted::write(&data));
        return;
    }
    let tag = match data_type {
        REG_BINARY => "hex:".to_string(),
        other => format!("hex({other:x}):"),
    };
    text.push_str(&tag);
    let mut line = String::new();
    write_name(&mut line, name);
    let column = line.encode_utf16().count().saturating_add(tag.len());
    if dialect.code_page().is_some() && is_text(data_type) {
        // The page has every character, because the value was checked before. regedit widens the bytes again.
        write_bytes(text, &dialect.encode_part(&String::from_utf16_lossy(&units(bytes))), column, dialect.line_end());
    } else {
        write_bytes(text, bytes, column, dialect.line_end());
    }
}

/// Writes bytes in hex from a column on. The last byte never ends a line, because no comma follows.
fn write_bytes(text: &mut String, bytes: &[u8], mut column: usize, line_end: &str) {
    let Some((last, others)) = bytes.split_last() else { return };
    for byte in others {
        push_byte(text, *byte);
        text.push(',');
        column = column.saturating_add(3);
        if column >= WRAP_COLUMN {
            text.push('\\');
            text.push_str(line_end);
            text.push_str(INDENT);
            column = INDENT.len();
        }
    }
    push_byte(text, *last);
}

fn push_byte(text: &mut String, byte: u8) {
    let digits = [byte >> 4, byte & 0xf];
    text.extend(digits.into_iter().filter_map(|digit| char::from_digit(u32::from(digit), 16)));
}

/// Returns the text of a REG_SZ that quotes can express without loss and that readers see as it is: whole units, and
/// one NUL, at the end.
fn plain_text(bytes: &[u8], dialect: Dialect) -> Option<String> {
    let units = units(bytes);
    let (0, units) = units.split_last().filter(|_| bytes.len().is_multiple_of(2))? else { return None };
    let text = String::from_utf16(units).ok()?;
    text.chars().all(|character| is_legible(character) && dialect.quotes(character)).then_some(text)
}

/// Returns the whole UTF-16 units of data.
fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|&unit| u16::from_le_bytes(unit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg_file::CodePage;

    fn value(name: &str, data_type: u32, bytes: &[u8], dialect: Dialect) -> String {
        let name: Vec<u16> = name.encode_utf16().collect();
        let mut text = String::new();
        write_name(&mut text, &name);
        write_data(&mut text, &name, data_type, bytes, dialect);
        text
    }

    #[test]
    fn an_empty_text_and_no_data_are_two_things() {
        assert_eq!(value("", 1, &[0, 0], Dialect::Regedit5), "@=\"\"");
        assert_eq!(value("", 1, &[], Dialect::Regedit5), "@=hex(1):");
        assert_eq!(value("", 1, &[0, 0, 0, 0], Dialect::Regedit5), "@=hex(1):00,00,00,00");
    }

    #[test]
    fn only_regedit_reads_letters_beyond_ascii_in_quotes() {
        let bytes = [0xe9, 0, 0, 0];
        assert_eq!(value("é", 1, &bytes, Dialect::Regedit5), "\"é\"=\"é\"");
        assert_eq!(value("é", 1, &bytes, Dialect::Hivex), "\"é\"=hex(1):e9,00,00,00");
    }

    #[test]
    fn regedit4_has_one_byte_per_character_of_a_text_in_hex() {
        let regedit4 = |number| Dialect::Regedit4(CodePage::new(number).unwrap());
        assert_eq!(value("a", 2, b"%\0a\0\0\0", regedit4(1252)), "\"a\"=hex(2):25,61,00");
        assert_eq!(value("a", 3, b"%\0", regedit4(1252)), "\"a\"=hex:25,00");
        assert_eq!(value("a", 2, b"\xac\x20\0\0", regedit4(1252)), "\"a\"=hex(2):80,00");
    }

    #[test]
    fn regedit4_quotes_what_no_importer_can_misread() {
        let regedit4 = |number| Dialect::Regedit4(CodePage::new(number).unwrap());
        assert_eq!(value("a", 1, b"\xe9\0\0\0", regedit4(1252)), "\"a\"=\"é\"");
        assert_eq!(value("a", 1, b"a\0\n\0\0\0", regedit4(1252)), "\"a\"=hex(1):61,0a,00");
        assert_eq!(value("a", 1, b"a\0\0\0\0\0", regedit4(1252)), "\"a\"=hex(1):61,00,00");
        // The second byte of U+8868 is that of a backslash; the second byte of U+3042 is not.
        assert_eq!(value("a", 1, b"\x68\x88\0\0", regedit4(932)), "\"a\"=hex(1):95,5c,00");
        assert_eq!(value("a", 1, b"\x42\x30\0\0", regedit4(932)), "\"a\"=\"あ\"");
    }

    /// A name of 81 units leaves no space, but the first byte stays on its line.
    #[test]
    fn a_long_name_takes_one_byte_along() {
        let name = "n".repeat(81);
        assert_eq!(value(&name, 3, &[1, 2, 3], Dialect::Hivex), format!("\"{name}\"=hex:01,\\\n  02,03"));
        assert_eq!(value(&name, 3, &[1], Dialect::Hivex), format!("\"{name}\"=hex:01"));
    }

    #[test]
    fn the_wrap_counts_utf16_units() {
        let wide = "😀".repeat(12);
        let narrow = "n".repeat(24);
        let bytes: Vec<u8> = (0..20).collect();
        let tail = |name: &str| value(name, 3, &bytes, Dialect::Regedit5).split_off(name.len() + 2);
        assert_eq!(tail(&wide), tail(&narrow));
    }
}
