//! The tree in memory: keys and values before they have places in a file.

use super::DEFAULT_TIME;
use super::names::{same_name, units, utf16le};

/// The registry's numbers for data types.
pub mod reg_type {
    /// No type.
    pub const NONE: u32 = 0;
    /// A string with a NUL at its end.
    pub const SZ: u32 = 1;
    /// A string with environment variables in it.
    pub const EXPAND_SZ: u32 = 2;
    /// Bytes.
    pub const BINARY: u32 = 3;
    /// 32 bits, least significant byte first.
    pub const DWORD: u32 = 4;
    /// 32 bits, most significant byte first.
    pub const DWORD_BIG_ENDIAN: u32 = 5;
    /// A symbolic link.
    pub const LINK: u32 = 6;
    /// Strings, each with a NUL at its end, and one more NUL.
    pub const MULTI_SZ: u32 = 7;
    /// A driver's resources.
    pub const RESOURCE_LIST: u32 = 8;
    /// A device's resources.
    pub const FULL_RESOURCE_DESCRIPTOR: u32 = 9;
    /// A driver's requirements.
    pub const RESOURCE_REQUIREMENTS_LIST: u32 = 10;
    /// 64 bits, least significant byte first.
    pub const QWORD: u32 = 11;
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The name; empty for the default value. Stored as Latin-1 if possible.
    pub name: Vec<u16>,
    /// The type: any number, as in the registry.
    pub data_type: u32,
    /// The data as stored.
    pub data: Vec<u8>,
}

/// A key with everything below it.
///
/// Building does not recurse, but dropping does: a tree that is tens of thousands of keys deep needs a thread with a
/// large stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name. Stored as Latin-1 if possible.
    pub name: Vec<u16>,
    /// 100 ns since 1601.
    pub last_written: u64,
    /// The class name in UTF-16, if the key has one.
    pub class: Option<Vec<u16>>,
    /// Flags beyond those that the builder sets (root, compressed name): `0x10` makes a symbolic link.
    pub flags: u16,
    /// The values, in the order of the value list.
    pub values: Vec<Value>,
    /// The subkeys. They are sorted when the hive is built, unless `keep_order` is set.
    pub subkeys: Vec<Key>,
    /// Whether to list the subkeys in this order, including duplicates.
    pub keep_order: bool,
    /// Whether the record names no security descriptor.
    pub lacks_security: bool,
    /// The key's own security descriptor; `None` for the common one: see [`super::descriptor`].
    pub security: Option<Vec<u8>>,
}

impl Key {
    /// Returns an empty key.
    pub fn new(name: &str) -> Self {
        Self::from_units(&units(name))
    }

    /// Returns an empty key whose name may be malformed UTF-16.
    pub fn from_units(name: &[u16]) -> Self {
        Self {
            name: name.to_vec(),
            last_written: DEFAULT_TIME,
            class: None,
            flags: 0,
            values: Vec::new(),
            subkeys: Vec::new(),
            keep_order: false,
            lacks_security: false,
            security: None,
        }
    }

    /// Returns the key at a path of names separated by `\`. Letter case does not matter, and empty names are skipped.
    pub fn key(&self, path: &str) -> Option<&Self> {
        path.split('\\').filter(|name| !name.is_empty()).try_fold(self, |key, name| {
            let name = units(name);
            key.subkeys.iter().find(|subkey| same_name(&subkey.name, &name))
        })
    }

    /// Returns the key at a path, and creates all missing keys on it.
    pub fn create(&mut self, path: &str) -> &mut Self {
        path.split('\\').filter(|name| !name.is_empty()).fold(self, |key, name| key.create_child(&units(name)))
    }

    /// Returns the subkey with this name. If it is missing, it is created with this key's time. The name may contain
    /// any character, even `\`.
    ///
    /// This searches every subkey. To create tens of thousands of siblings, push them to `subkeys`.
    pub fn create_child(&mut self, name: &[u16]) -> &mut Self {
        // The last one first, because filling a hive path by path usually returns to it.
        let place = self.subkeys.iter().rposition(|subkey| same_name(&subkey.name, name));
        let place = place.unwrap_or_else(|| {
            let mut subkey = Self::from_units(name);
            subkey.last_written = self.last_written;
            self.subkeys.push(subkey);
            self.subkeys.len() - 1
        });
        &mut self.subkeys[place]
    }

    /// Removes the subkey with this name, and everything below it.
    pub fn remove_child(&mut self, name: &str) -> Option<Self> {
        let name = units(name);
        let place = self.subkeys.iter().position(|subkey| same_name(&subkey.name, &name))?;
        Some(self.subkeys.remove(place))
    }

    /// Returns the value with this name in any letter case. The default value's name is empty.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let name = units(name);
        self.values.iter().find(|value| same_name(&value.name, &name))
    }

    /// Removes the value with this name.
    pub fn remove_value(&mut self, name: &str) -> Option<Value> {
        let name = units(name);
        let place = self.values.iter().position(|value| same_name(&value.name, &name))?;
        Some(self.values.remove(place))
    }

    /// Sets the type and data of a value: in place if one has this name in any letter case, otherwise at the end.
    pub fn set(&mut self, name: &str, data_type: u32, data: &[u8]) -> &mut Self {
        self.set_units(&units(name), data_type, data)
    }

    /// Sets a value whose name may be malformed UTF-16.
    pub fn set_units(&mut self, name: &[u16], data_type: u32, data: &[u8]) -> &mut Self {
        let data = data.to_vec();
        match self.values.iter_mut().find(|value| same_name(&value.name, name)) {
            Some(value) => (value.data_type, value.data) = (data_type, data),
            None => self.values.push(Value { name: name.to_vec(), data_type, data }),
        }
        self
    }

    /// Sets a `REG_SZ` with the NUL at its end.
    pub fn set_sz(&mut self, name: &str, text: &str) -> &mut Self {
        self.set(name, reg_type::SZ, &terminated(text))
    }

    /// Sets a `REG_EXPAND_SZ` with the NUL at its end.
    pub fn set_expand_sz(&mut self, name: &str, text: &str) -> &mut Self {
        self.set(name, reg_type::EXPAND_SZ, &terminated(text))
    }

    /// Sets a `REG_MULTI_SZ` with all its NULs.
    pub fn set_multi_sz(&mut self, name: &str, texts: &[&str]) -> &mut Self {
        let mut data: Vec<u8> = texts.iter().flat_map(|text| terminated(text)).collect();
        data.extend([0, 0]);
        self.set(name, reg_type::MULTI_SZ, &data)
    }

    /// Sets a `REG_DWORD`.
    pub fn set_dword(&mut self, name: &str, number: u32) -> &mut Self {
        self.set(name, reg_type::DWORD, &number.to_le_bytes())
    }

    /// Sets a `REG_QWORD`.
    pub fn set_qword(&mut self, name: &str, number: u64) -> &mut Self {
        self.set(name, reg_type::QWORD, &number.to_le_bytes())
    }

    /// Sets a `REG_BINARY`.
    pub fn set_binary(&mut self, name: &str, data: &[u8]) -> &mut Self {
        self.set(name, reg_type::BINARY, data)
    }

    /// Sets the time of this key and all keys below it.
    pub fn set_time(&mut self, last_written: u64) -> &mut Self {
        self.last_written = last_written;
        for subkey in &mut self.subkeys {
            subkey.set_time(last_written);
        }
        self
    }
}

/// Returns a string in the form that the registry stores.
fn terminated(text: &str) -> Vec<u8> {
    let mut units = units(text);
    units.push(0);
    utf16le(&units)
}
