//! Resolves typed text to a key of the hive.

use super::{Place, Subject};
use crate::control_set::{Choice, ControlSets, key_name};
use crate::error::{Error, Problem};
use crate::hive::walk::Way;
use crate::hive::{Key, Tree};
use crate::nearest::distance;
use crate::registry::{Role, same_text};
use crate::report::escape::escape_data;

/// The root keys with their short names.
const ROOTS: [(&str, &str); 5] = [
    ("HKEY_LOCAL_MACHINE", "HKLM"),
    ("HKEY_USERS", "HKU"),
    ("HKEY_CURRENT_USER", "HKCU"),
    ("HKEY_CLASSES_ROOT", "HKCR"),
    ("HKEY_CURRENT_CONFIG", "HKCC"),
];

/// The most names that are suggested for a missing one.
const NEAR: usize = 5;

/// Finds the key of a typed path: first as typed, then with each `\u{d}` or similar escape replaced with its character.
pub(super) fn find(subject: &Subject, text: &str) -> Result<Result<Place, Problem>, Error> {
    let literal: Vec<String> = text.split('\\').map(str::to_owned).collect();
    let none = match look_up(subject, text, &literal) {
        Err(none) => none,
        found => return found,
    };
    let as_printed = names_as_printed(text);
    if as_printed == literal { Err(none) } else { look_up(subject, text, &as_printed).map_err(|_| none) }
}

fn look_up(subject: &Subject, text: &str, names: &[String]) -> Result<Result<Place, Problem>, Error> {
    let tree = subject.hive.tree();
    let root = match tree.root() {
        Ok(root) => root,
        Err(problem) => return Ok(Err(problem)),
    };
    let typed: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let is_there = |name: Option<&&str>| name.is_some_and(|name| matches!(root.subkey(name), Ok(Some(_))));
    // A key of the hive itself takes precedence, whatever its name is.
    let names = if is_there(typed.first()) { typed.as_slice() } else { below_root(subject, text, &typed)? };
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    if let Some(first) = names.first_mut()
        && subject.role == Role::System
        && same_text(first, "CurrentControlSet")
        && !is_there(Some(&first.as_str()))
    {
        *first = current_control_set(subject, text, &tree)?;
    }
    let mut way = vec![root];
    for name in names {
        let Some(last) = way.last() else { break };
        match last.subkey(&name) {
            Ok(Some(key)) => way.push(key),
            Ok(None) => return Err(no_key(subject, text, missing(last, &name))),
            Err(problem) => return Ok(Err(problem)),
        }
    }
    Ok(Ok(Place(Way::to(&way))))
}

/// Returns the names in a path, with each `\u{...}` replaced with its character.
fn names_as_printed(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut pieces = text.split('\\');
    if let (Some(first), Some(name)) = (pieces.next(), names.last_mut()) {
        name.push_str(first);
    }
    for piece in pieces {
        let escape = piece.strip_prefix("u{").and_then(|rest| rest.split_once('}'));
        let character =
            escape.and_then(|(code, rest)| Some((u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?, rest)));
        match (character, names.last_mut()) {
            (Some((character, rest)), Some(name)) => {
                name.push(character);
                name.push_str(rest);
            }
            _ => names.push(piece.to_owned()),
        }
    }
    names
}

/// Returns the names without the key where the hive is loaded, if they begin with it.
fn below_root<'a, 'n>(subject: &Subject, text: &str, typed: &'a [&'n str]) -> Result<&'a [&'n str], Error> {
    let typed = match typed {
        [first, rest @ ..] if same_text(first, "Computer") => rest,
        all => all,
    };
    let Some(root) = typed.first().and_then(|first| root_key(first)) else { return Ok(typed) };
    let loaded: Vec<String> = subject.root.names().iter().map(|name| String::from_utf16_lossy(name)).collect();
    let same = |(at, name): (usize, &String)| match (at, typed.get(at)) {
        (0, _) => same_text(name, root),
        (_, Some(typed)) => same_text(name, typed),
        _ => false,
    };
    if loaded.iter().enumerate().all(same) {
        return Ok(typed.get(loaded.len()..).unwrap_or_default());
    }
    let belongs = match (root, subject.role) {
        (_, Role::Unknown) | ("HKEY_USERS", Role::Ntuser | Role::Default | Role::UsrClass) => true,
        ("HKEY_LOCAL_MACHINE", role) => typed.get(1).is_some_and(|name| same_text(name, role.as_str())),
        ("HKEY_CURRENT_USER", Role::Ntuser | Role::Default) => return Ok(typed.get(1..).unwrap_or_default()),
        _ => false,
    };
    if belongs {
        return Ok(typed.get(2..).unwrap_or_default());
    }
    let told = format!(
        "the hive is {}, and is assumed to be loaded as {}; name the key from the hive's root, or state with --root \
         where the hive is loaded",
        subject.role, subject.root
    );
    Err(no_key(subject, text, told))
}

/// Returns the long name of a root key.
fn root_key(name: &str) -> Option<&'static str> {
    let known = ROOTS.iter().find(|(long, short)| same_text(long, name) || same_text(short, name));
    known.map(|(long, _)| *long)
}

/// Returns the control set that `CurrentControlSet` stands for, because hives have no key with that name.
fn current_control_set(subject: &Subject, text: &str, tree: &Tree<'_>) -> Result<String, Error> {
    let chosen = ControlSets::read(tree).and_then(|sets| sets.chosen(Choice::Current));
    match chosen.as_deref() {
        Ok([number]) => Ok(key_name(*number)),
        Ok(_) => Err(no_key(subject, text, "Select names no control set".to_owned())),
        Err(problem) => {
            let problem = Problem { advice: None, ..problem.clone() };
            Err(no_key(subject, text, format!("{problem}; name the control set in its place, as ControlSet001")))
        }
    }
}

fn no_key(subject: &Subject, key: &str, told: String) -> Error {
    Error::NoKey { hive: subject.locator.clone(), key: escape_data(key), told }
}

/// Returns how much of the path exists, and the names beside the missing one.
fn missing(last: &Key<'_, '_>, name: &str) -> String {
    let place = if last.path().is_empty() { "the root".to_owned() } else { escape_data(last.path()) };
    let (subkeys, _) = last.subkeys();
    let mut near: Vec<(usize, String)> =
        subkeys.iter().map(Key::name).filter_map(|known| Some((distance(name, &known)?, known))).collect();
    near.sort();
    let names: Vec<String> = near.iter().take(NEAR).map(|(_, name)| escape_data(name)).collect();
    let instead = match (names.as_slice(), subkeys.len()) {
        (_, 0) => "no subkeys".to_owned(),
        ([], 1) => "another one".to_owned(),
        ([], count) => format!("{count} others"),
        (names, _) => names.join(", "),
    };
    format!("{place} exists, but has no subkey {}; it has {instead}", escape_data(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        assert_eq!(names_as_printed(r"a\b\u{d}\u{a}c\d"), ["a", "b\r\nc", "d"]);
        assert_eq!(names_as_printed(r"a\users\u{x}\u{110000}"), ["a", "users", "u{x}", "u{110000}"]);
        assert_eq!(names_as_printed(r"a!\u{5c}Ndi"), [r"a!\Ndi"]);
    }

    #[test]
    fn root_keys_are_known_for_short_too() {
        assert_eq!(root_key("hklm"), Some("HKEY_LOCAL_MACHINE"));
        assert_eq!(root_key("Hkey_Users"), Some("HKEY_USERS"));
        assert_eq!(root_key("SOFTWARE"), None);
    }
}
