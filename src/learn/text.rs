//! A learned baseline as a file.

use std::fmt::{self, Write as _};

use toml::Value;

use super::Teacher;
use super::id::{Ids, slug};
use super::merge::{Merged, MergedKey, MergedValue};
use crate::baseline::whole::name_of;
use crate::registry::{DataType, RegistryValue, Role};

/// Returns the text, and the number of values that it expects.
pub(super) fn write(
    merged: &Merged,
    role: Role,
    teachers: &[Teacher],
    keys: &[String],
    recursive: bool,
) -> (String, usize) {
    let mut text = String::new();
    let mut values = 0_usize;
    let mut line = |line: fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    };
    let named = keys.first().map(String::as_str).unwrap_or_default();
    line(format_args!(
        "# Learned by `hivemend baseline learn` from {} of known-good Windows.",
        plural(teachers.len(), "hive")
    ));
    line(format_args!("id = {}", string(&format!("learned-{}", slug(named)))));
    line(format_args!("name = {}", string(&format!("Learned: {}", keys.join(", ")))));
    line(format_args!("\n[defaults]"));
    line(format_args!("hive = {}", string(role.as_str())));
    line(format_args!("why = \"This is what the known-good hives have here.\""));
    line(format_args!("source = {}", string(&source(teachers))));
    line(format_args!("grade = \"{}\"", grade(distinct(teachers, None))));
    line(format_args!("expect = \"present\""));
    line(format_args!("others = \"unexpected\""));
    if recursive {
        line(format_args!("subkeys = \"unexpected\""));
    }
    line(format_args!("compare = \"bytes\""));
    let mut ids = Ids::default();
    let all = distinct(teachers, None);
    for key in merged.keys() {
        line(format_args!("\n[[key]]"));
        line(format_args!("id = \"{}\"", ids.of(role, &key.path)));
        line(format_args!("path = {}", string(&key.path)));
        if let Some(presence) = presence(merged, key) {
            line(format_args!("{presence}"));
        }
        let of_key = distinct(teachers, Some(key));
        if grade(of_key) != grade(all) {
            line(format_args!("grade = \"{}\"", grade(of_key)));
        }
        if let Some(link) = &key.link {
            line(format_args!("link = {}", string(link)));
        }
        if !key.values.is_empty() {
            line(format_args!("\n[key.values]"));
        }
        for value in &key.values {
            line(format_args!("{} = {}", name_of(&value.name), row(value, key.count())));
        }
        values = values.saturating_add(key.values.len());
    }
    (text, values)
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("{count} {what}") } else { format!("{count} {what}s") }
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn source(teachers: &[Teacher]) -> String {
    let names = teachers.iter().map(|teacher| format!("{} (SHA-256 {})", teacher.name, teacher.sha256));
    format!("learned from {}", names.collect::<Vec<_>>().join(", "))
}

/// Returns the number of different hives; with a key, only those that have it.
fn distinct(teachers: &[Teacher], key: Option<&MergedKey>) -> usize {
    let has = |number: usize| key.is_none_or(|key| key.seen.get(number).copied().unwrap_or_default());
    let seen = teachers.iter().enumerate().filter(|(number, _)| has(*number)).map(|(_, teacher)| &teacher.sha256);
    seen.collect::<std::collections::BTreeSet<_>>().len()
}

fn grade(hives: usize) -> &'static str {
    if hives > 1 { "confirmed" } else { "single-source" }
}

/// Returns the `presence` of a key that some hives lack: `with-parent` if it is missing only together with its parent.
fn presence(merged: &Merged, key: &MergedKey) -> Option<&'static str> {
    if key.seen.iter().all(|seen| *seen) {
        return None;
    }
    let parent = merged.parent_of(key);
    let only_with_parent = parent.is_some_and(|parent| parent.seen == key.seen);
    Some(if only_with_parent { "expect = \"with-parent\"" } else { "optional = true" })
}

/// Returns a value's row. `hives` is the number of hives that have its key.
fn row(value: &MergedValue, hives: usize) -> String {
    let mut row = String::from("{ ");
    let mut data = value.data.iter();
    if let Some(first) = data.next() {
        row.push_str(&datum(first));
    }
    let rest: Vec<String> = data.map(|other| format!("{{ {} }}", datum(other))).collect();
    if !rest.is_empty() {
        row.push_str(", or = [");
        row.push_str(&rest.join(", "));
        row.push(']');
    }
    if value.seen < hives {
        row.push_str(", optional = true");
    }
    row.push_str(" }");
    row
}

/// Returns data as a row states them: by the name of the type if that preserves every byte, otherwise as bytes.
fn datum(value: &RegistryValue) -> String {
    let said = match value.data_type {
        DataType::SZ | DataType::EXPAND_SZ => {
            let text = value.as_text().filter(|text| RegistryValue::text(value.data_type, text) == *value);
            text.map(Value::String)
        }
        DataType::MULTI_SZ => {
            let list = value.as_list().filter(|list| RegistryValue::list(list) == *value);
            list.map(|list| Value::Array(list.into_iter().map(Value::String).collect()))
        }
        DataType::DWORD | DataType::QWORD => {
            value.as_number().and_then(|number| i64::try_from(number).ok()).map(Value::Integer)
        }
        DataType::BINARY => Some(Value::String(value.raw_hex())),
        _ => None,
    };
    match said {
        Some(said) => format!("{} = {said}", value.data_type),
        None => format!("type = {}, hex = \"{}\"", value.data_type.0, value.raw_hex()),
    }
}
