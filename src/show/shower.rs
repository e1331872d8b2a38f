//! The visitor of the walk: passes keys and values to a format, and ensures that every loss is reported.

use std::io;

use super::form::{Form, Head};
use super::{MOST_PROBLEMS, Shown};
use crate::error::Problem;
use crate::hive::walk::{Visitor, WalkedKey, WalkedSubkeys, WalkedValue};
use crate::reg_file::KeyPath;
use crate::registry::RegistryValue;
use crate::report::escape::{escape, escape_units};

/// The longest path in Windows, in UTF-16 units: its length in bytes is a 16-bit number (`UNICODE_STRING`). A longer
/// path is made to fill a disk, because every key below repeats it.
const LONGEST_PATH: usize = 32_767;
/// The most letters of a key's path in a problem.
const LONGEST_SHOWN: usize = 500;

pub(super) struct Shower<'f> {
    root: &'f KeyPath,
    form: &'f mut dyn Form,
    /// The depth of a key that is omitted with everything below it.
    left_out: Option<usize>,
    /// The remaining bytes of names, which exceed the hive only if one name is used in many places.
    names_left: u64,
    shown: Shown,
    /// The error of the format's writer, which ends the walk at once.
    failed: Option<io::Error>,
}

impl<'f> Shower<'f> {
    /// Creates a visitor for keys below `root`, in a hive of `size` bytes.
    pub(super) fn new(root: &'f KeyPath, size: u64, form: &'f mut dyn Form) -> Self {
        let shown = Shown { complete: true, ..Shown::default() };
        Self { root, form, left_out: None, names_left: size, shown, failed: None }
    }

    /// Returns the result.
    pub(super) fn finish(mut self) -> io::Result<Shown> {
        if self.shown.more > 0 {
            let found = format!("{} more that cannot, besides those reported one by one", self.shown.more);
            let told = said_of("keys and values that can be read and shown", found);
            self.shown.problems.push(told.clone());
            self.keep(|form| form.problem(&told));
        }
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.shown),
        }
    }

    /// Returns whether a key is omitted.
    fn is_left_out(&mut self, key: &WalkedKey<'_, '_>) -> bool {
        self.left_out.is_some_and(|depth| key.depth() >= depth)
    }

    fn keep<T>(&mut self, write: impl FnOnce(&mut dyn Form) -> io::Result<T>) -> Option<T> {
        if self.failed.is_some() {
            return None;
        }
        match write(self.form) {
            Ok(done) => Some(done),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }

    fn tell(&mut self, problem: impl FnOnce() -> Problem) {
        self.shown.complete = false;
        if self.shown.problems.len() >= MOST_PROBLEMS {
            self.shown.more = self.shown.more.saturating_add(1);
            return;
        }
        let problem = problem();
        self.keep(|form| form.problem(&problem));
        self.shown.problems.push(problem);
    }

    fn leave_out(&mut self, key: &WalkedKey<'_, '_>, why: &str) {
        self.left_out = Some(key.depth());
        let at = key.offset();
        let found = format!("{why} (key {}); the key and all below it are left out", self.named(key));
        self.tell(|| Problem { offset: Some(at), ..said_of("a key that can be shown in this form", found) });
    }

    /// Returns a key's path for problems, cut if it is very long.
    fn named(&self, key: &WalkedKey<'_, '_>) -> String {
        let names = self.root.names().iter().cloned().chain(key.path_units());
        let mut path = String::new();
        for name in names {
            if !path.is_empty() {
                path.push('\\');
            }
            // One name can have 64 KiB.
            path.push_str(&escape_units(name.into_iter().take(LONGEST_SHOWN)));
            if let Some((cut, _)) = path.char_indices().nth(LONGEST_SHOWN) {
                path.truncate(cut);
                return path + "...";
            }
        }
        path
    }

    fn take_name(&mut self, units: usize) -> bool {
        let left = self.names_left.checked_sub(units as u64);
        self.names_left = left.unwrap_or(0);
        left.is_some()
    }
}

impl Visitor for Shower<'_> {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        if self.is_left_out(key) && self.left_out != Some(key.depth()) {
            return;
        }
        // The key is a sibling of the omitted key, or is higher up.
        self.left_out = None;
        let above: usize =
            self.root.names().iter().map(|name| name.len().saturating_add(1)).fold(0, usize::saturating_add);
        let length = key.path_length().saturating_add(above);
        if length > LONGEST_PATH {
            return self.leave_out(key, &format!("a path of {length} letters, more than Windows can name"));
        }
        let path = KeyPath::from_names(self.root.names().iter().cloned().chain(key.path_units()));
        let head = Head { path: &path, last_written: key.last_written(), class: key.class_units() };
        if let Some(Err(reason)) = self.keep(|form| form.key(&head)) {
            self.leave_out(key, &reason.to_string());
        }
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        if self.is_left_out(key) {
            return;
        }
        let name: Vec<u16> = value.name_units().collect();
        let cut = name.get(..LONGEST_SHOWN).unwrap_or(&name).to_vec();
        let why = if self.take_name(name.len()) {
            let value = RegistryValue { data_type: value.data_type(), bytes: value.data().to_vec() };
            let said = self.keep(|form| form.value(name, value));
            said.and_then(Result::err).map(|reason| reason.to_string())
        } else {
            Some("names that are repeated, together longer than the hive".to_owned())
        };
        if let Some(why) = why {
            let at = value.offset();
            let path = self.named(key);
            let found = format!("{why} (value \"{}\" of key {path}); the value is left out", escape_units(cut));
            self.tell(|| Problem { offset: Some(at), ..said_of("a value that can be shown in this form", found) });
        }
    }

    fn subkeys(&mut self, key: &WalkedKey<'_, '_>, subkeys: &WalkedSubkeys<'_, '_>) {
        if self.is_left_out(key) {
            return;
        }
        let mut left = self.names_left;
        let mut cut = false;
        let mut names = subkeys.names().map_while(|name| {
            let after = left.checked_sub(name.len() as u64 / 3);
            left = after.unwrap_or(0);
            cut |= after.is_none();
            after.map(|_| name)
        });
        self.keep(|form| form.subkeys(&mut names));
        drop(names);
        self.names_left = left;
        if cut {
            let found = format!("names that are repeated (key {})", self.named(key));
            self.tell(|| said_of("names of subkeys no longer than the hive", found));
        }
    }

    fn unreadable(&mut self, key: &WalkedKey<'_, '_>, problem: &dyn Fn() -> Problem) {
        if self.is_left_out(key) {
            return;
        }
        let path = self.named(key);
        self.tell(|| {
            let problem = problem();
            let found = format!("{} (in key {path}); the value is left out", escape(&problem.found));
            Problem { found, ..problem }
        });
    }

    fn goes_on(&self) -> bool {
        self.failed.is_none()
    }
}

/// Returns a problem without a place.
fn said_of(expected: &str, found: String) -> Problem {
    Problem::new(expected, found)
}
