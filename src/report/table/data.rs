//! Data for people: expected and observed.

use crate::finding::{Datum, Expected, Finding, ObservedDatum, Remediation, Verdict};
use crate::registry::{DataType, Decoded};
use crate::report::escape::{escape, escape_data, escape_units, is_unseen};

/// The longest data that are shown whole. JSON has all data whole.
const LONGEST: usize = 200;
/// The longest data that are shown whole if a key is shown by itself.
const A_PAGE: usize = 3000;
/// The most bytes that are shown in hexadecimal.
const MOST_BYTES: usize = 32;
/// The longest name that is shown whole.
const LONGEST_NAME: usize = 300;

/// The longest line of alternatives. Longer ones are written on separate lines.
const ONE_LINE: usize = 24;

/// Returns the accepted data without duplicates, with their types if these differ.
pub(crate) fn expected(finding: &Finding) -> String {
    let what = match finding.expected {
        Expected::Key => Some("(the key)"),
        Expected::Absent => Some("(absent)"),
        Expected::Rule => Some("(see why)"),
        Expected::Nothing => Some("(nothing)"),
        Expected::OneOf(_) | Expected::Contains(_) | Expected::SameAs { .. } => None,
    };
    if let Some(what) = what {
        return what.to_owned();
    }
    let data = finding.expected.data();
    let mut accepted: Vec<(String, Vec<DataType>)> = Vec::new();
    for datum in data.iter() {
        let text = plain(datum).unwrap_or_else(|| "(binary)".to_owned());
        match accepted.iter_mut().find(|(known, _)| *known == text) {
            Some((_, types)) => types.push(datum.data_type),
            None => accepted.push((text, vec![datum.data_type])),
        }
    }
    let first = data.first().map(|datum| datum.data_type);
    let one_type = data.iter().all(|datum| Some(datum.data_type) == first);
    let show = |(text, types): (String, Vec<DataType>)| {
        if one_type { text } else { format!("{text} ({})", either(types)) }
    };
    let accepted: Vec<String> = accepted.into_iter().map(show).collect();
    let one_line = accepted.join(" or ");
    if one_line.len() <= ONE_LINE { one_line } else { accepted.join("\nor ") }
}

/// Returns the observed data, with a line for each remark on them.
pub(crate) fn observed(finding: &Finding) -> String {
    let Some(observed) = &finding.observed else {
        return match finding.verdict {
            Verdict::Unreadable => "(unreadable)",
            Verdict::Unexpected => "(the key exists)",
            Verdict::Absent if finding.value.is_none() => "(the key is missing)",
            Verdict::Deviates if finding.value.is_none() => "(the key exists)",
            _ => "(absent)",
        }
        .to_owned();
    };
    let mut lines = vec![value(observed)];
    let found = observed.datum.data_type;
    let accepted = finding.expected.data();
    if !accepted.is_empty() && accepted.iter().all(|datum| datum.data_type != found) {
        let mut types: Vec<DataType> = accepted.iter().map(|datum| datum.data_type).collect();
        types.dedup();
        lines.push(format!("wrong type {found}, {} expected", either(types)));
    }
    lines.extend(look_alikes(finding, observed));
    lines.join("\n")
}

/// Returns the change that would correct a value.
pub(crate) fn remediation(remediation: &Remediation) -> String {
    match remediation {
        Remediation::Set { datum, .. } => {
            let data = plain(datum).unwrap_or_else(|| "(binary)".to_owned());
            format!("set to {} {}", datum.data_type, shorten(&data, LONGEST, ""))
        }
        Remediation::DeleteValue => "delete the value".to_owned(),
    }
}

/// Returns any value's data.
pub(crate) fn value(observed: &ObservedDatum) -> String {
    let bytes = observed.raw.len();
    match plain(&observed.datum) {
        Some(text) => shorten(&text, LONGEST, &format!("({bytes} bytes)")),
        None => raw(observed, bytes),
    }
}

/// Returns a value's data for a line that already has the type. They are whole if they fit on a page.
pub(crate) fn beside_type(observed: &ObservedDatum) -> String {
    let (raw, counted) = (&observed.raw, format!("({} bytes)", observed.raw.len()));
    match plain(&observed.datum) {
        Some(text) => shorten(&text, A_PAGE, &counted),
        None if raw.is_empty() => "(no data)".to_owned(),
        None if is_text(observed) => shorten(&escape_units(units(without_end(raw))), A_PAGE, &counted),
        None => shorten(&digits(raw, A_PAGE), A_PAGE, &counted),
    }
}

