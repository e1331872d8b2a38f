//! Value lines: `"name"=data`, `@=data` and `"name"=-`.

use super::diagnostic::Code;
use super::hex_data::{self, hex_digit, hex_number};
use super::lines::{Line, after_blanks, before_blanks, is_done};
use super::names;
use super::quoted;
use super::scanner::Scanner;
use super::text_data::{self, TextForm};

/// The contents of a value line.
pub(super) struct ValueLine {
    /// The name in UTF-16 units; empty for the default value.
    pub(super) name: Vec<u16>,
    pub(super) change: Change,
}

/// The change of a value.
pub(super) enum Change {
    Delete,
    Set {
        data_type: u32,
        /// The bytes that the text states.
        written: Vec<u8>,
        /// The bytes that regedit stores, if they are different.
        stored: Option<Vec<u8>>,
    },
}

const EQUALS: u16 = b'=' as u16;
const MINUS: u16 = b'-' as u16;
const QUOTE: u16 = b'"' as u16;
const REG_SZ: u32 = 1;
const REG_BINARY: u32 = 3;
const REG_DWORD: u32 = 4;

/// A place in a line, and why the line is dropped there.
type Dropped<'t> = (Code, &'t [u16]);

/// The tag that states how the data are written, and the start of the data.
enum Tag<'t> {
    Text(&'t [u16]),
    Dword(&'t [u16]),
    Hex(u32, &'t [u16]),
}

/// Reads a line that begins, after blanks, with `"` or `@`, and its continuation. `None` if regedit drops the value.
pub(super) fn read<'t>(scanner: &mut Scanner<'t>, line: Line<'t>, form: TextForm) -> Option<ValueLine> {
    let mut odd_escapes = Vec::new();
    if let Some(name) = name_written(line.text) {
        names::check(scanner, line, name);
    }
    let found = read_name(line.text, &mut odd_escapes).and_then(|(name, data)| {
        let change = match data {
            [MINUS, rest @ ..] if is_done(rest) => None,
            [MINUS, rest @ ..] => return Err((Code::TextAfterDelete, rest)),
            _ => Some(read_tag(data)?),
        };
        Ok((name, change))
    });
    let found = found.and_then(|(name, tag)| {
        let set = |data_type, written, stored| Some(Change::Set { data_type, written, stored });
        let change = match tag {
            None => Some(Change::Delete),
            Some(Tag::Text(text)) => set(REG_SZ, read_text(text, &mut odd_escapes)?, None),
            Some(Tag::Dword(digits)) => set(REG_DWORD, read_dword(digits)?.to_le_bytes().to_vec(), None),
            Some(Tag::Hex(data_type, rest)) => hex_data::read(scanner, line, rest).and_then(|bytes| {
                let data = text_data::interpret(data_type, bytes, form);
                data.remarks.iter().for_each(|&code| scanner.remark(line, rest, code));
                set(data_type, data.written, data.stored)
            }),
        };
        Ok(change.map(|change| ValueLine { name, change }))
    });
    for place in odd_escapes {
        scanner.remark(line, place, Code::UnknownEscape);
    }
    found.unwrap_or_else(|(code, place)| {
        scanner.remark(line, place, code);
        let closes = matches!(code, Code::UnclosedQuote | Code::MissingEquals);
        if let Some(quote) = names::smart_quote_that_closes(line.text).filter(|_| closes) {
            scanner.remark(line, quote, Code::SmartQuote);
        }
        None
    })
}

/// Returns the name between its quotes, including escapes.
fn name_written(line: &[u16]) -> Option<&[u16]> {
    let [QUOTE, text @ ..] = after_blanks(line) else { return None };
    let rest = quoted::read(text).ok()?.rest;
    let length = text.len().checked_sub(rest.len())?.checked_sub(1)?;
    // Quoted text without an equals sign after it is not a name.
    matches!(after_blanks(rest), [EQUALS, ..]).then(|| text.get(..length)).flatten()
}

/// Returns the name, and the data after the equals sign without the blanks around them.
fn read_name<'t>(line: &'t [u16], odd: &mut Vec<&'t [u16]>) -> Result<(Vec<u16>, &'t [u16]), Dropped<'t>> {
    let (name, rest) = match after_blanks(line) {
        [QUOTE, text @ ..] => {
            let quoted = quoted::read(text)?;
            odd.extend(quoted.odd_escape);
            (quoted.text, quoted.rest)
        }
        [_, rest @ ..] | rest @ [] => (Vec::new(), rest),
    };
    match after_blanks(rest) {
        [EQUALS, data @ ..] => Ok((name, before_blanks(after_blanks(data)))),
        other => Err((Code::MissingEquals, other)),
    }
}

fn read_tag(data: &[u16]) -> Result<Tag<'_>, Dropped<'_>> {
    if let [QUOTE, text @ ..] = data {
        return Ok(Tag::Text(text));
    }
    if let Some(digits) = after_tag(data, "dword:") {
        return Ok(Tag::Dword(digits));
    }
    if let Some(bytes) = after_tag(data, "hex:") {
        return Ok(Tag::Hex(REG_BINARY, bytes));
    }
    let unknown = if names::begins_with_smart_quote(data) { Code::SmartQuote } else { Code::UnknownData };
    let number = after_tag(data, "hex(").ok_or((unknown, data))?;
    let length = number.iter().take_while(|&&unit| hex_digit(unit).is_some()).count();
    let (digits, rest) = number.split_at_checked(length).unwrap_or_default();
    match (hex_number(digits), after_tag(rest, "):")) {
        (Some(data_type), Some(bytes)) if !digits.is_empty() => Ok(Tag::Hex(data_type, bytes)),
        _ => Err((Code::BadTypeNumber, number)),
    }
}

/// Returns the text after a tag. Tags are case-sensitive.
fn after_tag<'t>(text: &'t [u16], tag: &str) -> Option<&'t [u16]> {
    let (start, rest) = text.split_at_checked(tag.len())?;
    tag.encode_utf16().eq(start.iter().copied()).then_some(rest)
}

/// Returns the data of a quoted text: UTF-16LE with its terminator.
fn read_text<'t>(text: &'t [u16], odd: &mut Vec<&'t [u16]>) -> Result<Vec<u8>, Dropped<'t>> {
    let quoted = quoted::read(text)?;
    odd.extend(quoted.odd_escape);
    if !is_done(quoted.rest) {
        return Err((Code::TextAfterData, quoted.rest));
    }
    Ok(quoted.text.iter().chain([&0]).flat_map(|unit| unit.to_le_bytes()).collect())
}

/// Reads one to eight digits, after optional blanks.
fn read_dword(text: &[u16]) -> Result<u32, Dropped<'_>> {
    let text = after_blanks(text);
    let length = text.iter().take_while(|&&unit| hex_digit(unit).is_some()).count();
    let (digits, rest) = text.split_at_checked(length).unwrap_or_default();
    match hex_number(digits) {
        Some(number) if (1..=8).contains(&length) && is_done(rest) => Ok(number),
        _ => Err((Code::BadDword, text)),
    }
}
