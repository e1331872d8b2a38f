//! Decides whether Windows treats data as what a baseline expects: spelled as expected, or in another form that
//! `src/baselines/same-effect.toml` lists with its source.

use super::grammar;
use super::path::{SystemRoot, same_command};
use super::rule::Compare;
use super::tables::{Form, same_effect};
use crate::registry::{DataType, RegistryValue, same_text};

/// Why data in another form have the same effect; `None` if they are spelled alike.
pub type Note = Option<String>;

impl Compare {
    /// Returns the note if `observed` has the same effect as `accepted` in the value `name`; `None` if it has not.
    pub fn same(
        self,
        name: &str,
        observed: &RegistryValue,
        accepted: &RegistryValue,
        root: &SystemRoot,
    ) -> Option<Note> {
        // What is spelled as expected, down to the byte, has no other form.
        if self == Self::Bytes || observed == accepted {
            return (observed == accepted).then_some(None);
        }
        let mut forms = Vec::new();
        let trimmed = without_trailing_nuls(observed);
        let observed = match &trimmed {
            Some(trimmed) => {
                forms.push(Form::TrailingNuls);
                trimmed
            }
            None => observed,
        };
        if observed.data_type != accepted.data_type {
            if !is_plain_string(observed, accepted) {
                return None;
            }
            forms.push(Form::PlainString);
        }
        if let (Some(observed), Some(accepted)) = (observed.as_list(), accepted.as_list()) {
            if self == Self::Exact {
                return (observed == accepted).then_some(None);
            }
            if !same_set(&observed, &accepted) {
                return None;
            }
            let in_order = observed.iter().zip(&accepted).all(|(a, b)| same_text(a, b));
            forms.extend((!in_order).then_some(Form::ListOrder));
            return note_of(&forms, name);
        }
        match (observed.as_text(), accepted.as_text()) {
            (Some(observed), Some(accepted)) => match self {
                Self::Exact if observed != accepted => return None,
                Self::Path => forms.extend(same_command(&observed, &accepted, root)?),
                Self::Text | Self::Set if !same_text(&observed, &accepted) => {
                    let note = same_account(name, &observed, &accepted)?;
                    return Some(Some(note.to_owned()));
                }
                _ => {}
            },
            _ if observed.bytes != accepted.bytes => return None,
            _ => {}
        }
        note_of(&forms, name)
    }
}

/// Returns the notes on these forms; `None` if the value `name` may not have one of them.
fn note_of(forms: &[Form], name: &str) -> Option<Note> {
    let mut notes = Vec::new();
    for form in forms {
        let row = same_effect().form.iter().find(|row| row.form == *form)?;
        if !row.values.is_empty() && !row.values.iter().any(|value| same_text(value, name)) {
            return None;
        }
        notes.push(row.note.as_str());
    }
    Some((!notes.is_empty()).then(|| notes.join(" ")))
}

/// Returns why data of the value `name` in a service's key have the same effect as no value; `None` if they have not.
pub fn same_as_absent(path: &str, name: &str, data: &RegistryValue) -> Option<&'static str> {
    if !is_service(path) {
        return None;
    }
    let trimmed = without_trailing_nuls(data);
    let data = trimmed.as_ref().unwrap_or(data);
    let equal = |listed: &toml::Value| grammar::datum(listed).is_ok_and(|listed| same_data(&listed, data));
    let mut rows = same_effect().absent.iter().filter(|row| same_text(&row.value, name));
    rows.find(|row| row.data.iter().any(equal)).map(|row| row.note.as_str())
}

