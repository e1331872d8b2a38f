//! A whole hive, key by key, in bounded time and memory whatever its lists say.

use std::collections::BTreeSet;

use super::tree::{Key, NamedValue, Tree};
use crate::error::Problem;

/// Deeper than the registry lets a key be: it allows 512 levels. What lies deeper is a loop, or nobody's key.
const MAX_DEPTH: usize = 512;

/// How far a walk came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Keys that were visited, the root too.
    pub keys: u64,
    /// Values whose data were read.
    pub values: u64,
    /// Keys, values and lists that could not be read, and keys that several lists name or that lie too deep. Each is
    /// a problem of the tree, or was visited elsewhere.
    pub left_out: u64,
}

/// Visits every key once, parents before their subkeys, with all of its values.
///
/// # Errors
/// Where the root key cannot be read.
pub fn walk(
    tree: &Tree<'_>,
    mut visit: impl FnMut(&Key<'_, '_>, &[Result<NamedValue, Problem>]),
) -> Result<Walked, Problem> {
    let mut walked = Walked::default();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(tree.root()?, 0_usize)];
    while let Some((key, depth)) = waiting.pop() {
        if depth > MAX_DEPTH || !seen.insert(key.offset()) {
            walked.left_out = walked.left_out.saturating_add(1);
            continue;
        }
        let values = key.values();
        let read = values.iter().filter(|value| value.is_ok()).count();
        walked.keys = walked.keys.saturating_add(1);
        walked.values = walked.values.saturating_add(read as u64);
        visit(&key, &values);
        let (subkeys, problems) = key.subkeys();
        let lost = values.len().saturating_sub(read).saturating_add(problems.len());
        walked.left_out = walked.left_out.saturating_add(lost as u64);
        waiting.extend(subkeys.into_iter().rev().map(|subkey| (subkey, depth.saturating_add(1))));
    }
    Ok(walked)
}
