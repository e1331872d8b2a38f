//! Data in findings: decoded if that hides nothing, and the raw bytes of what was observed.

use serde::{Deserialize, Serialize};

use crate::registry::{DataType, Decoded, RegistryValue, bytes_of_hex, hex};

/// A value as reports show it: its type, and its data if they can be shown without hiding anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Datum {
    /// The type's name.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The decoded data.
    pub data: Option<Decoded>,
}

impl Datum {
    /// Returns the data as a string, see [`RegistryValue::to_text`].
    pub fn to_text(&self) -> String {
        RegistryValue::encoded(self.data_type, self.data.as_ref()).to_text()
    }
}

/// An observed value: its decoded data and its raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedDatum {
    /// The decoded data.
    pub datum: Datum,
    /// The raw bytes.
    pub raw: Vec<u8>,
}

impl ObservedDatum {
    /// Returns the type and the data.
    pub fn value(&self) -> RegistryValue {
        RegistryValue { data_type: self.datum.data_type, bytes: self.raw.clone() }
    }
}

/// Serialises `data` with the JSON type of its registry type. `text` is always a string, `strings` always a list of
/// strings; `raw` has the bytes in lower-case hexadecimal.
impl Serialize for ObservedDatum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let value = self.value();
        let mut written = serializer.serialize_struct("ObservedDatum", 5)?;
        written.serialize_field("type", &self.datum.data_type)?;
        written.serialize_field("data", &self.datum.data)?;
        written.serialize_field("text", &value.to_text())?;
        written.serialize_field("strings", &value.to_strings())?;
        written.serialize_field("raw", &hex(&self.raw))?;
        written.end()
    }
}

/// Reads the form that [`ObservedDatum`] is written in. Only its bytes are trusted, and they are decoded again.
impl<'de> Deserialize<'de> for ObservedDatum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            #[serde(rename = "type")]
            data_type: DataType,
            raw: String,
        }
        let Written { data_type, raw } = Written::deserialize(deserializer)?;
        let bytes = bytes_of_hex(&raw)
            .ok_or_else(|| serde::de::Error::custom("`raw` is not bytes in lower-case hexadecimal"))?;
        Ok(Self::from(&RegistryValue { data_type, bytes }))
    }
}

impl From<&RegistryValue> for Datum {
    fn from(value: &RegistryValue) -> Self {
        Self { data_type: value.data_type, data: value.decoded() }
    }
}

impl From<&RegistryValue> for ObservedDatum {
    fn from(value: &RegistryValue) -> Self {
        Self { datum: value.into(), raw: value.bytes.clone() }
    }
}
