//! Merges a `.reg` file into a hive in memory as hivexregedit does: what Win::Hivex::Regedit and hivex 1.3.23 do with
//! the steps of a file in this hive.
//!
//! A section rewrites the whole list of its key's values. Values whose names match one of the section's are removed,
//! the others keep their order, and the section's values follow. Missing parents are never created. If a step fails,
//! nothing of the file is kept, because the hive is written only once, at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::Hive;
use super::cell::BIG_DATA_SEGMENT;
use super::list::{List, Listed};
use super::overlay::{Overlay, Step as Way};
use super::tree::{Key, Tree};
use crate::reg_file::hivex_names::{cut_at_nul, decoded, lower_bytes, lower_units};
use crate::reg_file::{Reading, Section, SetValue, Step};
use crate::registry::{DataType, Name, RegistryValue};

mod told;

pub use told::{Harm, Merged, Stop, Stopped};

/// More bytes than hivex writes into one cell, including its size (`HIVEX_MAX_ALLOCATION`).
const MOST_WRITTEN: usize = 1_000_000 - 4;

/// Merges a file that was read as hivexregedit reads it. `--prefix` names the place where the hive is mounted. Returns
/// the result of each step, in order. Existing edits of the hive are treated as part of it.
///
/// # Errors
/// Returns an error if hivexregedit stops. Then the edits are unchanged.
pub fn merge(hive: &Hive, overlay: &mut Overlay, reading: &Reading, prefix: &str) -> Result<Vec<Merged>, Stopped> {
    let Some(steps) = &reading.merge else { return Ok(Vec::new()) };
    let mut edited = overlay.clone();
    let mut merged = Vec::new();
    let whole = hive.tree();
    for step in &steps.steps {
        let path = below(step.path(), prefix);
        let planned = {
            let tree = whole.with(&edited);
            match step {
                Step::Section(section) => merge_section(&tree, hive.base_block().minor, path, section),
                Step::Delete { .. } => delete_key(&tree, path),
            }
        };
        let (done, edit) = planned.map_err(|stop| Stopped {
            line: step.line(),
            reason: stop.to_string(),
            unreadable: matches!(stop, Stop::Unreadable(_)),
        })?;
        edit.carry_out(&mut edited);
        merged.push(done);
    }
    if let Some(stop) = &steps.stop {
        return Err(Stopped { line: stop.line, reason: stop.sentence().into_owned(), unreadable: false });
    }
    *overlay = edited;
    Ok(merged)
}

/// Returns why hivexregedit must not apply an edit of a value: its side effect, or why it stops, in a sentence without
/// a full stop. `None` if it applies the edit and nothing else. `data` is the new data, `None` if the value is deleted.
///
/// A key that does not exist yet is created without harm.
pub fn foresee(hive: &Hive, key: &str, name: &str, data: Option<&RegistryValue>) -> Option<String> {
    let name = name.as_bytes().to_vec();
    let mut section = Section::default();
    match data {
        None => section.deletes.push((0, name)),
        Some(value) => {
            let (data_type, bytes) = (value.data_type.0, value.bytes.clone());
            section.sets.push(SetValue { line: 0, name, data_type, bytes });
        }
    }
    let tree = hive.tree();
    match look_up(&tree, key.as_bytes()) {
        Ok(None) => return None,
        Ok(Some(_)) => {}
        Err(stop) => return Some(stop.to_string()),
    }
    match merge_section(&tree, hive.base_block().minor, key.as_bytes(), &section) {
        Ok((merged, _)) => merged.harm.first().map(Harm::to_string),
        Err(stop) => Some(stop.to_string()),
    }
}

/// Returns the path of a step without the prefix. The prefix is cut off as text, without case for ASCII letters,
/// wherever a name may end.
pub(crate) fn below<'p>(path: &'p [u8], prefix: &str) -> &'p [u8] {
    let split = path.split_at_checked(prefix.len());
    split.filter(|(head, _)| head.eq_ignore_ascii_case(prefix.as_bytes())).map_or(path, |(_, rest)| rest)
}

/// The effect of a step on the edits of the hive.
enum Edit {
    None,
    Delete(Vec<Way>),
    Write { way: Vec<Way>, fresh: Option<List>, removed: Vec<usize>, added: Vec<Listed> },
}