/// Returns the notes on every other form of the expected data of the value `name` in a key.
pub fn notes_on(path: &str, name: &str, compare: Option<Compare>) -> Vec<String> {
    let table = same_effect();
    let mut notes: Vec<String> = Vec::new();
    if is_service(path) && compare != Some(Compare::Bytes) {
        let rows = table.absent.iter().filter(|row| same_text(&row.value, name));
        notes.extend(rows.map(|row| row.note.clone()));
    }
    if matches!(compare, Some(Compare::Text | Compare::Set)) {
        let rows = table.account.iter().filter(|row| same_text(&row.value, name));
        notes.extend(rows.map(|row| format!("{} are one account: {}", row.names.join(", "), row.note)));
    }
    let fits = |form: Form| match form {
        Form::Folder | Form::Quoted | Form::FullPath => compare == Some(Compare::Path),
        Form::ListOrder => compare == Some(Compare::Set),
        Form::PlainString | Form::TrailingNuls => matches!(compare, Some(Compare::Path | Compare::Text)),
    };
    let here = |values: &[String]| values.is_empty() || values.iter().any(|value| same_text(value, name));
    let rows = table.form.iter().filter(|row| fits(row.form) && here(&row.values));
    notes.extend(rows.map(|row| row.note.clone()));
    notes
}

fn same_data(a: &RegistryValue, b: &RegistryValue) -> bool {
    a.data_type == b.data_type && a.decoded().is_some() && a.decoded() == b.decoded()
}

fn same_account(name: &str, observed: &str, accepted: &str) -> Option<&'static str> {
    let mut rows = same_effect().account.iter().filter(|row| same_text(&row.value, name));
    let named = |names: &[String], account: &str| names.iter().any(|name| same_text(name, account));
    rows.find(|row| named(&row.names, observed) && named(&row.names, accepted)).map(|row| row.note.as_str())
}

/// Returns whether a key of a baseline is a service's own key: `CurrentControlSet\Services\BITS`, but no key below it.
fn is_service(path: &str) -> bool {
    path.strip_prefix(r"CurrentControlSet\Services\").is_some_and(|name| !name.contains('\\'))
}

/// Returns whether the data are REG_SZ instead of REG_EXPAND_SZ without anything to expand.
fn is_plain_string(observed: &RegistryValue, accepted: &RegistryValue) -> bool {
    (observed.data_type, accepted.data_type) == (DataType::SZ, DataType::EXPAND_SZ)
        && observed.as_text().is_some_and(|text| !text.contains('%'))
}

/// Returns the text with one NUL at its end, if only NULs follow the first one.
fn without_trailing_nuls(value: &RegistryValue) -> Option<RegistryValue> {
    if !matches!(value.data_type, DataType::SZ | DataType::EXPAND_SZ) {
        return None;
    }
    let (units, rest) = value.bytes.as_chunks::<2>();
    let end = units.iter().rposition(|unit| *unit != [0, 0]).map_or(0, |last| last.saturating_add(1));
    let nuls = units.len().saturating_sub(end);
    let bytes = units.get(..end.saturating_add(1))?.as_flattened().to_vec();
    (nuls > 1 && rest.is_empty()).then_some(RegistryValue { data_type: value.data_type, bytes })
}

/// Returns whether two lists name the same things. An empty string ends the list for Windows, so its position matters.
fn same_set(observed: &[String], accepted: &[String]) -> bool {
    let within = |some: &[String], all: &[String]| some.iter().all(|one| all.iter().any(|other| same_text(one, other)));
    within(observed, accepted) && within(accepted, observed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_set_without_case() {
        let list = |entries: &[&str]| entries.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(same_set(&list(&["EventSystem", "Rpcss"]), &list(&["RpcSs", "EventSystem"])));
        assert!(!same_set(&list(&["RpcSs"]), &list(&["RpcSs", "EventSystem"])));
        assert!(!same_set(&list(&["RpcSs", "", "EventSystem"]), &list(&["RpcSs", "EventSystem"])));
    }

    #[test]
    fn a_text_with_something_behind_its_nuls_is_not_trimmed() {
        let text = |text: &str| RegistryValue::text(DataType::SZ, text);
        assert_eq!(without_trailing_nuls(&text("a\0\0")), Some(text("a")));
        assert_eq!(without_trailing_nuls(&text("a")), None);
        assert_eq!(without_trailing_nuls(&text("a\0evil")), None);
        assert_eq!(without_trailing_nuls(&text("a\0evil\0\0")).unwrap().as_text(), None);
    }
}
