//! Detects expectations that follow the grammar but that no data, or all data, meet.

use std::collections::BTreeMap;

use crate::baseline::{Accepted, BUILT_IN, Baseline, Compare, ExpectedKey, ExpectedValue, Presence, Rule, SystemRoot};
use crate::registry::{Name, Role};

/// The id of a row, and what is wrong with the row.
type Wrong = (String, String);

/// A `but` in a template is not an error of the file that accepts its data.
pub(super) const NEVER_BUT: &str = "an entry of `but` is never reached: its data are accepted";

/// The place of a value: the hive, the key, the name.
type Place = (Role, Name, Name);

/// Returns the errors in a baseline's rows.
pub(super) fn check(baseline: &Baseline) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for key in &baseline.keys {
        of_key(key, &mut wrong);
        for value in &key.values {
            of_value(baseline, key, value, &mut wrong);
        }
    }
    for step in &baseline.steps {
        wrong.extend(step.when.contradiction().map(|why| (step.id.clone(), format!("never checked: {why}"))));
    }
    below_absent(baseline, &mut wrong);
    stated_twice(baseline, &mut wrong);
    wrong
}

fn of_key(key: &ExpectedKey, wrong: &mut Vec<Wrong>) {
    let mut say = |message: String| wrong.push((key.id.clone(), message));
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !key.id.split('-').all(is_word) {
        say("an id is made of small letters, digits and single hyphens".to_owned());
    }
    if let Some(why) = key.when.contradiction() {
        say(format!("never checked: {why}"));
    }
    if key.each_subkey.is_some() && key.values.is_empty() && !key.closed && key.presence != Presence::Absent {
        say("each-subkey expects nothing of the subkeys: it has no values".to_owned());
    }
}

fn of_value(baseline: &Baseline, key: &ExpectedKey, value: &ExpectedValue, wrong: &mut Vec<Wrong>) {
    let mut say = |message: String| wrong.push((format!("{}/{}", key.id, value.name), message));
    if value.when != key.when
        && let Some(why) = value.when.contradiction()
    {
        say(format!("never checked: {why}"));
    }
    if let Rule::OneOf { accepted, compare } = &value.rule {
        for (at, alternative) in accepted.iter().enumerate() {
            if let Some(why) = alternative.when.contradiction() {
                say(format!("an entry of `or` is never reached: {why}"));
            }
            if accepted.iter().take(at).any(|earlier| covers(earlier, alternative, &value.name, *compare)) {
                say(format!("entry {at} of `or` is never reached: data before it are the same"));
            }
        }
        for exception in &value.exceptions {
            let as_accepted = Accepted::from(exception.value.clone());
            if accepted.iter().any(|accepted| covers(accepted, &as_accepted, &value.name, *compare)) {
                say(NEVER_BUT.to_owned());
            }
        }
    }
    if let Some(same_as) = &value.same_as {
        let wanted = Name::from(same_as.value.as_str());
        let has = |baseline: &Baseline| {
            let mut keys = baseline.keys.iter().filter(|other| other.id == same_as.key);
            keys.any(|other| other.values.iter().any(|value| Name::from(value.name.as_str()) == wanted))
        };
        // The comparison with another Windows' row applies where that row exists.
        if !has(baseline) && !BUILT_IN.iter().any(|built_in| built_in.read().is_ok_and(has)) {
            say(format!("same-as names {}/{}, which is not a row", same_as.key, same_as.value));
        }
    }
}

/// Returns whether unconditionally accepted data have the same effect as other accepted data.
fn covers(earlier: &Accepted, other: &Accepted, name: &str, compare: Compare) -> bool {
    let same = || compare.same(name, &other.value, &earlier.value, &SystemRoot::new(None)) == Some(None);
    (earlier.when.is_always() || earlier.when == other.when) && same()
}

fn place(key: &ExpectedKey) -> (Role, Name) {
    (key.role, Name::from(key.path.as_str()))
}

/// Reports rows below a key that should not exist.
fn below_absent(baseline: &Baseline, wrong: &mut Vec<Wrong>) {
    let absent = baseline.keys.iter().filter(|key| key.presence == Presence::Absent && key.each_subkey.is_none());
    let absent: BTreeMap<(Role, Name), &ExpectedKey> = absent.map(|key| (place(key), key)).collect();
    if absent.is_empty() {
        return;
    }
    for key in baseline.keys.iter().filter(|key| key.presence != Presence::Absent) {
        let mut path = key.path.as_str();
        loop {
            let above = absent.get(&(key.role, path.into()));
            if let Some(above) = above.filter(|above| above.when.is_always() || above.when == key.when) {
                wrong.push((key.id.clone(), format!("cannot exist: {} expects {} to be absent", above.id, above.path)));
                break;
            }
            match path.rsplit_once('\\') {
                Some((parent, _)) => path = parent,
                None => break,
            }
        }
    }
}

/// Reports values that two rows state under conditions that can both hold.
fn stated_twice(baseline: &Baseline, wrong: &mut Vec<Wrong>) {
    let mut seen: BTreeMap<Place, Vec<(&ExpectedKey, &ExpectedValue)>> = BTreeMap::new();
    for key in baseline.keys.iter().filter(|key| key.each_subkey.is_none()) {
        let (role, path) = place(key);
        for value in &key.values {
            let earlier = seen.entry((role, path.clone(), value.name.as_str().into())).or_default();
            let meets = |(_, other): &&(&ExpectedKey, &ExpectedValue)| {
                other.when == value.when || other.when.is_always() || value.when.is_always()
            };
            if let Some((first, other)) = earlier.iter().find(meets) {
                let message = if same_rule(&other.rule, &value.rule) {
                    format!("is stated twice: {}/{} says the same", first.id, other.name)
                } else {
                    format!("contradicts {}/{}, which states the same value", first.id, other.name)
                };
                wrong.push((format!("{}/{}", key.id, value.name), message));
            }
            // A few earlier rows are enough.
            if earlier.len() < 8 {
                earlier.push((key, value));
            }
        }
    }
}

fn same_rule(one: &Rule, other: &Rule) -> bool {
    let first = |rule: &Rule| match rule {
        Rule::OneOf { accepted, .. } => accepted.iter().map(|accepted| accepted.value.clone()).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    match (one, other) {
        (Rule::OneOf { .. }, Rule::OneOf { .. }) => first(one) == first(other),
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}
