//! The values of a key: the count, the values that can be read, and names that hide something.

use super::neighbours::duplicates;
use super::{Loss, Lost, Walker, named};
use crate::error::Problem;
use crate::hive::cell::{BIG_DATA_SEGMENT, Name, RawKey, in_file};
use crate::hive::walk::met::Kind;
use crate::hive::walk::names::has_nul;
use crate::hive::walk::{Visitor, WalkedKey, WalkedValue};

impl<'h, V: Visitor> Walker<'h, '_, V> {
    /// Visits the values of a key.
    pub(super) fn values(&mut self, key: &RawKey<'h>) {
        let promised = u64::from(key.value_count);
        if promised == 0 {
            return;
        }
        let (entries, problem) = self.cells.value_entries(key);
        if !entries.is_empty() {
            let _ = self.reach(key.value_list, key);
        }
        if let Some(problem) = problem {
            self.lack(Kind::Unreadable, key, &|_| problem.clone());
        }
        let mut delivered = 0_u64;
        let mut names = std::mem::take(&mut self.value_names);
        names.clear();
        for entry in entries {
            if !self.visitor.goes_on() {
                break;
            }
            if !self.step() {
                self.lack(Kind::Unreadable, key, &|frames| {
                    let found = format!("more ({})", named(frames, key));
                    Problem::at(in_file(key.offset), "as many values as the hive has room for", found)
                });
                break;
            }
            match self.value(key, u32::from_le_bytes(*entry)) {
                Ok((value, first)) => {
                    delivered = delivered.saturating_add(1);
                    if first && self.take_name(value.raw.name) {
                        names.push((value.raw.name, value.raw.offset));
                    }
                    self.visitor.value(&WalkedKey { above: &self.frames, raw: key, cells: self.cells }, &value);
                }
                Err(problem) => self.lack(Kind::Unreadable, key, &|_| problem.clone()),
            }
        }
        self.check_value_names(key, &mut names);
        self.value_names = names;
        self.walked.values_promised = self.walked.values_promised.saturating_add(promised);
        self.walked.values = self.walked.values.saturating_add(delivered);
        if delivered < promised {
            let path = self.path(key);
            self.lose(Loss { key: path, offset: in_file(key.offset), promised, delivered, what: Lost::Values });
        }
    }

    /// Returns one value, and whether it was reached for the first time.
    fn value(&mut self, key: &RawKey<'h>, offset: u32) -> Result<(WalkedValue<'h>, bool), Problem> {
        let raw = self.cells.value(offset)?;
        let first = self.reach(offset, key);
        let bytes = self.data_left.checked_sub(raw.stored_bytes());
        self.data_left = bytes.ok_or_else(|| {
            Problem::at(in_file(offset), "no more data in all values than the hive has bytes", "the same data again")
        })?;
        let cells = self.cells;
        let data = cells.data_in(&raw, |cell| _ = self.reach(cell, key))?;
        if cells.is_too_long_for_its_cell(&raw) {
            self.odd_at(Kind::Segments, offset, key, || {
                let expected =
                    format!("a value named {} whose data are in segments of {BIG_DATA_SEGMENT} bytes", raw.name);
                let found = format!("{} bytes in one cell, which Windows of this format cannot read", data.len());
                (expected, found)
            });
        }
        if raw.tombstone {
            self.odd_at(Kind::Layer, offset, key, || {
                let found = "one that hides that of the hive below it (a tombstone)".to_owned();
                (format!("a value named {} that stands by itself", raw.name), found)
            });
        }
        Ok((WalkedValue { raw, data }, first))
    }

    /// Detects values of a key with the same name, and names that hide something.
    fn check_value_names(&mut self, key: &RawKey<'h>, names: &mut [(Name<'h>, u32)]) {
        for (name, offset) in names.iter().filter(|(name, _)| has_nul(*name)) {
            self.odd_at(Kind::Name, *offset, key, || {
                ("a value whose name is without NUL".to_owned(), format!("{:?}", name.to_string()))
            });
        }
        for (name, offset) in duplicates(names) {
            self.duplicate("value", name, offset, key);
        }
    }
}
