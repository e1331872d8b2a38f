//! The position of a walk: its current key and value, and how many bytes of names it may still read.

use std::collections::HashMap;

use super::marks::{Id, KeyMark, Sum, sum_of_security};
use crate::error::Problem;
use crate::hive::Hive;
use crate::hive::walk::{Walked, WalkedKey, WalkedValue};

/// The most unreadable places of one hive that are reported. A damaged hive can have millions.
const MOST_UNREAD: usize = 20;

/// The position of a walk in the tree.
pub(super) struct Trail {
    /// The keys from the root down to the last visited one.
    frames: Vec<Frame>,
    /// The names of the last key's values, with their counts.
    values: HashMap<Id, u32>,
    /// Marks of security descriptors, by place. Nearly all keys share a few.
    security: HashMap<u64, Sum>,
    /// The remaining bytes of names, classes, and descriptors, which exceed the hive only if they overlap on purpose.
    left: u64,
    is_spent: bool,
    unread: Vec<Problem>,
    more: u64,
}

struct Frame {
    id: Id,
    /// The names of subkeys, with their counts.
    subkeys: HashMap<Id, u32>,
}

/// Returns the identity of the next entry with this name.
fn numbered(id: Id, met: &mut HashMap<Id, u32>) -> Id {
    let number = met.entry(id).and_modify(|count| *count = count.saturating_add(1)).or_insert(0);
    if *number == 0 { id } else { id.again(*number) }
}

impl Trail {
    pub(super) fn new(hive: &Hive) -> Self {
        Self {
            frames: Vec::new(),
            values: HashMap::new(),
            security: HashMap::new(),
            left: hive.size(),
            is_spent: false,
            unread: Vec::new(),
            more: 0,
        }
    }

    /// Returns the current key of the walk; `None` if the limit is exceeded.
    pub(super) fn key(&mut self, key: &WalkedKey<'_, '_>) -> Option<Id> {
        self.frames.truncate(key.depth());
        self.values.clear();
        if !self.take(key.name_units().count()) {
            return None;
        }
        let id = match self.frames.last_mut() {
            None => Id::ROOT,
            Some(frame) => numbered(frame.id.subkey(key.name_units()), &mut frame.subkeys),
        };
        self.frames.push(Frame { id, subkeys: HashMap::new() });
        Some(id)
    }

    /// Returns the mark of the current key; `None` if the limit is exceeded.
    pub(super) fn mark(&mut self, key: &WalkedKey<'_, '_>) -> Option<KeyMark> {
        let class = key.class_units();
        if !self.take(class.as_ref().map_or(0, Vec::len).saturating_mul(2)) {
            return None;
        }
        let security = self.security(key)?;
        Some(KeyMark::new(key, class.as_deref(), security))
    }

    fn security(&mut self, key: &WalkedKey<'_, '_>) -> Option<Sum> {
        let Some((offset, descriptor)) = key.security() else { return Some(sum_of_security(None)) };
        if let Some(sum) = self.security.get(&offset) {
            return Some(*sum);
        }
        if !self.take(descriptor.len()) {
            return None;
        }
        let sum = sum_of_security(Some(descriptor));
        self.security.insert(offset, sum);
        Some(sum)
    }

    /// Returns the current value of the walk; `None` if the limit is exceeded.
    pub(super) fn value(&mut self, value: &WalkedValue<'_>) -> Option<Id> {
        if !self.take(value.name_units().count()) {
            return None;
        }
        Some(numbered(self.frames.last()?.id.value(value.name_units()), &mut self.values))
    }

    fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => self.left = left,
            None if self.is_spent => {}
            None => {
                self.is_spent = true;
                self.tell(Problem::new("names that together are no longer than the hive", "longer ones"));
            }
        }
        !self.is_spent
    }

    /// Returns whether the walk may continue.
    pub(super) fn goes_on(&self) -> bool {
        !self.is_spent
    }

    /// Records what cannot be read.
    pub(super) fn tell(&mut self, problem: Problem) {
        if self.unread.len() < MOST_UNREAD {
            self.unread.push(problem);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Returns what could not be read on the whole walk. `locator` is the hive's name.
    pub(super) fn finish(mut self, walked: &Walked, locator: &str) -> Vec<Problem> {
        if self.unread.is_empty() && (walked.damaged || !walked.lost.is_empty()) {
            let first = walked.problems.first().cloned();
            self.unread.push(first.unwrap_or_else(|| Problem::new("a hive that can be read whole", "a part of it")));
        }
        if self.more > 0 {
            let found = format!("{} more that cannot be read", self.more);
            self.unread.push(Problem::new("keys and values that can be read", found));
        }
        self.unread.into_iter().map(|problem| Problem { path: Some(locator.to_owned()), ..problem }).collect()
    }
}
