//! Lists of bytes in hex, over several lines.

use super::diagnostic::Code;
use super::lines::{Line, after_blanks, is_done};
use super::scanner::Scanner;

const BACKSLASH: u16 = b'\\' as u16;
const COMMA: u16 = b',' as u16;

/// The end of a line of bytes.
enum LineEnd<'t> {
    Complete,
    /// The list is complete, although a comma announced more. The text after the comma.
    Comma(&'t [u16]),
    /// A backslash. The text after it.
    Continued(&'t [u16]),
}

/// Reads the bytes from `rest` of `line` on, and further lines as long as a line ends in a backslash.
///
/// Returns `None` if regedit drops the value. The line that caused this is consumed in any case, whatever it contains.
pub(super) fn read<'t>(scanner: &mut Scanner<'t>, mut line: Line<'t>, mut rest: &'t [u16]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        match read_line(scanner, line, rest, &mut bytes) {
            Ok(LineEnd::Complete) => return Some(bytes),
            Ok(LineEnd::Comma(comma)) => {
                scanner.remark(line, comma, Code::TrailingComma);
                return Some(bytes);
            }
            Ok(LineEnd::Continued(after)) if !is_done(after) => {
                scanner.remark(line, after, Code::TextAfterBackslash);
                return None;
            }
            Ok(LineEnd::Continued(after)) => {
                let Some(next) = next_data_line(scanner) else {
                    scanner.remark(line, after, Code::ContinuationAtEnd);
                    return Some(bytes);
                };
                line = next;
                rest = after_blanks(line.text);
            }
            Err(at) => {
                scanner.remark(line, at, Code::BadHex);
                return None;
            }
        }
        if let Some(code) = not_data(rest) {
            scanner.remark(line, rest, code);
            return None;
        }
    }
}

/// Returns the next line that is neither blank nor a `;` comment.
fn next_data_line<'t>(scanner: &mut Scanner<'t>) -> Option<Line<'t>> {
    loop {
        let line = scanner.next_line()?;
        if !scanner.take_comment(line, b";") && !after_blanks(line.text).is_empty() {
            return Some(line);
        }
    }
}

/// Returns why a continuation line is invalid.
fn not_data(text: &[u16]) -> Option<Code> {
    match text.first().map(|&unit| u8::try_from(unit)) {
        Some(Ok(first)) if first.is_ascii_hexdigit() => None,
        Some(Ok(b'[')) => Some(Code::KeySwallowed),
        Some(Ok(b'"' | b'@')) => Some(Code::ValueSwallowed),
        _ => Some(Code::BadContinuation),
    }
}

/// Reads the bytes of one line. The error is the place of the first text that is not a byte.
fn read_line<'t>(
    scanner: &mut Scanner<'_>,
    line: Line<'_>,
    text: &'t [u16],
    bytes: &mut Vec<u8>,
) -> Result<LineEnd<'t>, &'t [u16]> {
    let mut rest = text;
    let mut comma = None;
    while !rest.is_empty() {
        // Nearly all bytes are two digits and a comma.
        if let [high, low, COMMA, after @ ..] = rest
            && let Some(byte) = pair(*high, *low)
        {
            bytes.push(byte);
            comma = Some(after);
            rest = after;
            continue;
        }
        let digits = after_blanks(rest);
        let count = digits.iter().take_while(|&&unit| hex_digit(unit).is_some()).count();
        let (digits, after) = digits.split_at_checked(count).unwrap_or_default();
        if digits.is_empty() {
            return match (after, comma) {
                ([BACKSLASH, after @ ..], _) => Ok(LineEnd::Continued(after)),
                ([_, ..], _) if !is_done(after) => Err(after),
                ([_, ..], Some(comma)) => Ok(LineEnd::Comma(comma)),
                ([_, ..], None) => Ok(LineEnd::Complete),
                ([], _) => Err(rest),
            };
        }
        let byte = hex_number(digits).and_then(|number| u8::try_from(number).ok()).ok_or(digits)?;
        bytes.push(byte);
        comma = None;
        rest = match after {
            [COMMA, after @ ..] => {
                comma = Some(after);
                after
            }
            _ if is_done(after) => &[],
            _ => return Err(after),
        };
        if count != 2 {
            scanner.remark(line, digits, Code::HexByteForm);
        }
    }
    Ok(comma.map_or(LineEnd::Complete, LineEnd::Comma))
}

/// Returns the byte of two hex digits.
fn pair(high: u16, low: u16) -> Option<u8> {
    u8::try_from(hex_digit(high)? << 4 | hex_digit(low)?).ok()
}

/// Returns the number of hex digits of any length, if it fits 32 bits.
pub(super) fn hex_number(digits: &[u16]) -> Option<u32> {
    let shifted = |number: u32, &digit| number.checked_mul(16)?.checked_add(hex_digit(digit)?);
    digits.iter().try_fold(0, shifted)
}

/// Returns the value of a hex digit in either case.
pub(super) fn hex_digit(unit: u16) -> Option<u32> {
    char::from_u32(u32::from(unit))?.to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg_file::collect::Collected;
    use crate::reg_file::encoding::Encoding;
    use crate::reg_file::importer::Importer;

    /// Returns the data of a value, and the line:column and name of each diagnostic.
    fn read_text(text: &str) -> (Option<Vec<u8>>, Vec<String>) {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut found = Collected::default();
        let mut scanner = Scanner::new(&units, 0, Encoding::Text, None, &mut found);
        let line = scanner.next_line().unwrap();
        let bytes = read(&mut scanner, line, line.text);
        let found = found.finish(Importer::Regedit, Encoding::Text, None).diagnostics;
        let seen = found.iter().map(|d| format!("{}:{} {}", d.line, d.column, d.code.id()));
        (bytes, seen.collect())
    }

    #[test]
    fn bytes_run_on_past_blank_and_comment_lines() {
        let (bytes, seen) = read_text("01,02,\\  ; so far\n\n ; and more\n\t03,Ff\n04");
        assert_eq!((bytes, seen), (Some(vec![1, 2, 3, 255]), vec![]));
    }

    #[test]
    fn a_comma_at_the_end_is_remarked() {
        assert_eq!(read_text("01,"), (Some(vec![1]), vec!["1:4 trailing-comma".into()]));
        assert_eq!(read_text("01, ; c"), (Some(vec![1]), vec!["1:4 trailing-comma".into()]));
    }

    #[test]
    fn bytes_of_other_lengths_than_two_digits_are_not_trusted() {
        assert_eq!(
            read_text("1,0002"),
            (Some(vec![1, 2]), vec!["1:1 hex-byte-form".into(), "1:3 hex-byte-form".into()])
        );
        assert_eq!(read_text("100"), (None, vec!["1:1 bad-hex".into()]));
    }

    #[test]
    fn what_swallows_a_line_says_so_there() {
        assert_eq!(read_text("01,\\\n[k]"), (None, vec!["2:1 key-swallowed".into()]));
        assert_eq!(read_text("01,\\\n \"b\"=-"), (None, vec!["2:2 value-swallowed".into()]));
        assert_eq!(read_text("01,\\\n#c"), (None, vec!["2:1 bad-continuation".into()]));
        assert_eq!(read_text("01,\\ x"), (None, vec!["1:5 text-after-backslash".into()]));
        assert_eq!(read_text("01,\\"), (Some(vec![1]), vec!["1:5 continuation-at-end".into()]));
    }
}
