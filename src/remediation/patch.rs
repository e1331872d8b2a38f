//! Writes a plan as `.reg` files: the patch, and the rollback that undoes it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Edit, Plan, access, header};
use crate::control_set::key_name;
use crate::error::Error;
use crate::finding::ObservedDatum;
use crate::reg_file::{Dialect, Document, KeyPath, Operation, Refusal, comment_text, emit, refusals};
use crate::registry::{Role, same_name};

/// The place where a patch is imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The hive itself, loaded or edited by an offline tool: `ControlSetNNN` as in the hive.
    #[default]
    Offline,
    /// The running Windows: `CurrentControlSet`.
    Live,
}

impl Target {
    /// Returns the stable name, as in `--target` and the header of a patch.
    pub fn id(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Live => "live",
        }
    }

    /// Returns the target with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Offline, Self::Live].into_iter().find(|target| target.id() == id)
    }
}

/// Options for writing patch files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatchOptions {
    /// The dialect of the importer.
    pub dialect: Dialect,
    /// The place where they are imported.
    pub target: Target,
    /// The key where the SOFTWARE hive is loaded.
    pub software_root: String,
    /// The key where the SYSTEM hive is loaded.
    pub system_root: String,
}

impl Default for PatchOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::Regedit5,
            target: Target::Offline,
            software_root: r"HKEY_LOCAL_MACHINE\SOFTWARE".to_owned(),
            system_root: r"HKEY_LOCAL_MACHINE\SYSTEM".to_owned(),
        }
    }
}

/// Checks that two hives can be loaded at these keys separately.
///
/// # Errors
/// Returns an error if one of them is not a key below a root key, or if one is or contains the other.
pub fn check_roots(software: &str, system: &str) -> Result<(), Error> {
    let (software_key, system_key) = (root_key(software), root_key(system));
    for (option, text, key) in [("--software-root", software, &software_key), ("--system-root", system, &system_key)] {
        let below = key.below_root();
        if !key.has_known_root() || below.is_empty() || below.iter().any(Vec::is_empty) {
            let expected =
                r"Name a key below a root key by its long name, such as HKEY_LOCAL_MACHINE\OFFLINE".to_owned();
            return Err(Error::Usage { option, found: text.to_owned(), expected });
        }
    }
    let same = |(a, b): (&Vec<u16>, &Vec<u16>)| same_name(a.iter().copied(), b.iter().copied());
    if software_key.names().iter().zip(system_key.names()).all(same) {
        let expected = format!("Name a key for each hive, neither below the other; --software-root is {software}");
        return Err(Error::Usage { option: "--system-root", found: system.to_owned(), expected });
    }
    Ok(())
}

/// Returns the key that a hive is loaded at. A backslash at the end is ignored.
fn root_key(text: &str) -> KeyPath {
    KeyPath::from(text.trim_end_matches('\\'))
}

/// One file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFile {
    /// Its name in the installation's folder.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it rolls the patch back.
    pub is_rollback: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Correct,
    RollBack,
}

/// Returns the files of a plan: for each edited hive its patch and its rollback; for a live target one of each.
///
/// # Errors
/// Returns an error if the format cannot express an edit or its inverse. Nothing is omitted silently.
pub fn patch_files(plan: &Plan, options: &PatchOptions) -> Result<Vec<PatchFile>, Refusal> {
    let mut files = Vec::new();
    let mut write = |stem: &str, edits: &[&Edit]| -> Result<(), Refusal> {
        if edits.is_empty() {
            return Ok(());
        }
        let (patch, rollback) = match options.target {
            Target::Offline => (format!("{stem}.reg"), format!("{stem}.rollback.reg")),
            Target::Live => ("patch.reg".to_owned(), "rollback.reg".to_owned()),
        };
        for (name, direction) in [(patch, Direction::Correct), (rollback, Direction::RollBack)] {
            let bytes = emit(&document(plan, edits, direction, options), options.dialect)?;
            let is_rollback = direction == Direction::RollBack;
            files.push(PatchFile { name, bytes, is_rollback });
        }
        Ok(())
    };
    match options.target {
        Target::Live => write("", &plan.edits.iter().collect::<Vec<_>>())?,
        Target::Offline => {
            for role in [Role::Software, Role::System] {
                write(role.as_str(), &plan.edits.iter().filter(|edit| edit.hive == role).collect::<Vec<_>>())?;
            }
        }
    }
    Ok(files)
}

