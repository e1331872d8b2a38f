//! The expectation of a row, in words.

use super::row::Stated;
use crate::baseline::{Accepted, Action, Compare, ExpectedKey, ExpectedValue, Folders, Presence, Rule, When};
use crate::registry::{Decoded, RegistryValue};
use crate::report::escape::escape_data;

/// Returns what is expected, one line each.
pub(super) fn lines(stated: Stated<'_>) -> Vec<String> {
    let (mut lines, when) = match stated {
        Stated::Value(_, value) => (of_value(value), &value.when),
        Stated::Key(key) => (of_key(key), &key.when),
        Stated::Step(step) => (vec![step.advice.clone()], &step.when),
    };
    if !when.is_always() {
        lines.push(format!("only on: {when}"));
    }
    lines
}

fn of_key(key: &ExpectedKey) -> Vec<String> {
    let mut lines = vec![match key.presence {
        Presence::Absent => "The key should not exist.".to_owned(),
        Presence::Optional => "The key may be missing.".to_owned(),
        Presence::WithParent => "The key should exist if its parent key exists.".to_owned(),
        Presence::Required => "The key should exist.".to_owned(),
    }];
    if let Some(link) = &key.link {
        lines.push(format!("The key is a symbolic link to {}.", escape_data(link)));
    }
    if key.closed {
        lines.push("Any value that the baseline does not name is unexpected.".to_owned());
    }
    if key.subkeys.is_some() {
        lines.push("Any subkey that the baseline does not name is unexpected.".to_owned());
    }
    lines
        .extend(key.values.iter().map(|value| format!("{}: {}", escape_data(&value.name), of_value(value).join("; "))));
    lines
}

fn of_value(value: &ExpectedValue) -> Vec<String> {
    let mut lines = match &value.rule {
        Rule::OneOf { accepted, compare } => {
            let mut lines: Vec<String> = accepted.iter().enumerate().map(|(at, one)| of_accepted(at, one)).collect();
            lines.extend(match compare {
                Compare::Exact => None,
                Compare::Text => Some("compared without regard to letter case".to_owned()),
                Compare::Path => Some("compared as a command line: directory, program, arguments".to_owned()),
                Compare::Set => Some("compared as a set of names".to_owned()),
                Compare::Bytes => Some("compared byte for byte".to_owned()),
            });
            lines
        }
        Rule::Contains(entries) => vec![format!("a list that holds {}", entries.join(", "))],
        Rule::Members(services) => {
            vec![format!("a list that holds {}, each only if its ImagePath names this group", services.join(", "))]
        }
        Rule::Under { folders, known } => {
            let folders = match folders {
                Folders::System32 => "a file in System32",
                Folders::Windows => "a file in one of Windows' own folders",
            };
            let known: Vec<String> = known
                .iter()
                .map(|known| format!("{} ({}, of {})", known.subkey, known.data.join(" or "), known.of))
                .collect();
            let known = (!known.is_empty()).then(|| format!("known: {}", known.join(", ")));
            [folders.to_owned()].into_iter().chain(known).collect()
        }
        Rule::LacksAction(actions) => {
            let names = actions.iter().map(|action| match action {
                Action::Restart => "restart the service",
                Action::Reboot => "restart the computer",
                Action::RunCommand => "run a program",
            });
            vec![format!("failure actions without: {}", names.collect::<Vec<_>>().join(", "))]
        }
        Rule::DaclDenies { trustees, rights, hidden_from } => {
            let names: Vec<&str> = trustees.iter().map(|(_, name)| name.as_str()).collect();
            let rights: Vec<String> = rights
                .iter()
                .filter_map(|right| serde_json::to_value(right).ok()?.as_str().map(str::to_owned))
                .collect();
            let mut lines = vec![format!(
                "a security descriptor that grants none of {} to {}",
                rights.join(", "),
                names.join(", ")
            )];
            if !hidden_from.is_empty() {
                let names: Vec<&str> = hidden_from.iter().map(|(_, name)| name.as_str()).collect();
                lines.push(format!("and hides the service from none of {}", names.join(", ")));
            }
            lines
        }
        Rule::Absent => vec!["not set".to_owned()],
        Rule::Informational => vec!["anything: the value is shown, not judged".to_owned()],
        Rule::Unknown(reason) => vec![format!("nothing: {reason}")],
    };
    if value.optional {
        lines.push("may be missing".to_owned());
    }
    if let Some(same_as) = &value.same_as {
        lines.push(format!("the program in quotes only if it is in quotes in {}/{}", same_as.key, same_as.value));
    }
    lines
}

fn of_accepted(at: usize, accepted: &Accepted) -> String {
    let mut text = if at == 0 { String::new() } else { "or ".to_owned() };
    text.push_str(&data(&accepted.value));
    if !accepted.when.is_always() {
        text.push_str(&on(&accepted.when));
    }
    if let Some(note) = &accepted.note {
        text.push_str(": ");
        text.push_str(note);
    }
    text
}

/// Returns the explanations of known deviating data, one line each.
pub(super) fn exceptions(stated: Stated<'_>) -> Vec<String> {
    let Stated::Value(_, value) = stated else { return Vec::new() };
    let line = |exception: &crate::baseline::Exception| {
        let severity = serde_json::to_value(exception.severity).ok().and_then(|word| word.as_str().map(str::to_owned));
        format!(
            "{}{}: {}, {}",
            data(&exception.value),
            on(&exception.when),
            severity.unwrap_or_default(),
            exception.why
        )
    };
    value.exceptions.iter().map(line).collect()
}

fn on(when: &When) -> String {
    if when.is_always() { String::new() } else { format!(" (on {when})") }
}

/// Returns the data with their type.
fn data(value: &RegistryValue) -> String {
    let said = match value.decoded() {
        Some(Decoded::Text(text)) => format!("\"{}\"", escape_data(&text)),
        Some(Decoded::List(list)) => {
            format!("[{}]", list.iter().map(|entry| escape_data(entry)).collect::<Vec<_>>().join(", "))
        }
        Some(Decoded::Number(number)) => format!("{number} ({number:#x})"),
        None => value.raw_hex(),
    };
    format!("{} {said}", value.data_type)
}
