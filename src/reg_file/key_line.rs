//! Key lines: `[key]` and `[-key]`.

use super::diagnostic::Code;
use super::key_path::KeyPath;
use super::lines::{Line, after_blanks};
use super::scanner::Scanner;

/// What regedit does at a key line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyLine {
    /// Opens the key; values below belong to it.
    Open(KeyPath),
    /// Deletes the key and has none open.
    Delete(KeyPath),
    /// Does nothing, and has no key open.
    Close,
    /// Does nothing: the key that was open stays open.
    Ignored,
    /// Gives up the rest of the file.
    Stop,
}

const CLOSING_BRACKET: u16 = b']' as u16;
const BLANK: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;
const MINUS: u16 = b'-' as u16;

/// Reads a key line; `text` begins after the opening bracket.
pub(super) fn read(scanner: &mut Scanner<'_>, line: Line<'_>, text: &[u16]) -> KeyLine {
    if matches!(text, [BLANK | TAB, ..]) {
        scanner.remark(line, text, Code::BlankBeforeKey);
        return KeyLine::Ignored;
    }
    // The last bracket closes: a key's name may hold brackets, and nothing can escape them.
    let Some(end) = text.iter().rposition(|&unit| unit == CLOSING_BRACKET) else {
        scanner.remark(line, text, Code::MissingBracket);
        return KeyLine::Ignored;
    };
    let (inside, after) = text.split_at_checked(end).unwrap_or_default();
    let after = after.get(1..).unwrap_or_default();
    if !after_blanks(after).is_empty() {
        scanner.remark(line, after, Code::TextAfterBracket);
    }
    if let Some(comment) = comment_within(inside) {
        scanner.remark(line, comment, Code::CommentInKey);
    }
    match inside {
        [MINUS, path @ ..] => delete(scanner, line, path),
        path => open(scanner, line, path),
    }
}

fn open(scanner: &mut Scanner<'_>, line: Line<'_>, path: &[u16]) -> KeyLine {
    let key = read_path(scanner, line, path);
    if key.has_known_root() {
        return KeyLine::Open(key);
    }
    scanner.remark(line, path, Code::UnknownRoot);
    KeyLine::Close
}

fn delete(scanner: &mut Scanner<'_>, line: Line<'_>, path: &[u16]) -> KeyLine {
    if matches!(path, [BLANK | TAB, ..]) {
        scanner.remark(line, path, Code::BlankBeforeKey);
        return KeyLine::Close;
    }
    let key = read_path(scanner, line, path);
    let looks_like_root = matches!(path.first().map(|&unit| u8::try_from(unit)), Some(Ok(b'H' | b'h')));
    if !key.has_known_root() {
        scanner.remark(line, path, Code::DeleteUnknownRoot);
        // Wine ignores a path that does not even begin like a root key, and gives up at one that does.
        return if looks_like_root { KeyLine::Stop } else { KeyLine::Close };
    }
    if key.below_root().is_empty() {
        scanner.remark(line, path, Code::DeleteRoot);
        return KeyLine::Stop;
    }
    KeyLine::Delete(key)
}

/// The path, without the empty names that no key can have.
fn read_path(scanner: &mut Scanner<'_>, line: Line<'_>, path: &[u16]) -> KeyPath {
    let key = KeyPath::from_units(path);
    if key.below_root().iter().all(|name| !name.is_empty()) {
        return key;
    }
    scanner.remark(line, path, Code::EmptyKeyName);
    KeyPath::from_names(key.names().iter().filter(|name| !name.is_empty()))
}

/// Where, inside the brackets, somebody seems to have meant a comment after an earlier closing bracket.
pub(super) fn comment_within(inside: &[u16]) -> Option<&[u16]> {
    let mut rest = inside;
    while let Some(bracket) = rest.iter().position(|&unit| unit == CLOSING_BRACKET) {
        rest = rest.get(bracket..)?.split_first()?.1;
        let after = after_blanks(rest);
        if matches!(after.first().map(|&unit| u8::try_from(unit)), Some(Ok(b';' | b'#'))) {
            return Some(after);
        }
    }
    None
}
