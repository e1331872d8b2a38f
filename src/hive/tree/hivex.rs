//! Finds keys and values as hivex does: it compares names of keys without case for ASCII letters, up to a NUL, and
//! lists values one by one in their order.

use std::fmt;

use super::Key;
use crate::error::Problem;
use crate::hive::cell::{NIL, RawKey};
use crate::hive::list::List;
use crate::hive::overlay::Step;
use crate::registry::{RegistryValue, same_name};

/// More bytes than hivex reads from one value (`HIVEX_MAX_VALUE_LEN`).
const MOST_READ: usize = 8_000_000;

/// Why hivex cannot continue although Windows can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hive) enum Hindrance {
    /// A name in the hive is half of a surrogate pair, which hivex cannot convert to UTF-8.
    Malformed,
    /// To hivex the data of a value are missing or too long.
    Data,
    /// The hive is damaged here.
    Unreadable(Problem),
}

/// A value as hivex finds it.
pub(in crate::hive) struct Found {
    /// The name, in UTF-16 units.
    pub(in crate::hive) name: Vec<u16>,
    /// The name for display.
    pub(in crate::hive) shown: String,
    /// The type and data, or why they cannot be read.
    pub(in crate::hive) value: Result<RegistryValue, Hindrance>,
    /// Whether an edit already wrote the data into one cell although the format requires segments.
    pub(in crate::hive) in_one_cell: bool,
}

impl<'h> Key<'_, 'h> {
    /// Returns the subkey that hivex finds by this name, and the step to it.
    pub(in crate::hive) fn hivex_child(&self, name: &str) -> Result<Option<(Self, Step)>, Hindrance> {
        let names = self.tree.subkey_names(&self.raw);
        if let Some(problem) = names.unread() {
            return Err(Hindrance::Unreadable(problem));
        }
        let mut places: Vec<(usize, u32)> = names.like(name).chain(names.with_nul()).collect();
        places.sort_unstable();
        let mut found = None;
        for (place, offset) in places {
            let raw = self.raw_key(offset)?;
            if is_alike(raw.name.units(), name)
                && let Some(key) = self.edited(self.stored(raw, None))
            {
                found = Some((place, key));
                break;
            }
        }
        if names.malformed().is_some_and(|first| found.as_ref().is_none_or(|(place, _)| first < *place)) {
            return Err(Hindrance::Malformed);
        }
        if let Some((_, key)) = found {
            let units: Vec<u16> = key.raw.name.units().collect();
            let stored = Some(key.raw.offset).filter(|&offset| offset != NIL);
            let twins = self.stored_twins(&units)?;
            return Ok(Some((key, Step { name: units, stored, twins, behind: Vec::new() })));
        }
        let twins = self.stored_twins(&name.encode_utf16().collect::<Vec<_>>())?;
        let Some(edits) = self.edits.and_then(|edits| edits.subkey(name.encode_utf16())) else { return Ok(None) };
        let one = edits.one.iter().filter(|one| one.made && (one.bare || twins.is_empty()));
        let each = edits.each.values().filter(|twin| twin.stored.is_none() && twin.is_there()).map(|twin| &twin.node);
        let mut made = one.chain(each).map(|node| self.made(node));
        let made = made.find(|key| is_alike(key.raw.name.units(), name));
        Ok(made.map(|key| {
            let name = key.raw.name.units().collect();
            (key, Step { name, stored: None, twins, behind: Vec::new() })
        }))
    }

    /// Returns the step to a subkey that hivex will create, which goes before the first one that sorts after it.
    pub(in crate::hive) fn hivex_new_child(&self, name: &str) -> Result<Step, Hindrance> {
        let units: Vec<u16> = name.encode_utf16().collect();
        let twins = self.stored_twins(&units)?;
        let mut behind = Vec::new();
        if !twins.is_empty() {
            let (names, new) = (self.tree.subkey_names(&self.raw), name.to_ascii_uppercase());
            let mut is_behind = false;
            for (_, offset) in names.entries() {
                let text = text_of(self.raw_key(offset)?.name.units());
                is_behind = is_behind || text.to_ascii_uppercase() > new;
                if is_behind && twins.contains(&offset) {
                    behind.push(offset);
                }
            }
        }
        Ok(Step { name: units, stored: None, twins, behind })
    }

    /// Returns the offsets of the hive's keys that have this name to Windows, in order.
    fn stored_twins(&self, name: &[u16]) -> Result<Vec<u32>, Hindrance> {
        let mut twins = Vec::new();
        for (_, offset) in self.tree.subkey_names(&self.raw).like_units(name.iter().copied()) {
            if same_name(self.raw_key(offset)?.name.units(), name.iter().copied()) {
                twins.push(offset);
            }
        }
        Ok(twins)
    }

    fn raw_key(&self, offset: u32) -> Result<RawKey<'h>, Hindrance> {
        self.tree.cells.key(offset).map_err(|problem| Hindrance::Unreadable(self.tree.met(problem)))
    }

    /// Returns the list of values, if it was rewritten as a whole.
    pub(in crate::hive) fn hivex_list(&self) -> Option<&'h List> {
        self.edits?.listed.as_ref()
    }

    /// Returns the values in their order. If one name cannot be read, hivex reads no value.
    pub(in crate::hive) fn hivex_values(&self) -> Result<Vec<Found>, Hindrance> {
        let found = self.values_by_units().into_iter().map(|(name, value)| {
            let value = value.map_err(Hindrance::Unreadable);
            let name = match (name, &value) {
                (Some(name), _) => name,
                (None, Err(hindrance)) => return Err(hindrance.clone()),
                (None, Ok(_)) => return Err(Hindrance::Malformed),
            };
            if char::decode_utf16(name.iter().copied()).any(|character| character.is_err()) {
                return Err(Hindrance::Malformed);
            }
            let stored = value.as_ref().ok().filter(|value| value.offset != NIL).map(|value| value.offset);
            let raw = stored.and_then(|offset| self.tree.cells.value(offset).ok());
            let in_one_cell = raw.as_ref().is_some_and(|raw| self.tree.cells.is_too_long_for_its_cell(raw));
            let reads = raw.is_none_or(|raw| self.tree.cells.hivex_reads(&raw));
            let value = value.and_then(|named| {
                let is_read = reads && named.value.bytes.len() <= MOST_READ;
                if is_read { Ok(named.value) } else { Err(Hindrance::Data) }
            });
            Ok(Found { shown: String::from_utf16_lossy(&name), name, value, in_one_cell })
        });
        found.collect()
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("hivex cannot read a name beside it, which is half a surrogate pair"),
            Self::Data => f.write_str("hivex cannot read the data of a value beside it"),
            Self::Unreadable(problem) => problem.fmt(f),
        }
    }
}

/// Returns whether hivex matches a name of the hive with one of the file: `strcasecmp` of UTF-8, which ends at a NUL.
fn is_alike(stored: impl Iterator<Item = u16>, name: &str) -> bool {
    text_of(stored.take_while(|&unit| unit != 0)).eq_ignore_ascii_case(name)
}

fn text_of(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
