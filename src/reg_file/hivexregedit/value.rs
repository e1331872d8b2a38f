//! Quoted text and data, as `_parse_quoted_string` and `_parse_value` of Win::Hivex::Regedit read them.

use super::lines::is_space;

/// Returns the text between quotes, and the rest after the closing quote; `None` if there are no quotes.
///
/// A backslash keeps the next byte unchanged. A backslash at the very end, where no line could be joined, ends the text
/// as a quote does. Then there is no rest.
pub(super) fn quoted(text: &[u8]) -> Option<(Vec<u8>, Option<&[u8]>)> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut out = Vec::new();
    loop {
        match rest {
            [] => return None,
            [b'"', after @ ..] => return Some((out, Some(after))),
            [b'\\'] => return Some((out, None)),
            [b'\\', escaped, after @ ..] => {
                out.push(*escaped);
                rest = after;
            }
            [byte, after @ ..] => {
                out.push(*byte);
                rest = after;
            }
        }
    }
}

/// The type and bytes of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) data_type: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) form: Form,
}

/// The form in which the data were written, and its oddities.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    Dword,
    /// Whether all of it was pairs of hex digits, and whether the type has 32 bits.
    Hex {
        clean: bool,
        narrow: bool,
    },
    /// Whether text follows the closing quote, whether all of it is ASCII, and whether the type has 32 bits.
    Text {
        all: bool,
        ascii: bool,
        narrow: bool,
    },
}

/// Reads the text after the equals sign; returns `None` if hivexregedit stops.
pub(super) fn data(text: &[u8]) -> Option<Parsed> {
    // In Perl `$` also matches before a line feed at the end.
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if let Some(digits) = text.strip_prefix(b"dword:") {
        let digits = str::from_utf8(digits).ok().filter(|digits| digits.len() == 8 && is_hex(digits.as_bytes()))?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        return Some(Parsed { data_type: 4, bytes: number.to_le_bytes().to_vec(), form: Form::Dword });
    }
    if let Some(digits) = text.strip_prefix(b"hex:") {
        return Some(hex(3, true, digits));
    }
    if let Some((data_type, narrow, digits)) = text.strip_prefix(b"hex(").and_then(typed) {
        return Some(hex(data_type, narrow, digits));
    }
    if let Some(quote) = text.strip_prefix(b"str:") {
        return string(1, true, quote);
    }
    if let Some((data_type, narrow, quote)) = text.strip_prefix(b"str(").and_then(typed) {
        return string(data_type, narrow, quote);
    }
    string(1, true, text)
}

/// Returns a type number and the text after its `):`.
fn typed(text: &[u8]) -> Option<(u32, bool, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_hexdigit()).filter(|&end| end > 0)?;
    let (digits, rest) = text.split_at_checked(end)?;
    let rest = rest.strip_prefix(b"):")?;
    let digits = str::from_utf8(digits).ok()?.trim_start_matches('0');
    let number = if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 16).ok() };
    // A number is truncated to 32 bits. One that Perl stores as floating point becomes the largest.
    let [a, b, c, d, high @ ..] = number.unwrap_or(u64::MAX).to_le_bytes();
    Some((u32::from_le_bytes([a, b, c, d]), high == [0; 4], rest))
}

fn is_hex(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit)
}

/// Applies `pack "H*"` to all but commas and blanks. Other characters count as digits, and half a byte is padded.
fn hex(data_type: u32, narrow: bool, text: &[u8]) -> Parsed {
    let digits: Vec<u8> = text.iter().copied().filter(|&byte| byte != b',' && !is_space(byte)).collect();
    let value = |digit: u8| (if digit.is_ascii_alphabetic() { digit.wrapping_add(9) } else { digit }) & 0xf;
    let pack = |pair: &[u8]| match *pair {
        [high, low] => value(high) << 4 | value(low),
        [high] => value(high) << 4,
        _ => 0,
    };
    let clean = is_hex(&digits) && digits.len().is_multiple_of(2);
    Parsed { data_type, bytes: digits.chunks(2).map(pack).collect(), form: Form::Hex { clean, narrow } }
}

