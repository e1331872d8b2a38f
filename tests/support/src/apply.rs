//! Applies `.reg` operations to a tree in memory, as regedit does to a registry.

use hivemend::reg_file::{Document, Operation};

use crate::builder::Key;

/// Applies a document below `root`, the full path where the tree is loaded.
///
/// A new key gets the time `made`; existing keys keep theirs.
///
/// # Errors
/// Returns an error if an operation concerns a key outside `root` or deletes `root` itself. The error has the line and
/// the operation.
pub fn apply(document: &Document, root: &str, tree: &mut Key, made: u64) -> Result<(), (usize, String)> {
    for entry in &document.operations {
        apply_one(&entry.operation, root, tree, made).map_err(|message| (entry.line, message))?;
    }
    Ok(())
}

/// Applies one operation.
///
/// # Errors
/// Returns the same errors as [`apply`], without the line.
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

/// Returns the key at this path, and creates it if it is missing.
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