/// Returns a name from evidence, cut if it is very long.
pub(crate) fn name(name: &str) -> String {
    let characters = name.chars().count();
    shorten(&escape_data(name), LONGEST_NAME, &format!("({characters} characters)"))
}

/// Returns prose from a baseline or about evidence.
pub(crate) fn prose(text: &str) -> String {
    escape(text).into_owned()
}

/// Returns prose with short times: `2012-03-20 15:40 UTC` instead of `2012-03-20T15:40:11.1234567Z`.
pub(crate) fn short_times(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('T') {
        let (before, after) = rest.split_at(at);
        let day = before.len().checked_sub(10).and_then(|start| before.get(start..));
        let day = day.is_some_and(|day| shaped(day, "0000-00-00"));
        // Seconds and their fractions follow the minutes.
        let length = after.find(|letter: char| !matches!(letter, 'T' | ':' | '.' | '0'..='9')).filter(|_| day);
        let time = length.filter(|length| after.get(*length..).is_some_and(|rest| rest.starts_with('Z')));
        match (after.get(..6), time) {
            (Some(minutes), Some(length)) if shaped(minutes, "T00:00") => {
                short.push_str(before);
                short.push_str(&minutes.replace('T', " "));
                short.push_str(" UTC");
                rest = after.get(length.saturating_add(1)..).unwrap_or_default();
            }
            _ => {
                let (read, unread) = rest.split_at(at.saturating_add(1));
                short.push_str(read);
                rest = unread;
            }
        }
    }
    short + rest
}

/// Returns whether a text matches a form, in which `0` stands for a digit.
fn shaped(text: &str, form: &str) -> bool {
    let same = |(letter, form): (char, char)| if form == '0' { letter.is_ascii_digit() } else { letter == form };
    text.len() == form.len() && text.chars().zip(form.chars()).all(same)
}

/// Returns the meaning of the data, if they hide nothing.
fn plain(datum: &Datum) -> Option<String> {
    Some(match datum.data.as_ref()? {
        Decoded::Number(number @ 0..10) => number.to_string(),
        Decoded::Number(number) => format!("{number} ({number:#x})"),
        Decoded::Text(text) if text.is_empty() => "\"\"".to_owned(),
        Decoded::Text(text) => escape_data(text),
        Decoded::List(entries) if entries.is_empty() => "(empty list)".to_owned(),
        Decoded::List(entries) => entries.iter().map(|entry| list_entry(entry)).collect::<Vec<_>>().join(", "),
    })
}

/// Returns an entry of a list, quoted if it could look like no entry or like two.
fn list_entry(entry: &str) -> String {
    let shown = escape_data(entry);
    if shown.is_empty() || shown.contains(", ") { format!("\"{shown}\"") } else { shown }
}

/// Returns data that hide something: strings with their hidden parts escaped, all other data in hexadecimal.
fn raw(observed: &ObservedDatum, bytes: usize) -> String {
    let data_type = observed.datum.data_type;
    let counted = format!("({bytes} bytes)");
    if bytes == 0 {
        return format!("{data_type}, no data");
    }
    if is_text(observed) {
        return shorten(&escape_units(units(without_end(&observed.raw))), LONGEST, &counted);
    }
    format!("{data_type} {}", shorten(&digits(&observed.raw, LONGEST), MOST_BYTES.saturating_mul(3), &counted))
}

/// Returns whether the bytes have a string type and are whole units.
fn is_text(observed: &ObservedDatum) -> bool {
    let strings = [DataType::SZ, DataType::EXPAND_SZ, DataType::LINK, DataType::MULTI_SZ];
    strings.contains(&observed.datum.data_type) && observed.raw.len().is_multiple_of(2)
}

/// Returns the bytes without the NUL at their end, which hides nothing.
fn without_end(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(&[0, 0]).unwrap_or(bytes)
}

/// Returns the first bytes in hexadecimal, separated so that a line can end between two.
fn digits(bytes: &[u8], most: usize) -> String {
    bytes.iter().take(most).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Returns the UTF-16 units of a string's bytes.
fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair))
}