impl Edit {
    fn carry_out(self, overlay: &mut Overlay) {
        match self {
            Self::None => {}
            Self::Delete(way) => overlay.delete_found(&way),
            Self::Write { way, fresh, removed, added } => overlay.write_list(&way, fresh, &removed, added),
        }
    }
}

type Planned = (Merged, Edit);

/// Deletes a key, as `_delete_node` does.
fn delete_key(tree: &Tree<'_>, path: &[u8]) -> Result<Planned, Stop> {
    let Some((key, way)) = look_up(tree, path)? else {
        return Ok((Merged { key: shown(path), ..Merged::default() }, Edit::None));
    };
    if way.is_empty() {
        return Err(Stop::Root);
    }
    Ok((Merged { key: key.path().to_owned(), changed: true, ..Merged::default() }, Edit::Delete(way)))
}

/// Merges a section, as `_merge_node` does.
fn merge_section(tree: &Tree<'_>, minor: u32, path: &[u8], section: &Section) -> Result<Planned, Stop> {
    // A name is looked up as written, and stored up to its NUL.
    let names = section.names().chain(section.sets.iter().map(|set| cut_at_nul(&set.name)));
    let meant: BTreeSet<Name> = names.map(|name| Name::of_units(decoded(name))).collect();
    let lower: BTreeSet<Vec<char>> = section.names().map(lower_bytes).collect();
    let mut merged = Merged::default();
    let (way, known, fresh) = if let Some((key, way)) = look_up(tree, path)? {
        merged.key.push_str(key.path());
        let known = key.hivex_list();
        let fresh = match known {
            Some(_) => None,
            None => Some(first_list(&key, minor, &meant, &lower, &mut merged)?),
        };
        (way, known, fresh)
    } else {
        let (key, way, harm) = new_key(tree, path)?;
        (merged.key, merged.changed, merged.harm) = (key, true, harm);
        (way, None, Some(List::default()))
    };
    let empty = List::default();
    let list = known.or(fresh.as_ref()).unwrap_or(&empty);
    let mut removed = BTreeSet::new();
    if let Some(known) = known {
        let firsts = meant.iter().filter_map(|name| known.get(known.named(name).next()?));
        merged.before.extend(firsts.map(|entry| (entry.name.clone(), entry.value.clone())));
        removed.extend(lower.iter().flat_map(|name| known.looking_like(name)));
        for entry in removed.iter().filter_map(|place| known.get(*place)) {
            if !meant.contains(&Name::of_units(entry.name.iter().copied())) {
                merged.harm.push(Harm::Removed { name: String::from_utf16_lossy(&entry.name) });
            }
        }
    }
    let stays = |name: &Name| list.named(name).find(|place| !removed.contains(place)).and_then(|place| list.get(place));
    let mut first = BTreeMap::new();
    let mut added = Vec::new();
    for set in &section.sets {
        let entry = new_value(set)?;
        let (name, size) = (String::from_utf16_lossy(&entry.name), entry.value.bytes.len());
        if minor > 3 && size > BIG_DATA_SEGMENT {
            merged.harm.push(Harm::OneCell { name: name.clone(), size });
        }
        let known = Name::of_units(entry.name.iter().copied());
        if first.contains_key(&known) || stays(&known).is_some() {
            merged.harm.push(Harm::SecondValue { name });
        }
        first.entry(known).or_insert_with(|| entry.clone());
        added.push(entry);
    }
    let after = meant.iter().filter_map(|name| stays(name).or(first.get(name)));
    merged.after = after.map(|entry| (entry.name.clone(), entry.value.clone())).collect();
    let removed = removed.into_iter().collect();
    Ok((merged, Edit::Write { way, fresh, removed, added }))
}

