//! A plan as `.reg` files: the patch, and the rollback that takes it back.

use super::{Edit, Plan, access};
use crate::control_set::key_name;
use crate::finding::ObservedDatum;
use crate::reg_file::{Dialect, Document, KeyPath, Operation, Refusal, comment_text, emit};
use crate::registry::Role;

/// Where a patch is to be imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Into the hive itself, loaded or by an offline tool: `ControlSetNNN` as the hive has it.
    #[default]
    Offline,
    /// Into the running Windows: `CurrentControlSet`.
    Live,
}

/// How patch files are written.
#[derive(Clone, Debug)]
pub struct PatchOptions {
    /// For which importer.
    pub dialect: Dialect,
    /// Where they are to be imported.
    pub target: Target,
    /// Where the SOFTWARE hive is loaded when they are.
    pub software_root: String,
    /// Where the SYSTEM hive is.
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

/// One file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFile {
    /// Its name in the installation's folder.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it takes the patch back.
    pub is_rollback: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Correct,
    RollBack,
}

/// The files of a plan: for each hive that has edits its patch and its rollback; for a live target one of each.
///
/// # Errors
/// Where the format cannot carry an edit or its inverse. Nothing is left out silently.
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

fn document(plan: &Plan, edits: &[&Edit], direction: Direction, options: &PatchOptions) -> Document {
    let mut document = Document::default();
    for line in header(plan, edits, direction, options) {
        // An importer takes an equals sign in a comment for a value.
        document.comment(&comment_text(&line.replace('=', " is "), options.dialect));
    }
    match direction {
        Direction::Correct => {
            for edit in edits {
                document.push(operation(edit, edit.after.as_ref(), options));
            }
        }
        // Backwards, so that each step meets the state that it was made in.
        Direction::RollBack => {
            for edit in edits.iter().rev() {
                document.push(operation(edit, edit.before.as_ref(), options));
            }
        }
    }
    document
}

/// The comment at the head. `verify` reads the second line.
fn header(plan: &Plan, edits: &[&Edit], direction: Direction, options: &PatchOptions) -> Vec<String> {
    let mut lines = vec![format!("Written by hivemend {}.", env!("CARGO_PKG_VERSION"))];
    let kind = if direction == Direction::Correct { "patch" } else { "rollback" };
    lines.push(format!("hivemend {kind} for {}. Do not import it into another Windows.", plan.os));
    for hive in plan.hives.iter().filter(|hive| edits.iter().any(|edit| edit.hive == hive.role)) {
        let sum = hive.sha256.as_deref().unwrap_or("not computed");
        lines.push(format!("{} hive, SHA-256 {sum}", hive.role));
    }
    if let Some(page) = options.dialect.code_page() {
        lines.push(format!("Text of code page {page}: import it where that is the ANSI code page."));
    }
    match direction {
        Direction::Correct => {
            // Warnings about keys of another file are of no use in this one.
            let is_here = |edit: &&Edit| edits.iter().any(|here| here.hive == edit.hive);
            let elsewhere: Vec<&Edit> = plan.edits.iter().filter(|edit| !is_here(edit)).collect();
            let elsewhere = access::warnings(&elsewhere, options.target);
            let warnings = plan.warnings.iter().filter(|warning| !elsewhere.contains(warning));
            lines.extend(warnings.map(|warning| format!("Before this is imported: {warning}")));
            lines.extend(plan.steps.iter().map(|step| format!("Left for the administrator: {step}")));
        }
        Direction::RollBack => {
            lines.extend(plan.rollback_limits.iter().map(|limit| format!("Not taken back: {limit}.")));
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
