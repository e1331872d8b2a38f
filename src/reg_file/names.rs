//! Detects characters in names that readers cannot see or confuse with others.

use super::diagnostic::Code;
use super::legible::is_legible;
use super::lines::{Line, after_blanks};
use super::plain::is_plain;
use super::scanner::Scanner;
use crate::registry::same_name;
use crate::registry::unseen::is_unseen;

/// The link that Windows creates when it starts. A hive never contains it.
const CURRENT_CONTROL_SET: &str = "CurrentControlSet";
/// The longest names of keys and of values, in UTF-16 units: Microsoft, "Registry element size limits".
pub(super) const LONGEST_KEY_NAME: usize = 255;
pub(super) const LONGEST_VALUE_NAME: usize = 16_383;
const SEPARATOR: u16 = b'\\' as u16;
const EQUALS: u16 = b'=' as u16;

/// Reports oddities in a key's path, which is part of the line's text.
pub(super) fn check_path(scanner: &mut Scanner<'_>, line: Line<'_>, path: &[u16]) {
    check(scanner, line, path);
    let mut names = path.split(|&unit| unit == SEPARATOR).filter(|name| !name.is_empty());
    if let Some(long) = names.clone().find(|name| name.len() > LONGEST_KEY_NAME) {
        scanner.remark(line, long, Code::KeyNameTooLong);
    }
    let is = |name: &[u16], known: &str| same_name(name.iter().copied(), known.encode_utf16());
    // A SYSTEM hive may be loaded directly below any root key. Only the running Windows' own has the link.
    let (loaded, third) = (names.nth(1), names.next());
    if let Some(name) = third.filter(|name| is(name, CURRENT_CONTROL_SET))
        && !loaded.is_some_and(|loaded| is(loaded, "SYSTEM"))
    {
        scanner.remark(line, name, Code::CurrentControlSet);
    }
}

/// Returns whether a value's name is longer than Windows allows. Such a value is dropped.
pub(super) fn is_too_long(name: &[u16]) -> bool {
    name.len() > LONGEST_VALUE_NAME
}

/// Reports oddities in a name, which is part of the line's text.
pub(super) fn check(scanner: &mut Scanner<'_>, line: Line<'_>, name: &[u16]) {
    if is_plain(name) {
        return;
    }
    // Illegible characters were reported when the line was read. In a name, invisible characters are reported too.
    let mut rest = name;
    for character in char::decode_utf16(name.iter().copied()) {
        if character.as_ref().is_ok_and(|&character| is_unseen(character) && is_legible(character)) {
            scanner.remark(line, rest, Code::HiddenCharacter);
            break;
        }
        rest = rest.get(character.map_or(1, char::len_utf16)..).unwrap_or_default();
    }
    // Many languages have an apostrophe, but a pair of quotation marks comes from a word processor.
    if let Some(place) = name.iter().position(|&unit| is_smart_quote(unit) && !is_single(unit)) {
        scanner.remark(line, name.get(place..).unwrap_or_default(), Code::SmartQuoteInName);
    }
}

/// Returns whether a text begins with a quotation mark that regedit does not treat as one.
pub(super) fn begins_with_smart_quote(text: &[u16]) -> bool {
    text.first().is_some_and(|&unit| is_smart_quote(unit))
}

/// Returns the first quotation mark that is probably meant to close: before an equals sign, or at the line's end.
pub(super) fn smart_quote_that_closes(line: &[u16]) -> Option<&[u16]> {
    let mut rest = line;
    while let Some(place) = rest.iter().position(|&unit| is_smart_quote(unit)) {
        rest = rest.get(place..)?;
        let (_, after) = rest.split_first()?;
        if matches!(after_blanks(after), [] | [EQUALS, ..]) {
            return Some(rest);
        }
        rest = after;
    }
    None
}

/// Returns whether a unit is a typographic quotation mark of any language, single or double.
fn is_smart_quote(unit: u16) -> bool {
    matches!(unit, 0xab | 0xbb | 0x2018..=0x201f | 0x2033 | 0x2036 | 0x2039 | 0x203a | 0x275b..=0x275e | 0x301d..=0x301f | 0xff02)
}

fn is_single(unit: u16) -> bool {
    matches!(unit, 0x2018..=0x201b | 0x2039 | 0x203a | 0x275b | 0x275c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg_file::collect::Collected;
    use crate::reg_file::encoding::Encoding;
    use crate::reg_file::importer::Importer;

    fn seen(path: &str) -> Vec<String> {
        let units: Vec<u16> = path.encode_utf16().collect();
        let mut found = Collected::default();
        let mut scanner = Scanner::new(&units, 0, Encoding::Text, None, &mut found);
        let line = Line { number: 1, text: &units, whole: &units };
        check_path(&mut scanner, line, line.text);
        let reading = found.finish(Importer::Regedit, Encoding::Text, None);
        reading.diagnostics.iter().map(|found| format!("{} {}", found.column, found.code.id())).collect()
    }

    #[test]
    fn the_control_set_that_only_a_running_windows_has_is_the_third_name() {
        assert_eq!(seen(r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet"), Vec::<String>::new());
        assert_eq!(seen(r"HKEY_LOCAL_MACHINE\SYS\CurrentControlSet"), ["24 current-control-set"]);
        assert_eq!(seen(r"HKEY_LOCAL_MACHINE\\offline\CURRENTCONTROLSET\x"), ["29 current-control-set"]);
        assert_eq!(seen(r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\CurrentControlSet"), Vec::<String>::new());
        assert_eq!(seen(r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet2"), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_show_in_a_name_is_pointed_at() {
        for hidden in
            ["\u{200b}", "\u{ad}", "\u{a0}", "\u{200d}", "\u{2060}", "\u{fe0f}", "\u{e0041}", "\u{3164}", "\t"]
        {
            assert_eq!(seen(&format!("HKEY_USERS\\😀{hidden}b{hidden}")), ["14 hidden-character"], "{hidden:?}");
        }
        assert_eq!(seen("HKEY_USERS\\é 日本語 שלום"), Vec::<String>::new());
    }

    #[test]
    fn a_key_name_has_255_characters_at_most() {
        let long = |count| seen(&format!("HKEY_USERS\\{}", "k".repeat(count)));
        assert_eq!((long(255), long(256)), (vec![], vec!["12 key-name-too-long".to_owned()]));
    }

    #[test]
    fn quotation_marks_in_names_are_double() {
        assert_eq!(seen("HKEY_USERS\\“a”"), ["12 smart-quote-in-name"]);
        assert_eq!(seen("HKEY_USERS\\l’application"), Vec::<String>::new());
    }

    #[test]
    fn a_quotation_mark_closes_before_an_equals_sign_or_the_end() {
        let column = |line: &str| {
            let units: Vec<u16> = line.encode_utf16().collect();
            smart_quote_that_closes(&units).map(|rest| units.len() - rest.len())
        };
        assert_eq!(column("\"a”b” =1"), Some(4));
        assert_eq!(column("\"a\"=\"b” "), Some(6));
        assert_eq!(column("\"a\"=\"b”c"), None);
    }
}
