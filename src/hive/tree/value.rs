//! The values of a key.

use std::borrow::Cow;
use std::collections::BTreeSet;

use nt_hive::{KeyValueData, NtHiveNameString};

use super::{Key, PROBLEMS_KEPT, file_offset};
use crate::error::Problem;
use crate::hive::cell::{NIL, Name, RawValue};
use crate::hive::list::Listed;
use crate::hive::overlay;
use crate::registry::RegistryValue;

/// A value with its name in UTF-16 units, if that can be read.
type ByUnits = (Option<Vec<u16>>, Result<NamedValue, Problem>);
type Decoded<'t, 'h> = nt_hive::KeyValue<'t, &'h [u8]>;

/// A value of a [`Key`], with its name as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// The name, in the hive's own letter case. Unpaired surrogates become U+FFFD.
    pub name: String,
    /// The type and the data.
    pub value: RegistryValue,
    /// The offset of its record's cell; [`NIL`] if an edit created it.
    pub(super) offset: u32,
}

impl NamedValue {
    /// Returns a value of a list that an edit wrote.
    fn listed(listed: &Listed) -> Self {
        Self { name: String::from_utf16_lossy(&listed.name), value: listed.value.clone(), offset: NIL }
    }
}

impl<'t, 'h> Key<'t, 'h> {
    /// Returns the value with this name (`""` is the default value). As in Windows the first match is used. A second
    /// one is reported as a problem of the hive.
    ///
    /// # Errors
    /// Returns an error if its data cannot be read. Also if it is not found and the list, or a value in it, cannot be
    /// read.
    pub fn value(&self, name: &str) -> Result<Option<RegistryValue>, Problem> {
        Ok(self.named_value(name)?.map(|named| named.value))
    }

    /// Returns the same as [`Key::value`], with the name as stored.
    ///
    /// # Errors
    /// Returns the same errors as [`Key::value`].
    pub fn named_value(&self, name: &str) -> Result<Option<NamedValue>, Problem> {
        if let Some(listed) = self.edits.and_then(|edits| edits.listed.as_ref()) {
            let first = listed.named(&crate::registry::Name::from(name)).next();
            return Ok(first.and_then(|place| listed.get(place)).map(NamedValue::listed));
        }
        let Some(edited) = self.edits.and_then(|edits| edits.value(name.encode_utf16())) else {
            return self.stored_value(name);
        };
        // An existing value keeps its name. If that cannot be read, the new one is used.
        let stored = || self.stored_value(name).ok().flatten().map(|value| value.name);
        Ok(edited.value.as_ref().map(|value| {
            let stored = if edited.anew { None } else { stored() };
            let name = stored.unwrap_or_else(|| String::from_utf16_lossy(&edited.name));
            NamedValue { name, value: value.clone(), offset: NIL }
        }))
    }

    fn stored_value(&self, name: &str) -> Result<Option<NamedValue>, Problem> {
        let decoded = |place| self.decoder.as_ref()?.values()?.ok()?.nth(place)?.ok();
        let read = |(place, value): (Option<usize>, _)| self.read(&value, place.and_then(decoded));
        self.raw_value(name)?.map(read).transpose()
    }

    /// Returns the record of the value with this name, and its position in the list if the list is intact.
    pub(super) fn raw_value(&self, name: &str) -> Result<Option<(Option<usize>, RawValue<'h>)>, Problem> {
        let read = |offset| self.tree.cells.value(offset);
        let names = self.value_names.get_or_init(|| self.tree.value_names(&self.raw));
        let found = self.tree.pick(names, read, |value| (value.offset, value.name), "value", name)?;
        Ok(found.map(|(place, value)| (names.is_sound().then_some(place), value)))
    }

    /// Returns the names and data of all values in the list's order. An unreadable value is an error at its position.
    pub fn values(&self) -> Vec<Result<NamedValue, Problem>> {
        if self.edits.is_none() {
            return self.stored_values().into_iter().map(|(_, value)| value).collect();
        }
        self.values_by_units().into_iter().map(|(_, value)| value).collect()
    }

