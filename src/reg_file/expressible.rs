//! What a `.reg` file can and cannot express.

use thiserror::Error;

use super::code_page::CodePage;
use super::dialect::Dialect;
use super::document::Operation;
use super::key_line::comment_within;
use super::key_path::KeyPath;
use super::legible::is_legible;
use super::names::{LONGEST_KEY_NAME, LONGEST_VALUE_NAME};
use super::reading::Version;
use super::text_data::is_text;
use crate::registry::same_name;

/// Why something cannot be written in a `.reg` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// The text of a `.reg` file ends at a NUL, so a name with a NUL can hide there.
    #[error("NUL in name")]
    Nul,
    /// Names have no escape for a line end.
    #[error("line end in name")]
    LineEnd,
    /// Users must see each name that they approve: no control characters, no line ends of any script, no characters
    /// that change the direction of text.
    #[error("character in name that does not show, or turns the text around it")]
    Unseen,
    /// A program that reads the file byte by byte reads the second byte as a backslash.
    #[error("character in name whose second byte is that of a backslash in code page {0}; write version 5.00")]
    BackslashByte(CodePage),
    /// hivexregedit compares such a name in the file with different characters than in the hive.
    #[error("value name beyond ASCII, which hivexregedit does not find in the hive; write the patch for regedit")]
    NameBeyondAscii,
    /// Windows creates the link to the current control set at its start. hivexregedit would create a key instead.
    #[error(
        "CurrentControlSet, which does not exist in a hive, and hivexregedit writes to a hive; name the control \
             set"
    )]
    CurrentControlSet,
    /// Half of a surrogate pair has no form in UTF-8, and importers replace it in UTF-16.
    #[error("unpaired surrogate in name")]
    UnpairedSurrogate,
    /// Windows does not allow a key or value with such a name, whatever a hive contains.
    #[error("name longer than Windows allows (255 characters for a key, 16,383 for a value)")]
    TooLong,
    /// In a key line a backslash is always a separator.
    #[error("backslash in key name")]
    Backslash,
    /// Two backslashes in a row.
    #[error("empty key name")]
    EmptyKeyName,
    /// regedit knows six root keys by their long names only.
    #[error("no root key that regedit knows")]
    UnknownRoot,
    /// regedit stops at this, and nobody wants it.
    #[error("a root key cannot be deleted")]
    DeleteRoot,
    /// A closing bracket and then a comment mark: readers of the key line would not see a name in it.
    #[error("key name that reads like a comment after the key line")]
    CommentInKey,
    /// hivexregedit skips every such line as a header.
    #[error("hivexregedit reads a key line that contains a .reg header as the header")]
    HeaderInKey,
    /// hivexregedit works inside one hive. It can neither leave nor delete its root key.
    #[error("outside the keys below a hive's root that hivexregedit can reach")]
    OutsideHive,
    /// REGEDIT4 is text in one code page, including its hex data of the text types.
    #[error("not in code page {0}, and REGEDIT4 can hold nothing else; write version 5.00")]
    NotInCodePage(CodePage),
    /// REGEDIT4 has one byte in hex for each character of a text, so it cannot contain half a unit.
    #[error("text with an odd number of bytes, which REGEDIT4 cannot hold; write version 5.00")]
    OddText,
    /// Importers disagree about which mention counts, and whether names in another letter case are different values.
    #[error("value named a second time (letter case aside) in the same key")]
    NamedTwice,
    /// Two keys with the same name in one list would become one.
    #[error("a second key of this name (letter case aside) in the same place")]
    KeyTwice,
    /// Importers disagree about comments with an equals sign, a backslash at the end, or invisible characters.
    #[error("comment that some importer would not read as a comment")]
    UnsafeComment,
    /// Comments precede a key line, and no key line follows.
    #[error("comment with no operation after it")]
    CommentWithoutKey,
}

