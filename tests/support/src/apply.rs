//! Carries out `.reg` operations on a tree in memory, as regedit does on a registry.

use hivemend::reg_file::{Document, Operation};

use crate::builder::Key;

/// Carries out a document below `root`, the full path under which the tree is loaded.
///
/// A key that is made gets the time `made`; those that are there keep theirs.
///
/// # Errors
/// Returns an error if an operation is about a key outside of `root`, or deletes `root` itself: its line, and what it
/// asks for.
pub fn apply(document: &Document, root: &str, tree: &mut Key, made: u64) -> Result<(), (usize, String)> {
    for entry in &document.operations {
        apply_one(&entry.operation, root, tree, made).map_err(|message| (entry.line, message))?;
    }
    Ok(())
}

/// Carries out one operation.
///
/// # Errors
/// As [`apply`], without the line.
pub fn apply_one(operation: &Operation, root: &str, tree: &mut Key, made: u64) -> Result<(), String> {
    let outside = || format!("{} is not below {root}", operation.key());
    let names = operation.key().names();
    let above: Vec<Vec<u16>> = root.split('\\').map(|name| name.encode_utf16().collect()).collect();
    let (head, path) = names.split_at_checked(above.len()).ok_or_else(outside)?;
    let same = |a: &[u16], b: &[u16]| String::from_utf16_lossy(a).eq_ignore_ascii_case(&String::from_utf16_lossy(b));
    if !head.iter().zip(&above).all(|(name, above)| same(name, above)) {
        return Err(outside());
    }
    match operation {
        Operation::CreateKey { .. } => _ = descend(tree, path, made),
        Operation::SetValue { name, data_type, bytes, .. } => {
            descend(tree, path, made).set_units(name, *data_type, bytes);
        }
        Operation::DeleteValue { name, .. } => {
            _ = descend(tree, path, made).remove_value(&String::from_utf16_lossy(name));
        }
        Operation::DeleteKey { .. } => {
            let (last, parents) = path.split_last().ok_or_else(|| format!("{root} itself cannot be deleted"))?;
            let parents: Vec<String> = parents.iter().map(|name| String::from_utf16_lossy(name)).collect();
            if let Some(parent) = tree.key(&parents.join("\\")).is_some().then(|| tree.create(&parents.join("\\"))) {
                parent.remove_child(&String::from_utf16_lossy(last));
            }
        }
    }
    Ok(())
}

/// Returns the key at that path, made where it is missing.
pub fn descend<'a>(tree: &'a mut Key, path: &[Vec<u16>], made: u64) -> &'a mut Key {
    path.iter().fold(tree, |key, name| {
        let known = key.subkeys.len();
        let is_new = {
            key.create_child(name);
            key.subkeys.len() > known
        };
        let child = key.create_child(name);
        if is_new {
            child.last_written = made;
        }
        child
    })
}