/// Reads text in quotes. The first pair of quotes counts. Each byte becomes a unit, and a NUL is added.
fn string(data_type: u32, narrow: bool, text: &[u8]) -> Option<Parsed> {
    if text.len() < 2 || !text.starts_with(b"\"") || !text.ends_with(b"\"") {
        return None;
    }
    let (letters, rest) = quoted(text)?;
    let bytes = letters.iter().chain(&[0]).flat_map(|&byte| [byte, 0]).collect();
    let form = Form::Text { all: rest.is_none_or(<[u8]>::is_empty), ascii: letters.is_ascii(), narrow };
    Some(Parsed { data_type, bytes, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Option<(u32, Vec<u8>)> {
        data(text.as_bytes()).map(|data| (data.data_type, data.bytes))
    }

    /// The output of `perl -e 'print unpack "H*", pack "H*", ...'`.
    #[test]
    fn digits_that_are_none_count_as_perl_counts_them() {
        for (text, packed) in [
            (&b"zz"[..], &b"\x33"[..]),
            (b"g", b"\x00"),
            (b"1", b"\x10"),
            (b"abc", b"\xab\xc0"),
            (b"\xe9\xc0", b"\x90"),
            (b"-x", b"\xd1"),
            (b"GZ", b"\x03"),
            (b"@", b"\x00"),
            (b"1\x80", b"\x10"),
            (b"0,1 ,\x0b2", b"\x01\x20"),
        ] {
            assert_eq!(hex(3, true, text).bytes, packed, "{}", text.escape_ascii());
        }
        assert_eq!(hex(3, true, b"0a,ff").form, Form::Hex { clean: true, narrow: true });
        assert_eq!(hex(3, true, b"0,a").form, Form::Hex { clean: true, narrow: true });
        assert_eq!(hex(3, true, b"0a,f").form, Form::Hex { clean: false, narrow: true });
    }

    #[test]
    fn a_dword_has_eight_digits() {
        assert_eq!(bytes("dword:0000000A\n"), Some((4, vec![10, 0, 0, 0])));
        for bad in
            ["dword:1", "dword:000000001", "dword: 00000001", "dword:00000001 ", "DWORD:00000001", "dword:0000000g"]
        {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_type_is_cut_to_32_bits() {
        for (text, data_type) in [
            ("hex(7):", 7),
            ("hex(100000001):", 1),
            ("hex(ffffffffffffffff):", u32::MAX),
            ("hex(10000000000000001):", u32::MAX),
            ("hex(0000000000000000000002):", 2),
        ] {
            assert_eq!(bytes(text), Some((data_type, vec![])), "{text}");
        }
        assert_eq!(bytes("hex():00"), None);
        assert_eq!(bytes("hex(0x2):00"), None);
    }

    #[test]
    fn a_text_ends_at_its_first_quote_and_the_line_at_its_last() {
        assert_eq!(bytes(r#""a" ; "b""#), Some((1, b"a\0\0\0".to_vec())));
        assert_eq!(bytes(r#"str(2):"a\\\"b""#), Some((2, b"a\0\\\0\"\0b\0\0\0".to_vec())));
        assert_eq!(bytes("\"\u{e9}\""), Some((1, b"\xc3\0\xa9\0\0\0".to_vec())));
        for bad in [r#""a" ; b"#, r#""a"#, r#""a\""#, "\"", "a", r#""a" "#] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_backslash_at_the_very_end_closes() {
        assert_eq!(quoted(br#""a\"#), Some((b"a".to_vec(), None)));
        assert_eq!(quoted(br#""a\"b"c"#), Some((b"a\"b".to_vec(), Some(&b"c"[..]))));
        assert_eq!(quoted(b"\"a"), None);
    }
}
