//! The keys and values of one hive, as the walk finds them.

use crate::error::Problem;
use crate::hive::walk::{Visitor, WalkedKey, WalkedValue};
use crate::registry::{RegistryValue, same_text};
use crate::report::escape::escape_data;
use crate::show::{Place, Subject};

/// The longest path in Windows, in UTF-16 units.
const LONGEST_PATH: usize = 32_767;
/// The most notes that are kept for one hive.
const MOST_NOTES: usize = 100;

/// The contents of one hive.
pub(super) struct Gathered {
    pub(super) keys: Vec<GatheredKey>,
    pub(super) notes: Vec<String>,
    /// Whether more was found than a hive of this size can contain.
    pub(super) is_cut: bool,
}

/// A key with its values, as stored.
pub(super) struct GatheredKey {
    /// The path from the hive's root, with `CurrentControlSet` instead of the control set.
    pub(super) path: String,
    pub(super) is_link: bool,
    pub(super) values: Vec<(String, RegistryValue)>,
}

struct Gatherer {
    gathered: Gathered,
    /// Whether the name of the key on the first level is replaced with `CurrentControlSet`.
    current: bool,
    /// The depth of a key that is omitted with everything below it.
    left_out: Option<usize>,
    room: u64,
}

/// Gathers a key. With `recursive`, also all keys below it.
pub(super) fn gather(subject: &Subject, place: &Place, typed: &str, recursive: bool) -> Gathered {
    let names = typed.split('\\').filter(|name| !name.is_empty());
    let current = names.take(4).any(|name| same_text(name, "CurrentControlSet"));
    let room = subject.size().saturating_mul(8).saturating_add(1 << 20);
    let nothing = Gathered { keys: Vec::new(), notes: Vec::new(), is_cut: false };
    let mut visitor = Gatherer { gathered: nothing, current, left_out: None, room };
    subject.walk(place, recursive, &mut visitor);
    visitor.gathered
}

impl Gatherer {
    fn note(&mut self, note: String) {
        if self.gathered.notes.len() < MOST_NOTES {
            self.gathered.notes.push(note);
        }
    }

    fn take(&mut self, bytes: usize) {
        match self.room.checked_sub(bytes as u64) {
            Some(left) => self.room = left,
            None => self.gathered.is_cut = true,
        }
    }

    fn is_left_out(&self, key: &WalkedKey<'_, '_>) -> bool {
        self.left_out.is_some_and(|depth| key.depth() >= depth)
    }
}

impl Visitor for Gatherer {
    fn key(&mut self, key: &WalkedKey<'_, '_>) {
        if self.left_out.is_some_and(|depth| key.depth() > depth) {
            return;
        }
        self.left_out = None;
        if key.path_length() > LONGEST_PATH {
            self.left_out = Some(key.depth());
            return self.note("a key with a path longer than Windows can name is left out".to_owned());
        }
        let names: Result<Vec<String>, _> = key.path_units().map(|name| String::from_utf16(&name)).collect();
        let names = names.ok().filter(|names| names.iter().all(|name| !name.is_empty() && !name.contains('\\')));
        let Some(mut names) = names else {
            self.left_out = Some(key.depth());
            let path = escape_data(&key.path());
            return self.note(format!("{path} has a name that is not text: the key and all below it are left out"));
        };
        if self.current
            && let Some(first) = names.first_mut()
            && is_control_set(first)
        {
            "CurrentControlSet".clone_into(first);
        }
        let path = names.join(r"\");
        self.take(path.len().saturating_mul(4).saturating_add(64));
        self.gathered.keys.push(GatheredKey { path, is_link: key.is_link(), values: Vec::new() });
    }

    fn value(&mut self, key: &WalkedKey<'_, '_>, value: &WalkedValue<'_>) {
        if self.is_left_out(key) {
            return;
        }
        let units: Vec<u16> = value.name_units().collect();
        let Ok(name) = String::from_utf16(&units) else {
            let path = escape_data(&key.path());
            return self.note(format!(
                "{path} has a value whose name is not text: the value is left out, and will be unexpected"
            ));
        };
        self.take(name.len().saturating_add(value.data().len()).saturating_add(64));
        let data = RegistryValue { data_type: value.data_type(), bytes: value.data().to_vec() };
        if let Some(last) = self.gathered.keys.last_mut() {
            last.values.push((name, data));
        }
    }

    fn unreadable(&mut self, key: &WalkedKey<'_, '_>, problem: &dyn Fn() -> Problem) {
        let note = format!("something in {} cannot be read: {}", escape_data(&key.path()), problem());
        self.note(note);
    }

    fn goes_on(&self) -> bool {
        !self.gathered.is_cut
    }
}

fn is_control_set(name: &str) -> bool {
    let number = name.get(..10).filter(|start| same_text(start, "ControlSet")).and_then(|_| name.get(10..));
    number.is_some_and(|number| number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()))
}
