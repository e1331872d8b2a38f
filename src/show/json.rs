//! Keys as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::form::{Form, Head, Said, shown};
use crate::error::Problem;
use crate::registry::{DataType, Decoded, RegistryValue};
use crate::report::json::Stream;
use crate::report::{SchemaVersion, Tool};

pub(super) struct Json<'w> {
    stream: Stream<&'w mut dyn Write>,
    /// Whether a key is open and its values have begun.
    key: bool,
    /// The problems of the hive, which come before those of keys.
    doubts: &'w [Problem],
}

#[derive(Serialize)]
struct Value {
    name: String,
    #[serde(rename = "type")]
    data_type: DataType,
    data: Option<Decoded>,
    raw: String,
}

impl<'w> Json<'w> {
    pub(super) fn new(out: &'w mut dyn Write, doubts: &'w [Problem]) -> io::Result<Self> {
        let mut stream = Stream::new(out);
        stream.object(None)?;
        stream.value(Some("schema_version"), &SchemaVersion)?;
        stream.value(Some("tool"), &Tool::default())?;
        stream.array(Some("keys"))?;
        Ok(Self { stream, key: false, doubts })
    }
}

impl Form for Json<'_> {
    fn key(&mut self, head: &Head<'_>) -> Said {
        self.key = true;
        self.stream.object(None)?;
        self.stream.value(Some("path"), &shown(&head.path.to_units()))?;
        self.stream.value(Some("last_written"), &head.last_written)?;
        self.stream.value(Some("class"), &head.class.as_deref().map(shown))?;
        self.stream.array(Some("values"))?;
        Ok(Ok(()))
    }

    fn value(&mut self, name: Vec<u16>, value: RegistryValue) -> Said {
        let (name, raw, data) = (shown(&name), value.raw_hex(), value.decoded());
        self.stream.value(None, &Value { name, data_type: value.data_type, data, raw })?;
        Ok(Ok(()))
    }

    fn subkeys(&mut self, names: &mut dyn Iterator<Item = String>) -> io::Result<()> {
        if !std::mem::take(&mut self.key) {
            return Ok(());
        }
        self.stream.close()?;
        self.stream.array(Some("subkeys"))?;
        for name in names {
            self.stream.value(None, &name)?;
        }
        self.stream.close()?;
        self.stream.close()
    }

    fn problem(&mut self, _: &Problem) -> io::Result<()> {
        // All of them are written at the end.
        Ok(())
    }

    fn end(&mut self, problems: &[Problem]) -> io::Result<()> {
        self.subkeys(&mut std::iter::empty())?;
        self.stream.close()?;
        self.stream.array(Some("problems"))?;
        for problem in self.doubts.iter().chain(problems) {
            self.stream.value(None, problem)?;
        }
        self.stream.close()?;
        self.stream.close()
    }
}