    /// Returns the names of all values, as [`Key::values`] has them, without reading their data.
    pub fn value_names(&self) -> Vec<Cow<'h, str>> {
        if self.edits.is_some() {
            return self.values().into_iter().flatten().map(|value| Cow::Owned(value.name)).collect();
        }
        let listing = self.tree.cells.values(&self.raw);
        let mut names = Vec::with_capacity(listing.offsets.len());
        for offset in listing.offsets {
            let within = |raw: RawValue<'h>| self.tree.budget.name(offset, raw.name.bytes()).map(|()| raw);
            match self.tree.cells.value(offset).and_then(within) {
                Ok(raw) => names.push(raw.name.text()),
                Err(problem) => _ = self.tree.met(problem),
            }
        }
        self.tree.meet(listing.problems);
        names
    }

    /// Returns all values, each with its name in UTF-16 units if that can be read.
    pub(super) fn values_by_units(&self) -> Vec<ByUnits> {
        if let Some(listed) = self.edits.and_then(|edits| edits.listed.as_ref()) {
            return listed.values().map(|entry| (Some(entry.name.clone()), Ok(NamedValue::listed(entry)))).collect();
        }
        let stored = self.stored_values();
        let named = |name: Name<'_>| name.units().collect::<Vec<u16>>();
        let Some(edits) = self.edits else {
            return stored.into_iter().map(|(name, value)| (name.map(named), value)).collect();
        };
        let held: BTreeSet<Vec<u16>> =
            stored.iter().flat_map(|(name, _)| name).map(|name| overlay::upper(name.units())).collect();
        let edited =
            stored.into_iter().filter_map(|(name, value)| match name.and_then(|name| edits.value(name.units())) {
                None => Some((name.map(named), value)),
                // The new value is added below.
                Some(edited) if edited.anew => None,
                Some(edited) => {
                    let shown = name.map(|name| name.text().into_owned()).unwrap_or_default();
                    let value = edited.value.clone()?;
                    Some((name.map(named), Ok(NamedValue { name: shown, value, offset: NIL })))
                }
            });
        let is_added = |(upper, edited): &(&[u16], &overlay::Edited)| edited.anew || !held.contains(*upper);
        let added = edits.values().filter(is_added).filter_map(|(_, edited)| {
            let listed = Listed { name: edited.name.clone(), value: edited.value.clone()? };
            Some((Some(edited.name.clone()), Ok(NamedValue::listed(&listed))))
        });
        edited.chain(added).collect()
    }

    /// Returns the values stored in the hive, each with its name if that can be read.
    fn stored_values(&self) -> Vec<(Option<Name<'h>>, Result<NamedValue, Problem>)> {
        let listing = self.tree.cells.values(&self.raw);
        self.tree.meet(listing.problems.clone());
        let sound = listing.problems.is_empty() && !listing.offsets.is_empty();
        let mut decoded = if sound { self.decoder.as_ref().and_then(|node| node.values()?.ok()) } else { None };
        let mut values = Vec::new();
        let mut lost = 0_usize;
        for offset in listing.offsets {
            let within = |raw: RawValue<'h>| self.tree.budget.name(offset, raw.name.bytes()).map(|()| raw);
            let (name, value) = match self.tree.cells.value(offset).and_then(within) {
                Ok(value) => {
                    let node = decoded.as_mut().and_then(|values| values.next()?.ok());
                    (Some(value.name), self.read(&value, node))
                }
                Err(problem) => {
                    // nt-hive cannot read this value safely, and from here on its order no longer matches.
                    decoded = None;
                    (None, Err(self.tree.met(problem)))
                }
            };
            lost = lost.saturating_add(usize::from(value.is_err()));
            if value.is_ok() || lost <= PROBLEMS_KEPT {
                values.push((name, value));
            }
        }
        values.extend(listing.problems.into_iter().map(|problem| (None, Err(problem))));
        values
    }

    /// Returns the data of a value: from nt-hive if that is safe, otherwise from the checked cells.
    fn read(&self, value: &RawValue<'h>, decoded: Option<Decoded<'t, 'h>>) -> Result<NamedValue, Problem> {
        let within = self.tree.budget.data(value.offset, value.stored_bytes());
        let checked = within.and_then(|()| self.tree.cells.data(value)).map_err(|problem| self.tree.met(problem))?;
        let differs = decoded
            .filter(|_| self.tree.cells.nt_hive_reads(value))
            .filter(|decoded| decoded.name().is_ok_and(|name| same_bytes(value.name, &name)))
            .and_then(|decoded| decoded.data().ok())
            .and_then(|data| match data {
                KeyValueData::Small(bytes) => Some(bytes != &*checked),
                KeyValueData::Big(_) => data.into_vec().ok().map(|bytes| bytes != *checked),
            });
        if differs == Some(true) {
            // Two readers differ. This is reported instead of choosing one silently.
            self.tree.met(Problem::at(
                file_offset(value.offset),
                "data that both readings of the value agree on",
                "two different readings; the checked one is shown",
            ));
        }
        let read = RegistryValue { data_type: value.data_type, bytes: checked.into_owned() };
        Ok(NamedValue { name: value.name.text().into_owned(), value: read, offset: value.offset })
    }
}

fn same_bytes(name: Name<'_>, decoded: &NtHiveNameString<'_>) -> bool {
    match (name, decoded) {
        (Name::Latin1(a), NtHiveNameString::Latin1(b)) | (Name::Utf16(a), NtHiveNameString::Utf16LE(b)) => a == *b,
        _ => false,
    }
}
