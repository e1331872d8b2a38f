//! Key lines: `[key]` and `[-key]`.

use super::diagnostic::Code;
use super::key_path::KeyPath;
use super::lines::{Line, after_blanks};
use super::names;
use super::scanner::Scanner;

/// The effect of a key line in regedit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyLine {
    /// Opens the key; values below belong to it.
    Open(KeyPath),
    /// Deletes the key. Then no key is open.
    Delete(KeyPath),
    /// Has no effect. Then no key is open.
    Close,
    /// Has no effect. The open key stays open.
    Ignored,
    /// Skips the rest of the file.
    Stop,
}

const CLOSING_BRACKET: u16 = b']' as u16;
const BLANK: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;
const MINUS: u16 = b'-' as u16;

/// Reads a key line. `text` begins after the opening bracket.
pub(super) fn read(scanner: &mut Scanner<'_>, line: Line<'_>, text: &[u16]) -> KeyLine {
    if matches!(text, [BLANK | TAB, ..]) {
        scanner.remark(line, text, Code::BlankBeforeKey);
        return KeyLine::Ignored;
    }
    // The last bracket closes the key. A key's name may contain brackets, and they cannot be escaped.
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
        names::check_path(scanner, line, path);
        return KeyLine::Open(key);
    }
    let meant = key.root_meant();
    let code = if meant.is_some() { Code::AbbreviatedRoot } else { Code::UnknownRoot };
    scanner.remark_instead(line, path, code, meant);
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
        scanner.remark_instead(line, path, Code::DeleteUnknownRoot, key.root_meant());
        // Wine ignores a path that does not begin like a root key, and stops at one that does.
        return if looks_like_root { KeyLine::Stop } else { KeyLine::Close };
    }
    if key.below_root().is_empty() {
        scanner.remark(line, path, Code::DeleteRoot);
        return KeyLine::Stop;
    }
    names::check_path(scanner, line, path);
    KeyLine::Delete(key)
}

/// Returns the path without empty names, which no key can have.
fn read_path(scanner: &mut Scanner<'_>, line: Line<'_>, path: &[u16]) -> KeyPath {
    let key = KeyPath::from_units(path);
    if key.below_root().iter().all(|name| !name.is_empty()) {
        return key;
    }
    scanner.remark(line, path, Code::EmptyKeyName);
    KeyPath::from_names(key.names().iter().filter(|name| !name.is_empty()))
}

/// Returns the probable comment inside the brackets, after an earlier closing bracket.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg_file::collect::Collected;
    use crate::reg_file::encoding::Encoding;
    use crate::reg_file::importer::Importer;

    /// Returns the effect of a key line, and the column and name of each diagnostic.
    fn read_text(text: &str) -> (KeyLine, Vec<String>) {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut found = Collected::default();
        let mut scanner = Scanner::new(&units, 0, Encoding::Text, None, &mut found);
        let line = scanner.next_line().unwrap();
        let key = read(&mut scanner, line, &line.text[1..]);
        let found = found.finish(Importer::Regedit, Encoding::Text, None).diagnostics;
        (key, found.iter().map(|found| format!("{} {}", found.column, found.code.id())).collect())
    }

    fn open(key: &str) -> KeyLine {
        KeyLine::Open(KeyPath::from(key))
    }

    #[test]
    fn the_last_bracket_closes() {
        assert_eq!(read_text(r"[HKEY_USERS\a]b;c] "), (open(r"HKEY_USERS\a]b;c"), vec![]));
        let comment = read_text(r"[HKEY_USERS\a] ; see [b]");
        assert_eq!(comment, (open(r"HKEY_USERS\a] ; see [b"), vec!["16 comment-in-key".to_string()]));
        let trailing = read_text(r"[HKEY_USERS\a] ; b");
        assert_eq!(trailing, (open(r"HKEY_USERS\a"), vec!["15 text-after-bracket".to_string()]));
    }

    #[test]
    fn names_keep_their_blanks_and_lose_empty_neighbours() {
        assert_eq!(read_text(r"[HKEY_USERS\ a \b ]"), (open(r"HKEY_USERS\ a \b "), vec![]));
        assert_eq!(read_text(r"[HKEY_USERS\a\\b\\]"), (open(r"HKEY_USERS\a\b"), vec!["2 empty-key-name".to_string()]));
    }

    #[test]
    fn a_delete_that_cannot_be_meant_stops_or_does_nothing() {
        let only = |code: &str| vec![code.to_string()];
        assert_eq!(read_text("[-HKEY_USERS\\]"), (KeyLine::Stop, only("3 delete-root")));
        assert_eq!(read_text(r"[-HKLM\a]"), (KeyLine::Stop, only("3 delete-unknown-root")));
        assert_eq!(read_text(r"[-Software\a]"), (KeyLine::Close, only("3 delete-unknown-root")));
        assert_eq!(read_text(r"[- HKEY_USERS\a]"), (KeyLine::Close, only("3 blank-before-key")));
        assert_eq!(read_text(r"[ -HKEY_USERS\a]"), (KeyLine::Ignored, only("2 blank-before-key")));
    }
}