/// Returns a note on characters beyond ASCII in no accepted data: `svсhost` with a Cyrillic letter looks correct.
fn look_alikes(finding: &Finding, observed: &ObservedDatum) -> Option<String> {
    if finding.verdict != Verdict::Deviates {
        return None;
    }
    let text_of = |datum: &Datum| match &datum.data {
        Some(Decoded::Text(text)) => text.clone(),
        Some(Decoded::List(entries)) => entries.concat(),
        _ => String::new(),
    };
    let accepted: String = finding.expected.data().iter().map(text_of).collect();
    let mut foreign: Vec<char> = text_of(&observed.datum)
        .chars()
        .filter(|character| !character.is_ascii() && !is_unseen(*character) && !accepted.contains(*character))
        .collect();
    foreign.sort_unstable();
    foreign.dedup();
    let more = if foreign.len() > 3 { ", ..." } else { "" };
    let codes: Vec<String> = foreign.iter().take(3).map(|&letter| format!("U+{:04X}", u32::from(letter))).collect();
    (!codes.is_empty()).then(|| format!("with {}{more}", codes.join(", ")))
}

fn either(mut types: Vec<DataType>) -> String {
    types.dedup();
    types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

fn shorten(text: &str, longest: usize, counted: &str) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}… {counted}", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::RegistryValue;

    fn shown(value_of: &RegistryValue) -> String {
        value(&value_of.into())
    }

    #[test]
    fn times_are_shortened_and_nothing_else() {
        assert_eq!(
            short_times("BITS (since 2012-03-20T15:40:11.1234567Z at the latest); 2012-03-20T15:40:11Z."),
            "BITS (since 2012-03-20 15:40 UTC at the latest); 2012-03-20 15:40 UTC."
        );
        for text in ["The Time", "T", "2012-03-20T15:40", "2012-03-20Tea", "日本語T15:40:11Z", "x-03-20T15:40:11Z"] {
            assert_eq!(short_times(text), text);
        }
    }

    #[test]
    fn numbers_show_hexadecimal_where_it_differs() {
        assert_eq!(shown(&RegistryValue::dword(3)), "3");
        assert_eq!(shown(&RegistryValue::dword(258)), "258 (0x102)");
        assert_eq!(shown(&RegistryValue::qword(u64::MAX)), "18446744073709551615 (0xffffffffffffffff)");
    }

    #[test]
    fn strings_show_what_would_not_be_seen() {
        let text = |text| shown(&RegistryValue::text(DataType::SZ, text));
        assert_eq!(text(""), "\"\"");
        assert_eq!(text("SensLogonEvent "), r"SensLogonEvent\u{20}");
        assert_eq!(text("good.dll\0C:\\evil.dll"), r"good.dll\u{0}C:\evil.dll");
        assert_eq!(text("good.dll\0"), r"good.dll\u{0}");
        assert_eq!(text(&"x".repeat(500)), format!("{}… (1002 bytes)", "x".repeat(200)));
    }

    #[test]
    fn lists_show_where_an_entry_begins() {
        assert_eq!(shown(&RegistryValue::list(&["RpcSs", "EventSystem"])), "RpcSs, EventSystem");
        assert_eq!(shown(&RegistryValue::list(&["a", "", "b, c"])), r#"a, "", "b, c""#);
        assert_eq!(shown(&RegistryValue::list::<&str>(&[])), "(empty list)");
    }

    #[test]
    fn data_that_are_no_text_show_their_type_and_bytes() {
        let binary = |data_type, bytes: &[u8]| shown(&RegistryValue { data_type, bytes: bytes.to_vec() });
        assert_eq!(binary(DataType::BINARY, &[1, 0xab]), "REG_BINARY 01 ab");
        assert_eq!(binary(DataType::DWORD, &[3, 0]), "REG_DWORD 03 00");
        assert_eq!(binary(DataType::SZ, &[0x41, 0, 0x42]), "REG_SZ 41 00 42");
        assert_eq!(binary(DataType(0x1234), &[]), "type 0x00001234, no data");
        assert!(binary(DataType::BINARY, &[0; 5000]).ends_with("… (5000 bytes)"));
    }
}
