//! The list of the first operations, as text.

use crate::finding::ObservedDatum;
use crate::reg_file::{KeyPath, Operation};
use crate::registry::{DataType, RegistryValue};
use crate::report::escape::escape_units;
use crate::report::table::data::{beside_type, name};

/// The most operations that are listed. JSON has all of them.
const MOST_LISTED: usize = 1000;
/// The most units that are shown of a malformed name.
const MOST_UNITS: usize = 300;

/// One operation as it is shown. Long names and data are cut.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) line: usize,
    /// The path of the key, if it differs from that of the operation before.
    pub(super) key: Option<String>,
    pub(super) act: Act,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    CreateKey,
    DeleteKey,
    DeleteValue { name: String },
    SetValue { name: String, data_type: String, data: String },
}

/// Lists the first operations.
#[derive(Default)]
pub(super) struct Lister {
    pub(super) listed: Vec<Listed>,
    open: Option<KeyPath>,
}

impl Lister {
    /// Adds an operation, unless the list is long already.
    pub(super) fn add(&mut self, line: usize, operation: Operation) {
        if self.listed.len() >= MOST_LISTED {
            self.open = None;
            return;
        }
        let key = operation.key();
        let heads = matches!(operation, Operation::CreateKey { .. } | Operation::DeleteKey { .. });
        let heading = (heads || self.open.as_ref() != Some(key)).then(|| shown(&key.to_units()));
        self.open = Some(key.clone());
        let act = match operation {
            Operation::CreateKey { .. } => Act::CreateKey,
            Operation::DeleteKey { .. } => Act::DeleteKey,
            Operation::DeleteValue { name, .. } => Act::DeleteValue { name: value_name(&name) },
            Operation::SetValue { name, data_type, bytes, .. } => {
                let value = RegistryValue { data_type: DataType(data_type), bytes };
                let data = beside_type(&ObservedDatum::from(&value));
                Act::SetValue { name: value_name(&name), data_type: value.data_type.to_string(), data }
            }
        };
        self.listed.push(Listed { line, key: heading, act });
    }
}

/// Returns a value's name as it is written in a `.reg` file: in quotes, or `@` for the default value.
fn value_name(units: &[u16]) -> String {
    if units.is_empty() { "@".to_owned() } else { format!("\"{}\"", shown(units)) }
}

/// Returns a name or path with control characters and invisible characters escaped.
fn shown(units: &[u16]) -> String {
    match String::from_utf16(units) {
        Ok(text) => name(&text),
        Err(_) => escape_units(units.iter().take(MOST_UNITS).copied()),
    }
}
