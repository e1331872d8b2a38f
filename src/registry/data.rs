//! Value data: the type, the raw bytes, and their meaning if it hides nothing.

use std::fmt;

/// The type of a value's data. Any 32-bit number is possible, because Windows stores whatever type is given.
///
/// <https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataType(pub u32);

/// The named types, by number from 0.
const NAMES: [&str; 12] = [
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTOR",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
];

#[expect(missing_docs, reason = "the types' own names")]
impl DataType {
    pub const SZ: Self = Self(1);
    pub const EXPAND_SZ: Self = Self(2);
    pub const BINARY: Self = Self(3);
    pub const DWORD: Self = Self(4);
    pub const LINK: Self = Self(6);
    pub const MULTI_SZ: Self = Self(7);
    pub const QWORD: Self = Self(11);
}

impl DataType {
    /// Returns the type with this name (`REG_SZ`); `None` if no type has this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let number = NAMES.iter().position(|known| *known == name)?;
        u32::try_from(number).ok().map(Self)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match usize::try_from(self.0).ok().and_then(|number| NAMES.get(number)) {
            Some(name) => f.write_str(name),
            None => write!(f, "type {:#010x}", self.0),
        }
    }
}

impl serde::Serialize for DataType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads the form that [`DataType`] is written in: its name, or `type 0x0000002a`.
impl<'de> serde::Deserialize<'de> for DataType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let numbered = || u32::from_str_radix(name.strip_prefix("type 0x")?, 16).ok().map(Self);
        let found = Self::from_name(&name).or_else(numbered).filter(|known| known.to_string() == name);
        found.ok_or_else(|| serde::de::Error::custom(format!("{name:?} is no registry type")))
    }
}

/// A value's type and raw bytes, as stored in the hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryValue {
    /// The type as stored.
    pub data_type: DataType,
    /// The data as stored, including terminators.
    pub bytes: Vec<u8>,
}

/// The meaning of data that hide nothing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Decoded {
    /// A string type: well-formed, at most one terminator, and nothing after it.
    Text(String),
    /// A list of strings, without empty strings at its end.
    List(Vec<String>),
    /// A number of 4 or 8 bytes.
    Number(u64),
}

impl RegistryValue {
    /// Returns a string of this type with its terminator.
    pub fn text(data_type: DataType, text: &str) -> Self {
        Self { data_type, bytes: text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect() }
    }