/// Returns the edits that a `.reg` file cannot express, or whose inverse it cannot express, by their index in the plan,
/// each with the reason.
pub fn unwritable(plan: &Plan, options: &PatchOptions) -> BTreeMap<usize, String> {
    let mut reasons = BTreeMap::new();
    for role in [Role::Software, Role::System] {
        let edits: Vec<(usize, &Edit)> = plan.edits.iter().enumerate().filter(|(_, edit)| edit.hive == role).collect();
        for direction in [Direction::Correct, Direction::RollBack] {
            let mut document = Document::default();
            for (_, edit) in &edits {
                document.push(operation(edit, state(edit, direction), options));
            }
            for refusal in refusals(&document, options.dialect) {
                if let Some((at, _)) = edits.get(refusal.operation) {
                    reasons.entry(*at).or_insert_with(|| format!("a .reg file cannot hold it: {}", refusal.reason));
                }
            }
        }
    }
    reasons
}

/// Returns the data that an edit leaves.
fn state(edit: &Edit, direction: Direction) -> Option<&ObservedDatum> {
    match direction {
        Direction::Correct => edit.after.as_ref(),
        Direction::RollBack => edit.before.as_ref(),
    }
}

fn document(plan: &Plan, edits: &[&Edit], direction: Direction, options: &PatchOptions) -> Document {
    let mut document = Document::default();
    for line in header(plan, edits, direction, options) {
        // An importer would read an equals sign in a comment as a value.
        document.comment(&comment_text(&line.replace('=', " is "), options.dialect));
    }
    match direction {
        Direction::Correct => {
            for edit in edits {
                document.push(operation(edit, state(edit, direction), options));
            }
        }
        // In reverse order, so that each step finds the state that it was made in.
        Direction::RollBack => {
            for edit in edits.iter().rev() {
                document.push(operation(edit, state(edit, direction), options));
            }
        }
    }
    document
}

/// Returns the comment at the head of the file. `verify` reads from it what the file is for.
fn header(plan: &Plan, edits: &[&Edit], direction: Direction, options: &PatchOptions) -> Vec<String> {
    let mut lines = vec![format!("Written by hivemend {}.", env!("CARGO_PKG_VERSION"))];
    let is_rollback = direction == Direction::RollBack;
    lines.extend(header::lines(is_rollback, plan.os.as_str(), options.dialect, options.target));
    for hive in plan.hives.iter().filter(|hive| edits.iter().any(|edit| edit.hive == hive.role)) {
        lines.push(header::hive_line(hive.role, hive.sha256.as_deref()));
    }
    match direction {
        Direction::Correct => {
            // Warnings about keys of another file do not help in this one.
            let is_here = |edit: &&Edit| edits.iter().any(|here| here.hive == edit.hive);
            let elsewhere: Vec<&Edit> = plan.edits.iter().filter(|edit| !is_here(edit)).collect();
            let elsewhere = access::warnings(&elsewhere, options.target);
            let warnings = plan.warnings.iter().filter(|warning| !elsewhere.contains(warning));
            lines.extend(warnings.map(|warning| format!("Before you import this file: {warning}")));
            lines.extend(plan.steps.iter().map(|step| format!("Left for the administrator: {step}")));
        }
        Direction::RollBack => {
            lines.extend(plan.rollback_limits.iter().map(|limit| format!("Not restored: {limit}.")));
        }
    }
    lines
}

fn operation(edit: &Edit, state: Option<&ObservedDatum>, options: &PatchOptions) -> Operation {
    let root = if edit.hive == Role::Software { &options.software_root } else { &options.system_root };
    let path = match (options.target, edit.control_set) {
        (Target::Live, Some(number)) => {
            edit.key.replacen(&key_name(number), "CurrentControlSet", usize::from(is_in_set(&edit.key, number)))
        }
        _ => edit.key.clone(),
    };
    let key = KeyPath::from(format!(r"{}\{path}", root.trim_end_matches('\\')).as_str());
    let name = edit.value.encode_utf16().collect();
    match state.map(ObservedDatum::value) {
        Some(value) => Operation::SetValue { key, name, data_type: value.data_type.0, bytes: value.bytes },
        None => Operation::DeleteValue { key, name },
    }
}

fn is_in_set(key: &str, number: u32) -> bool {
    key.starts_with(&key_name(number))
}