/// Checks whether a dialect can express an operation by itself.
///
/// # Errors
/// Returns the first reason why it cannot.
pub fn check_operation(operation: &Operation, dialect: Dialect) -> Result<(), Reason> {
    check_key(operation.key(), dialect)?;
    let below_root = operation.key().below_root().len();
    let deletes = matches!(operation, Operation::DeleteKey { .. });
    if deletes && below_root == 0 {
        return Err(Reason::DeleteRoot);
    }
    // The first name below the root key is the place where the hive is mounted.
    if dialect == Dialect::Hivex && below_root <= usize::from(deletes) {
        return Err(Reason::OutsideHive);
    }
    check_value(operation, dialect)
}

/// Checks whether Windows allows a key and a value with these names. Required for a file to import, but not for one
/// that shows the contents of a hive.
pub(super) fn check_length(operation: &Operation) -> Result<(), Reason> {
    let key_fits = operation.key().below_root().iter().all(|name| name.len() <= LONGEST_KEY_NAME);
    let value_fits = operation.value_name().is_none_or(|name| name.len() <= LONGEST_VALUE_NAME);
    if key_fits && value_fits { Ok(()) } else { Err(Reason::TooLong) }
}

/// Checks an operation on a value as [`check_operation`] does, if its key was already checked.
pub(super) fn check_value(operation: &Operation, dialect: Dialect) -> Result<(), Reason> {
    if let Some(name) = operation.value_name() {
        check_name(name, dialect)?;
        if dialect == Dialect::Hivex && name.iter().any(|&unit| unit > 0x7f) {
            return Err(Reason::NameBeyondAscii);
        }
    }
    match operation {
        Operation::SetValue { data_type, bytes, .. } if is_text(*data_type) => match dialect.code_page() {
            Some(page) => check_text(bytes, page),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Checks whether data of a text type, in quotes or in hex, is text of this page.
fn check_text(bytes: &[u8], page: CodePage) -> Result<(), Reason> {
    let (units, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(Reason::OddText);
    }
    let mut characters = char::decode_utf16(units.iter().map(|&unit| u16::from_le_bytes(unit)));
    let has = |character: Result<char, _>| character.is_ok_and(|character| page.has(character));
    if characters.all(has) { Ok(()) } else { Err(Reason::NotInCodePage(page)) }
}

fn check_key(key: &KeyPath, dialect: Dialect) -> Result<(), Reason> {
    if !key.has_known_root() {
        return Err(Reason::UnknownRoot);
    }
    for name in key.below_root() {
        if name.is_empty() {
            return Err(Reason::EmptyKeyName);
        }
        if name.contains(&u16::from(b'\\')) {
            return Err(Reason::Backslash);
        }
        check_name(name, dialect)?;
    }
    // The first name below the root key is the place where the hive is mounted.
    let is_link = |name: &Vec<u16>| same_name(name.iter().copied(), "CurrentControlSet".encode_utf16());
    if dialect == Dialect::Hivex && key.below_root().get(1).is_some_and(is_link) {
        return Err(Reason::CurrentControlSet);
    }
    let text = key.to_units();
    if comment_within(&text).is_some() {
        return Err(Reason::CommentInKey);
    }
    let header = Version::Regedit5.header().trim_end_matches(" 5.00");
    if dialect == Dialect::Hivex && String::from_utf16_lossy(&text).contains(header) {
        return Err(Reason::HeaderInKey);
    }
    Ok(())
}

fn check_name(name: &[u16], dialect: Dialect) -> Result<(), Reason> {
    for character in char::decode_utf16(name.iter().copied()) {
        match character {
            Err(_) => return Err(Reason::UnpairedSurrogate),
            Ok('\0') => return Err(Reason::Nul),
            Ok('\r' | '\n') => return Err(Reason::LineEnd),
            Ok(other) => {
                if !is_legible(other) {
                    return Err(Reason::Unseen);
                }
                match dialect.code_page() {
                    Some(page) if !page.has(other) => return Err(Reason::NotInCodePage(page)),
                    Some(page) if page.ends_in_backslash(other) => return Err(Reason::BackslashByte(page)),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(names: &[&str]) -> Operation {
        let names = names.iter().map(|name| name.encode_utf16().collect::<Vec<_>>());
        Operation::CreateKey { key: KeyPath::from_names(names) }
    }

    fn delete(key: &str) -> Operation {
        Operation::DeleteKey { key: KeyPath::from(key) }
    }

    #[test]
    fn a_key_that_no_key_line_can_name_is_refused() {
        let check = |names: &[&str]| check_operation(&create(names), Dialect::Regedit5);
        assert_eq!(check(&["HKEY_USERS", "a]b", " -;c "]), Ok(()));
        assert_eq!(check(&["HKLM", "a"]), Err(Reason::UnknownRoot));
        assert_eq!(check(&["HKEY_USERS", "a\\b"]), Err(Reason::Backslash));
        assert_eq!(check(&["HKEY_USERS", "", "b"]), Err(Reason::EmptyKeyName));
        assert_eq!(check(&["HKEY_USERS", "a\0b"]), Err(Reason::Nul));
        assert_eq!(check(&["HKEY_USERS", "a\nb"]), Err(Reason::LineEnd));
        assert_eq!(check(&["HKEY_USERS", "a] ; b"]), Err(Reason::CommentInKey));
    }

    #[test]
    fn names_that_windows_does_not_allow_are_refused() {
        let value = |count: usize| Operation::DeleteValue {
            key: KeyPath::from(r"HKEY_USERS\a"),
            name: "n".repeat(count).encode_utf16().collect(),
        };
        assert_eq!((check_length(&value(16_383)), check_length(&value(16_384))), (Ok(()), Err(Reason::TooLong)));
        let key = |count: usize| check_length(&create(&["HKEY_USERS", &"k".repeat(count)]));
        assert_eq!((key(255), key(256)), (Ok(()), Err(Reason::TooLong)));
    }

    #[test]
    fn names_that_a_reader_does_not_see_are_refused() {
        let key = || KeyPath::from(r"HKEY_USERS\a");
        let delete = |name: &str| Operation::DeleteValue { key: key(), name: name.encode_utf16().collect() };
        for unseen in
            ["\u{2028}", "\u{2029}", "\u{85}", "\u{1b}", "\u{7}", "\u{7f}", "\u{202e}", "\u{2067}", "\u{feff}"]
        {
            let name = format!("a{unseen}b");
            for dialect in [Dialect::Regedit5, Dialect::Regedit4(CodePage::WINDOWS_1252), Dialect::Hivex] {
                assert_eq!(check_operation(&delete(&name), dialect), Err(Reason::Unseen), "{name:?}");
                assert_eq!(check_operation(&create(&["HKEY_USERS", "a", &name]), dialect), Err(Reason::Unseen));
            }
        }
        assert_eq!(check_operation(&delete("a\tb"), Dialect::Regedit5), Ok(()));
    }

    #[test]
    fn names_with_the_byte_of_a_backslash_are_refused_in_double_byte_pages() {
        // U+8868 is 95 5C in page 932, U+529F is A5 5C in page 950, U+4E57 is 81 5C in page 936. Page 949 has none.
        for (number, character) in [(932, "\u{8868}"), (950, "\u{529f}"), (936, "\u{4e57}")] {
            let page = CodePage::new(number).unwrap();
            let dialect = Dialect::Regedit4(page);
            let delete = |name: &str| Operation::DeleteValue {
                key: KeyPath::from(r"HKEY_USERS\a"),
                name: name.encode_utf16().collect(),
            };
            let refused = Err(Reason::BackslashByte(page));
            assert_eq!(check_operation(&delete(character), dialect), refused, "{number}");
            assert_eq!(check_operation(&create(&["HKEY_USERS", "a", character]), dialect), refused);
            assert_eq!(check_operation(&delete("\u{4e00}"), dialect), Ok(()));
        }
        let mut korean = ('\u{80}'..='\u{ffff}').filter(|&c| CodePage::new(949).unwrap().ends_in_backslash(c));
        assert_eq!(korean.next(), None);
    }

    #[test]
    fn hivexregedit_gets_no_name_that_it_does_not_find_and_no_link() {
        let key = || KeyPath::from(r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001");
        for (name, refused) in [("Log\u{f4}n", true), ("Loc\u{212a}", true), ("Lock", false), ("", false)] {
            let name: Vec<u16> = name.encode_utf16().collect();
            let delete = Operation::DeleteValue { key: key(), name: name.clone() };
            let set = Operation::SetValue { key: key(), name, data_type: 3, bytes: vec![1] };
            for operation in [delete, set] {
                let expected = if refused { Err(Reason::NameBeyondAscii) } else { Ok(()) };
                assert_eq!(check_operation(&operation, Dialect::Hivex), expected);
                assert_eq!(check_operation(&operation, Dialect::Regedit5), Ok(()));
            }
        }
        let link = create(&["HKEY_LOCAL_MACHINE", "SYSTEM", "currentcontrolset", "Services"]);
        assert_eq!(check_operation(&link, Dialect::Hivex), Err(Reason::CurrentControlSet));
        assert_eq!(check_operation(&link, Dialect::Regedit5), Ok(()));
    }

    #[test]
    fn roots_are_never_deleted_nor_the_root_of_a_hive_by_hivexregedit() {
        assert_eq!(check_operation(&delete("HKEY_USERS"), Dialect::Regedit5), Err(Reason::DeleteRoot));
        assert_eq!(check_operation(&delete(r"HKEY_USERS\a"), Dialect::Regedit5), Ok(()));
        assert_eq!(check_operation(&delete(r"HKEY_USERS\a"), Dialect::Hivex), Err(Reason::OutsideHive));
        assert_eq!(check_operation(&create(&["HKEY_USERS"]), Dialect::Hivex), Err(Reason::OutsideHive));
        assert_eq!(check_operation(&create(&["HKEY_USERS", "a"]), Dialect::Hivex), Ok(()));
    }

    #[test]
    fn regedit4_carries_what_its_code_page_has() {
        let page = CodePage::WINDOWS_1252;
        let check = |operation: &Operation| check_operation(operation, Dialect::Regedit4(page));
        let set = |data_type, bytes: &[u8]| Operation::SetValue {
            key: KeyPath::from("HKEY_USERS"),
            name: vec![],
            data_type,
            bytes: bytes.to_vec(),
        };
        assert_eq!(check(&create(&["HKEY_USERS", "é€"])), Ok(()));
        assert_eq!(check(&create(&["HKEY_USERS", "ā"])), Err(Reason::NotInCodePage(page)));
        for text in [1, 2, 7] {
            assert_eq!(check(&set(text, b"\xe9\0\0\0\n\0")), Ok(()));
            assert_eq!(check(&set(text, b"\x01\x01\0\0")), Err(Reason::NotInCodePage(page)));
            assert_eq!(check(&set(text, b"\x00\xd8\0\0")), Err(Reason::NotInCodePage(page)));
            assert_eq!(check(&set(text, b"A\0\0")), Err(Reason::OddText));
        }
        assert_eq!(check(&set(3, b"\x00\xd8\0")), Ok(()));
        let refusal = Reason::NotInCodePage(page).to_string();
        assert_eq!(refusal, "not in code page 1252, and REGEDIT4 can hold nothing else; write version 5.00");
    }

    #[test]
    fn a_key_named_like_a_header_is_invisible_to_hivexregedit() {
        let key = create(&["HKEY_USERS", "a", "Windows Registry Editor Version 6"]);
        assert_eq!(check_operation(&key, Dialect::Hivex), Err(Reason::HeaderInKey));
        assert_eq!(check_operation(&key, Dialect::Regedit5), Ok(()));
    }
}
