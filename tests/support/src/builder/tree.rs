//! The tree in memory: keys and values before they have a place in a file.

use super::DEFAULT_TIME;
use super::names::{same_name, units, utf16le};

/// The registry's own numbers for types of data.
pub mod reg_type {
    /// No type.
    pub const NONE: u32 = 0;
    /// A string, ended by NUL.
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
    /// Strings, each ended by NUL, and one NUL more.
    pub const MULTI_SZ: u32 = 7;
    /// A driver's resources.
    pub const RESOURCE_LIST: u32 = 8;
    /// A device's resources.
    pub const FULL_RESOURCE_DESCRIPTOR: u32 = 9;
    /// A driver's wishes.
    pub const RESOURCE_REQUIREMENTS_LIST: u32 = 10;
    /// 64 bits, least significant byte first.
    pub const QWORD: u32 = 11;
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The name, empty for the default value; stored as Latin-1 if it is.
    pub name: Vec<u16>,
    /// The type: any number, as in the registry.
    pub data_type: u32,
    /// The data as they are stored.
    pub data: Vec<u8>,
}

/// A key with all that is below it.
///
/// Building does not recurse, but dropping does: a tree tens of thousands of keys deep needs a thread with a big stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name; stored as Latin-1 if it is.
    pub name: Vec<u16>,
    /// 100 ns since 1601.
    pub last_written: u64,
    /// The class name, UTF-16, if there is one.
    pub class: Option<Vec<u16>>,
    /// Flags beyond those that the builder sets itself (root, compressed name): `0x10` makes a symbolic link.
    pub flags: u16,
    /// The values, in the order of the value list.
    pub values: Vec<Value>,
    /// The subkeys: sorted when built, unless `keep_order`.
    pub subkeys: Vec<Key>,
    /// Lists the subkeys as they stand here, duplicates and all.
    pub keep_order: bool,
    /// The record names no security descriptor.
    pub lacks_security: bool,
    /// The key's own security descriptor; `None` for that of all keys: see [`super::descriptor`].
    pub security: Option<Vec<u8>>,
}

impl Key {
    /// Returns an empty key.
    pub fn new(name: &str) -> Self {
        Self::from_units(&units(name))
    }

    /// Returns an empty key whose name need not be good UTF-16.
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

    /// Returns the key at a path of names with `\` between them; letter case does not matter, empty names are skipped.
    pub fn key(&self, path: &str) -> Option<&Self> {
        path.split('\\').filter(|name| !name.is_empty()).try_fold(self, |key, name| {
            let name = units(name);
            key.subkeys.iter().find(|subkey| same_name(&subkey.name, &name))
        })
    }

    /// Returns the key at a path, with all that is missing on the way there made.
    pub fn create(&mut self, path: &str) -> &mut Self {
        path.split('\\').filter(|name| !name.is_empty()).fold(self, |key, name| key.create_child(&units(name)))
    }

    /// Returns the subkey of that name, made if missing, with this key's time. The name may hold anything, even `\`.
    ///
    /// It looks at every subkey: to make tens of thousands beside each other, push them to `subkeys`.
    pub fn create_child(&mut self, name: &[u16]) -> &mut Self {
        // The last one first: whoever fills a hive path by path mostly comes back to it.
        let place = self.subkeys.iter().rposition(|subkey| same_name(&subkey.name, name));
        let place = place.unwrap_or_else(|| {
            let mut subkey = Self::from_units(name);
            subkey.last_written = self.last_written;
            self.subkeys.push(subkey);
            self.subkeys.len() - 1
        });
        &mut self.subkeys[place]
    }

    /// Takes the subkey of that name away, with all below it.
    pub fn remove_child(&mut self, name: &str) -> Option<Self> {
        let name = units(name);
        let place = self.subkeys.iter().position(|subkey| same_name(&subkey.name, &name))?;
        Some(self.subkeys.remove(place))
    }

    /// Returns the value of that name in any letter case; the default value's name is empty.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let name = units(name);
        self.values.iter().find(|value| same_name(&value.name, &name))
    }

    /// Takes the value of that name away.
    pub fn remove_value(&mut self, name: &str) -> Option<Value> {
        let name = units(name);
        let place = self.values.iter().position(|value| same_name(&value.name, &name))?;
        Some(self.values.remove(place))
    }

    /// Gives a value its type and data: in place if there is one of that name in any letter case, else at the end.
    pub fn set(&mut self, name: &str, data_type: u32, data: &[u8]) -> &mut Self {
        self.set_units(&units(name), data_type, data)
    }

    /// Returns the same with a name that need not be good UTF-16.
    pub fn set_units(&mut self, name: &[u16], data_type: u32, data: &[u8]) -> &mut Self {
        let data = data.to_vec();
        match self.values.iter_mut().find(|value| same_name(&value.name, name)) {
            Some(value) => (value.data_type, value.data) = (data_type, data),
            None => self.values.push(Value { name: name.to_vec(), data_type, data }),
        }
        self
    }

    /// Returns a `REG_SZ` with its ending NUL.
    pub fn set_sz(&mut self, name: &str, text: &str) -> &mut Self {
        self.set(name, reg_type::SZ, &terminated(text))
    }

    /// Returns a `REG_EXPAND_SZ` with its ending NUL.
    pub fn set_expand_sz(&mut self, name: &str, text: &str) -> &mut Self {
        self.set(name, reg_type::EXPAND_SZ, &terminated(text))
    }

    /// Returns a `REG_MULTI_SZ` with all its NULs.
    pub fn set_multi_sz(&mut self, name: &str, texts: &[&str]) -> &mut Self {
        let mut data: Vec<u8> = texts.iter().flat_map(|text| terminated(text)).collect();
        data.extend([0, 0]);
        self.set(name, reg_type::MULTI_SZ, &data)
    }

    /// Returns a `REG_DWORD`.
    pub fn set_dword(&mut self, name: &str, number: u32) -> &mut Self {
        self.set(name, reg_type::DWORD, &number.to_le_bytes())
    }

    /// Returns a `REG_QWORD`.
    pub fn set_qword(&mut self, name: &str, number: u64) -> &mut Self {
        self.set(name, reg_type::QWORD, &number.to_le_bytes())
    }

    /// Returns a `REG_BINARY`.
    pub fn set_binary(&mut self, name: &str, data: &[u8]) -> &mut Self {
        self.set(name, reg_type::BINARY, data)
    }

    /// Gives this key and all below it that time.
    pub fn set_time(&mut self, last_written: u64) -> &mut Self {
        self.last_written = last_written;
        for subkey in &mut self.subkeys {
            subkey.set_time(last_written);
        }
        self
    }
}

/// Returns a string as the registry stores one.
fn terminated(text: &str) -> Vec<u8> {
    let mut units = units(text);
    units.push(0);
    utf16le(&units)
}
