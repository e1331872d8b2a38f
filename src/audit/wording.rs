//! Sentences of a finding beside its verdict: conclusions from the data.

use super::characters;
use crate::baseline::{Compare, Rule, SystemRoot};
use crate::error::Problem;
use crate::finding::{Finding, Remediation};
use crate::registry::{DataType, RegistryValue, same_text};

/// Marks a finding as unreadable: where, and what was found there.
pub(super) fn unreadable(finding: Finding, problem: &Problem) -> Finding {
    let why = format!("{} Reading failed: {problem}.", finding.why);
    Finding { why, observed: None, remediation: None::<Remediation>, ..finding }
}

/// Returns sentences on what the difference between the data means.
pub(super) fn deviation(rule: &Rule, observed: &RegistryValue, root: &SystemRoot) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Rule::OneOf { accepted, compare } = rule {
        let accepted: Vec<&RegistryValue> = accepted.iter().map(|accepted| &accepted.value).collect();
        if let Some(first) = accepted.first()
            && accepted.iter().all(|accepted| accepted.data_type != observed.data_type)
        {
            sentences.push(format!("The type is wrong: {} instead of {}.", observed.data_type, first.data_type));
        }
        if accepted.iter().any(|accepted| typed_in_decimal(accepted, observed)) {
            sentences
                .push("The digits are those of the correct hexadecimal number, but were entered as decimal.".into());
        }
        let text = as_windows_reads(observed);
        if *compare == Compare::Path && text.as_ref().is_some_and(|text| root.is_kernel_path(text)) {
            sentences.push(
                r"The path is spelled as the kernel spells paths (\??\). Drivers have such paths; no Windows has one here."
                    .into(),
            );
        }
        if let Some(text) = text {
            let expected: Vec<String> = accepted.iter().filter_map(|accepted| accepted.as_text()).collect();
            sentences.extend(characters::foreign(&text, &expected));
        }
    }
    sentences.extend(unclear(observed));
    sentences
}

/// Returns a sentence on the entries that a list lacks.
pub(super) fn not_in(entries: &[String], observed: &RegistryValue) -> Vec<String> {
    let mut sentences = vec![match missing_entries(entries, observed) {
        Some(missing) => format!("Missing from the list: {}.", missing.join(", ")),
        None => format!("The data are not a list of strings ({}).", observed.data_type),
    }];
    sentences.extend(unclear(observed));
    sentences
}

fn unclear(observed: &RegistryValue) -> Option<String> {
    (observed.decoded().is_none() && observed.data_type != DataType::BINARY)
        .then(|| "The data have no unambiguous reading; see the raw bytes.".to_owned())
}

/// Returns whether hexadecimal digits were typed into regedit's decimal field, so that 0x258 became 258.
fn typed_in_decimal(accepted: &RegistryValue, observed: &RegistryValue) -> bool {
    let (Some(wanted), Some(found)) = (accepted.as_number(), observed.as_number()) else { return false };
    wanted > 9 && wanted != found && format!("{wanted:x}") == found.to_string()
}

/// Returns the entries that a list lacks, or `None` if the data are not a list. Windows reads a list up to the first
/// empty string, so later entries do not count.
pub(super) fn missing_entries(entries: &[String], observed: &RegistryValue) -> Option<Vec<String>> {
    let list = observed.as_list()?;
    let seen: Vec<&String> = list.iter().take_while(|entry| !entry.is_empty()).collect();
    Some(entries.iter().filter(|entry| !seen.iter().any(|seen| same_text(seen, entry))).cloned().collect())
}

/// Returns a string as read by a program that stops at the first NUL and ignores malformed units. A hidden or
/// unreadable end does not make the path in front of it trustworthy.
pub(super) fn as_windows_reads(value: &RegistryValue) -> Option<String> {
    if !matches!(value.data_type, DataType::SZ | DataType::EXPAND_SZ) {
        return None;
    }
    let units = value.bytes.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Returns whether a value is a path that names a drive.
pub(super) fn names_a_drive(value: Option<&RegistryValue>) -> bool {
    value.and_then(RegistryValue::as_text).is_some_and(|text| text.get(1..3) == Some(r":\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_typed_in_decimal_is_named_as_such() {
        assert!(typed_in_decimal(&RegistryValue::dword(600), &RegistryValue::dword(258)));
        assert!(!typed_in_decimal(&RegistryValue::dword(600), &RegistryValue::dword(300)));
        assert!(!typed_in_decimal(&RegistryValue::dword(3), &RegistryValue::dword(3)));
    }

    #[test]
    fn a_path_ends_at_the_first_nul_whatever_hides_behind_it() {
        let hiding = RegistryValue::text(DataType::EXPAND_SZ, "C:\\evil.dll\0%SystemRoot%\\system32\\qmgr.dll");
        assert_eq!(as_windows_reads(&hiding).unwrap(), "C:\\evil.dll");
        assert_eq!(as_windows_reads(&RegistryValue::dword(1)), None);
    }

    #[test]
    fn what_stands_behind_an_empty_string_is_not_in_the_list() {
        let list = RegistryValue::list(&["Themes", "", "BITS"]);
        assert_eq!(missing_entries(&["BITS".into(), "themes".into()], &list).unwrap(), ["BITS"]);
    }
}
