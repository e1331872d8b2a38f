//! Quoted text: value names and the data of REG_SZ.

use super::diagnostic::Code;
use super::plain::find;

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;

/// A quoted text as regedit reads it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quoted<'t> {
    /// The text without its escapes, in UTF-16 units.
    pub(super) text: Vec<u16>,
    /// The text after the closing quote.
    pub(super) rest: &'t [u16],
    /// The place of the first escape that importers read differently.
    pub(super) odd_escape: Option<&'t [u16]>,
}

/// Reads up to the closing quote. `text` begins after the opening one.
///
/// # Errors
/// Returns why regedit drops the line, and the place.
pub(super) fn read(text: &[u16]) -> Result<Quoted<'_>, (Code, &[u16])> {
    let mut quoted = Quoted { text: Vec::new(), rest: text, odd_escape: None };
    loop {
        let here = quoted.rest;
        quoted.rest = match *here {
            [] => return Err((Code::UnclosedQuote, here)),
            [BACKSLASH] => return Err((Code::StringContinued, here)),
            [QUOTE, ref rest @ ..] => {
                quoted.rest = rest;
                return Ok(quoted);
            }
            [BACKSLASH, escaped, ref rest @ ..] => {
                if escaped == u16::from(b'0') {
                    return Err((Code::NulEscape, here));
                }
                if escaped != BACKSLASH && escaped != QUOTE {
                    quoted.odd_escape.get_or_insert(here);
                }
                quoted.text.push(unescaped(escaped));
                rest
            }
            _ => {
                let end = find(here, |unit| unit == QUOTE || unit == BACKSLASH).unwrap_or(here.len());
                let (text, rest) = here.split_at_checked(end).unwrap_or_default();
                quoted.text.extend_from_slice(text);
                rest
            }
        };
    }
}

/// Returns the meaning of an escaped character. Wine knows `\n` and `\r`; any other stands for itself.
fn unescaped(unit: u16) -> u16 {
    match u8::try_from(unit) {
        Ok(b'n') => u16::from(b'\n'),
        Ok(b'r') => u16::from(b'\r'),
        _ => unit,
    }
}

/// Returns the text in quotes, with the two escapes that every importer supports.
pub(super) fn write(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn written_text_is_read_back() {
        for text in ["", r"\", r#"""#, r#"a\"b\\"#, "\t", "é😀"] {
            let line = units(&write(text));
            let quoted = read(&line[1..]).unwrap();
            assert_eq!((quoted.text, quoted.rest, quoted.odd_escape), (units(text), &[][..], None));
        }
    }

    #[test]
    fn a_line_that_regedit_drops_says_why() {
        let code = |text: &str| read(&units(text)).map(|_| ()).map_err(|(code, _)| code);
        assert_eq!(code("abc"), Err(Code::UnclosedQuote));
        assert_eq!(code("abc\\"), Err(Code::StringContinued));
        assert_eq!(code("a\\0b\""), Err(Code::NulEscape));
    }

    #[test]
    fn the_first_odd_escape_is_pointed_at() {
        let line = units(r#"a\\\n\t""#);
        let quoted = read(&line).unwrap();
        assert_eq!((quoted.text, quoted.odd_escape), (units("a\\\nt"), Some(&line[3..])));
    }
}