    /// Returns a REG_MULTI_SZ of these strings, with a terminator for each string and for the list.
    pub fn list<S: AsRef<str>>(entries: &[S]) -> Self {
        let mut bytes = Vec::new();
        for entry in entries {
            bytes.extend(entry.as_ref().encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
        }
        bytes.extend([0, 0]);
        Self { data_type: DataType::MULTI_SZ, bytes }
    }

    /// Returns a REG_DWORD.
    pub fn dword(number: u32) -> Self {
        Self { data_type: DataType::DWORD, bytes: number.to_le_bytes().to_vec() }
    }

    /// Returns a REG_QWORD.
    pub fn qword(number: u64) -> Self {
        Self { data_type: DataType::QWORD, bytes: number.to_le_bytes().to_vec() }
    }

    /// Returns the value with this meaning, the inverse of [`Self::decoded`]. Empty if `data` is `None`.
    pub fn encoded(data_type: DataType, data: Option<&Decoded>) -> Self {
        match data {
            Some(Decoded::Text(text)) => Self::text(data_type, text),
            Some(Decoded::List(entries)) => Self { data_type, ..Self::list(entries) },
            Some(Decoded::Number(number)) if data_type == DataType::QWORD => Self::qword(*number),
            Some(Decoded::Number(number)) => {
                let bytes = number.to_le_bytes().into_iter().take(size_of::<u32>()).collect();
                Self { data_type, bytes }
            }
            None => Self { data_type, bytes: Vec::new() },
        }
    }

    /// Returns the meaning of the data. Returns `None` for binary data, for a number of the wrong size, and for a
    /// string that is malformed or has bytes after its end: such data are shown raw, never shortened.
    pub fn decoded(&self) -> Option<Decoded> {
        match self.data_type {
            DataType::SZ | DataType::EXPAND_SZ | DataType::LINK => self.as_text().map(Decoded::Text),
            DataType::MULTI_SZ => self.as_list().map(Decoded::List),
            DataType::DWORD | DataType::QWORD => self.as_number().map(Decoded::Number),
            _ => None,
        }
    }

    /// Returns the string, if this is a string type and hides nothing.
    pub fn as_text(&self) -> Option<String> {
        if !matches!(self.data_type, DataType::SZ | DataType::EXPAND_SZ | DataType::LINK) {
            return None;
        }
        let units = self.units()?;
        let text = units.strip_suffix(&[0]).unwrap_or(&units);
        if text.contains(&0) {
            return None;
        }
        String::from_utf16(text).ok()
    }

    /// Returns the strings of a REG_MULTI_SZ. Empty strings in the middle are kept, because an entry may hide after
    /// one. Those at the end have no meaning and are dropped.
    pub fn as_list(&self) -> Option<Vec<String>> {
        if self.data_type != DataType::MULTI_SZ {
            return None;
        }
        let units = self.units()?;
        let mut entries = units.split(|unit| *unit == 0).map(String::from_utf16).collect::<Result<Vec<_>, _>>().ok()?;
        while entries.last().is_some_and(String::is_empty) {
            entries.pop();
        }
        Some(entries)
    }

    /// Returns the number of a REG_DWORD of 4 bytes or a REG_QWORD of 8.
    pub fn as_number(&self) -> Option<u64> {
        match self.data_type {
            DataType::DWORD => Some(u64::from(u32::from_le_bytes(self.bytes.as_slice().try_into().ok()?))),
            DataType::QWORD => Some(u64::from_le_bytes(self.bytes.as_slice().try_into().ok()?)),
            _ => None,
        }
    }

    /// Returns any data as a string: the text itself, a number in decimal, the entries of a list separated by commas,
    /// or the readable part of a malformed string. All other data are in hexadecimal.
    pub fn to_text(&self) -> String {
        match self.decoded() {
            Some(Decoded::Text(text)) => text,
            Some(Decoded::Number(number)) => number.to_string(),
            Some(Decoded::List(entries)) => entries.join(", "),
            None => match (self.data_type, self.units()) {
                (DataType::SZ | DataType::EXPAND_SZ | DataType::LINK | DataType::MULTI_SZ, Some(units)) => {
                    String::from_utf16_lossy(units.strip_suffix(&[0]).unwrap_or(&units))
                }
                _ => hex(&self.bytes),
            },
        }
    }

    /// Returns the data as a list of strings: one for a text or a number, one for each entry of a list, none for binary
    /// or malformed data.
    pub fn to_strings(&self) -> Vec<String> {
        match self.decoded() {
            Some(Decoded::Text(text)) => vec![text],
            Some(Decoded::Number(number)) => vec![number.to_string()],
            Some(Decoded::List(entries)) => entries,
            None => Vec::new(),
        }
    }

    /// Returns the bytes in lower-case hexadecimal.
    pub fn raw_hex(&self) -> String {
        hex(&self.bytes)
    }

    fn units(&self) -> Option<Vec<u16>> {
        let (pairs, rest) = self.bytes.as_chunks::<2>();
        rest.is_empty().then(|| pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
    }
}

/// Returns bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the bytes of lower-case hexadecimal; `None` if the text is not hexadecimal.
pub(crate) fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(letter.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_hides_bytes_behind_its_end_is_not_text() {
        assert_eq!(RegistryValue::text(DataType::SZ, "a").as_text().as_deref(), Some("a"));
        assert_eq!(RegistryValue::text(DataType::SZ, "good\0evil").as_text(), None);
        assert_eq!(RegistryValue { data_type: DataType::SZ, bytes: vec![0x41, 0, 0x42] }.as_text(), None);
        assert_eq!(RegistryValue { data_type: DataType::SZ, bytes: vec![0, 0xd8] }.as_text(), None);
        assert_eq!(RegistryValue { data_type: DataType::SZ, bytes: vec![] }.as_text().as_deref(), Some(""));
    }

    #[test]
    fn an_entry_behind_an_empty_string_is_seen() {
        let hidden = RegistryValue::list(&["a", "", "evil"]);
        assert_eq!(hidden.as_list().unwrap(), ["a", "", "evil"]);
        assert_eq!(RegistryValue::list(&["a", ""]).as_list().unwrap(), ["a"]);
        assert!(RegistryValue::list::<&str>(&[]).as_list().unwrap().is_empty());
    }

    #[test]
    fn a_number_of_the_wrong_size_is_none() {
        assert_eq!(RegistryValue::dword(258).decoded(), Some(Decoded::Number(258)));
        assert_eq!(RegistryValue { data_type: DataType::DWORD, bytes: vec![3, 0] }.decoded(), None);
    }

    #[test]
    fn every_value_has_a_text_and_what_it_says_is_encoded_again() {
        let binary = RegistryValue { data_type: DataType::BINARY, bytes: vec![1, 0xab] };
        let hidden = RegistryValue::text(DataType::SZ, "good\0evil");
        let list = RegistryValue::list(&["a", "", "b"]);
        assert_eq!([&binary, &hidden, &list].map(RegistryValue::to_text), ["01ab", "good\0evil", "a, , b"]);
        assert_eq!([&binary, &hidden, &list].map(|value| value.to_strings().len()), [0, 0, 3]);
        for value in
            [list, RegistryValue::dword(258), RegistryValue::qword(7), RegistryValue::text(DataType::LINK, "x")]
        {
            assert_eq!(RegistryValue::encoded(value.data_type, value.decoded().as_ref()), value);
        }
    }

    #[test]
    fn types_without_a_name_show_their_number() {
        assert_eq!(DataType(7).to_string(), "REG_MULTI_SZ");
        assert_eq!(DataType(0xffff_0011).to_string(), "type 0xffff0011");
        assert_eq!(DataType::from_name("REG_QWORD"), Some(DataType::QWORD));
    }

    #[test]
    fn types_and_bytes_are_read_as_they_are_written() {
        for number in (0..=12).chain([0xffff_0011]) {
            let text = serde_json::to_string(&DataType(number)).unwrap();
            assert_eq!(serde_json::from_str::<DataType>(&text).unwrap(), DataType(number));
        }
        for wrong in ["\"REG_FOO\"", "\"type 0x00000001\"", "\"type 0x1f\"", "\"type 0x+000001f\"", "1"] {
            assert!(serde_json::from_str::<DataType>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(bytes_of_hex(&hex(&[0, 0x9f, 0xff])), Some(vec![0, 0x9f, 0xff]));
        assert_eq!(bytes_of_hex(""), Some(vec![]));
        for wrong in ["0", "0g", "FF", " 0", "é"] {
            assert_eq!(bytes_of_hex(wrong), None, "{wrong}");
        }
    }
}
