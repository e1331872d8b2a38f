//! Where a walk is: which key and which value it has come to, and how many bytes of names it may still look at.

use std::collections::HashMap;

use super::marks::{Id, KeyMark, Sum, sum_of_security};
use crate::error::Problem;
use crate::hive::Hive;
use crate::hive::walk::{Walked, WalkedKey, WalkedValue};

/// So much of one hive that cannot be read is told; a damaged one can have millions of such places.
const MOST_UNREAD: usize = 20;

/// A walk's place in the tree.
pub(super) struct Trail {
    /// The keys from the root down to the one that was visited last.
    frames: Vec<Frame>,
    /// Names of values that the last key has, with how often.
    values: HashMap<Id, u32>,
    /// Marks of security descriptors, by place: nearly all keys share a few.
    security: HashMap<u64, Sum>,
    /// Names, classes and descriptors are no longer than the hive, unless they overlap on purpose.
    left: u64,
    is_spent: bool,
    unread: Vec<Problem>,
    more: u64,
}

struct Frame {
    id: Id,
    /// Names of subkeys, with how often.
    subkeys: HashMap<Id, u32>,
}

/// Returns the one of that name which follows those that were counted.
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

    /// Returns the key that the walk has come to; `None` where it must not be looked at.
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

    /// Returns what that key holds; `None` where it must not be looked at.
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

    /// Returns the value that the walk has come to; `None` where it must not be looked at.
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

    /// Returns whether the walk may go on.
    pub(super) fn goes_on(&self) -> bool {
        !self.is_spent
    }

    /// Keeps what cannot be read.
    pub(super) fn tell(&mut self, problem: Problem) {
        if self.unread.len() < MOST_UNREAD {
            self.unread.push(problem);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Returns what could not be read on the whole walk of a hive of that name.
    pub(super) fn finish(mut self, walked: &Walked, locator: &str) -> Vec<Problem> {
        if self.unread.is_empty() && (walked.damaged || !walked.lost.is_empty()) {
            let first = walked.problems.first().cloned();
            self.unread.push(first.unwrap_or_else(|| Problem::new("a hive that can be read whole", "a part of it")));
        }
        if self.more > 0 {
            let found = format!("{} more that cannot", self.more);
            self.unread.push(Problem::new("keys and values that can be read", found));
        }
        self.unread.into_iter().map(|problem| Problem { path: Some(locator.to_owned()), ..problem }).collect()
    }
}