/// Returns the list of a key's values when it is first rewritten, without the removed values.
fn first_list(
    key: &Key<'_, '_>,
    minor: u32,
    meant: &BTreeSet<Name>,
    lower: &BTreeSet<Vec<char>>,
    merged: &mut Merged,
) -> Result<List, Stop> {
    let (mut list, mut seen) = (List::default(), BTreeSet::new());
    for value in key.hivex_values()? {
        let windows = Name::of_units(value.name.iter().copied());
        let is_meant = meant.contains(&windows);
        if is_meant
            && seen.insert(windows)
            && let Ok(read) = &value.value
        {
            merged.before.push((value.name.clone(), read.clone()));
        }
        // A name that cannot be lower-cased cannot be read either, and that was reported before.
        if lower_units(&value.name).is_some_and(|name| lower.contains(&name)) {
            if !is_meant {
                merged.harm.push(Harm::Removed { name: value.shown });
            }
            continue;
        }
        let read = value.value?;
        if read.bytes.len() > MOST_WRITTEN {
            return Err(Stop::TooLong { name: value.shown, size: read.bytes.len() });
        }
        let name: Vec<u16> = value.name.iter().copied().take_while(|&unit| unit != 0).collect();
        if name.len() < value.name.len() {
            merged.harm.push(Harm::Renamed { name: value.shown.clone() });
        }
        if minor > 3 && read.bytes.len() > BIG_DATA_SEGMENT && !value.in_one_cell {
            merged.harm.push(Harm::OneCell { name: value.shown, size: read.bytes.len() });
        }
        list.push(Listed { name, value: read });
    }
    Ok(list)
}

/// Returns a value that a section adds.
fn new_value(set: &SetValue) -> Result<Listed, Stop> {
    let cut = cut_at_nul(&set.name);
    let name = str::from_utf8(cut).map_err(|_| Stop::NotUtf8(shown(cut)))?;
    if set.bytes.len() > MOST_WRITTEN {
        return Err(Stop::TooLong { name: name.to_owned(), size: set.bytes.len() });
    }
    let value = RegistryValue { data_type: DataType(set.data_type), bytes: set.bytes.clone() };
    Ok(Listed { name: name.encode_utf16().collect(), value })
}

/// Returns the path of a key to create, the steps to it, and the harm that this does.
fn new_key(tree: &Tree<'_>, path: &[u8]) -> Result<(String, Vec<Way>, Vec<Harm>), Stop> {
    // Without a name at its end the path is its own parent, and that was not found.
    let (parent, name) = match path.iter().rposition(|&byte| byte == b'\\') {
        Some(last) => path.split_at_checked(last.saturating_add(1)).unwrap_or((path, &[])),
        None => (&[][..], path),
    };
    let (parent, name) = if name.is_empty() { (path, path) } else { (parent, name) };
    let Some((key, mut way)) = look_up(tree, parent)? else {
        return Err(Stop::MissingParent(shown(parent)));
    };
    let name = cut_at_nul(name);
    if name.is_empty() {
        return Err(Stop::NoName);
    }
    let name = str::from_utf8(name).map_err(|_| Stop::NotUtf8(shown(name)))?;
    if key.hivex_child(name)?.is_some() {
        return Err(Stop::Exists);
    }
    way.push(key.hivex_new_child(name)?);
    let is_second = matches!(key.subkey(name), Ok(Some(_)));
    let harm = if is_second { vec![Harm::SecondKey { name: name.to_owned() }] } else { Vec::new() };
    let path = if key.path().is_empty() { name.to_owned() } else { format!("{}\\{name}", key.path()) };
    Ok((path, way, harm))
}

/// Looks up a key as `_node_lookup` does: `split` drops empty names at the end, and then an empty name at the beginning
/// is dropped.
fn look_up<'t, 'h>(tree: &'t Tree<'h>, path: &[u8]) -> Result<Option<(Key<'t, 'h>, Vec<Way>)>, Stop> {
    let kept = path.iter().rposition(|&byte| byte != b'\\').map_or(0, |last| last.saturating_add(1));
    let path = path.get(..kept).unwrap_or_default();
    let mut key = tree.root().map_err(Stop::Unreadable)?;
    let mut way = Vec::new();
    if path.is_empty() {
        return Ok(Some((key, way)));
    }
    for name in path.strip_prefix(b"\\").unwrap_or(path).split(|&byte| byte == b'\\') {
        // A name that is not UTF-8 cannot match a name of the hive.
        let Ok(name) = str::from_utf8(cut_at_nul(name)) else { return Ok(None) };
        let Some((child, step)) = key.hivex_child(name)? else { return Ok(None) };
        way.push(step);
        key = child;
    }
    Ok(Some((key, way)))
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
