//! Keys in the format of regedit's exports.

use std::io::{self, Write};

use super::form::{Form, Head, Said};
use crate::error::Problem;
use crate::reg_file::{Dialect, KeyPath, Operation, Reason, Writer};
use crate::registry::{RegistryValue, same_name};

pub(super) struct Reg<'w> {
    writer: Option<Writer<&'w mut dyn Write>>,
    /// The last key.
    key: Option<KeyPath>,
    /// The last key at each depth, from the topmost shown key on. Siblings are consecutive.
    way: Vec<Vec<u16>>,
}

impl<'w> Reg<'w> {
    pub(super) fn plain(out: &'w mut dyn Write) -> io::Result<Self> {
        Ok(Self::of(Writer::plain(out, Dialect::Regedit5)?))
    }

    pub(super) fn file(out: &'w mut dyn Write) -> io::Result<Self> {
        Ok(Self::of(Writer::new(out, Dialect::Regedit5)?))
    }

    fn of(writer: Writer<&'w mut dyn Write>) -> Self {
        Self { writer: Some(writer), key: None, way: Vec::new() }
    }

    fn write(&mut self, operation: &Operation) -> Said {
        match &mut self.writer {
            Some(writer) => writer.write(operation),
            None => Ok(Ok(())),
        }
    }

    /// Returns whether the key has the name of the previous one in the same list. On import the two would become one.
    fn is_twin(&mut self, key: &KeyPath) -> bool {
        let Some((name, above)) = key.names().split_last() else { return false };
        let twin =
            self.way.get(above.len()).is_some_and(|before| same_name(before.iter().copied(), name.iter().copied()));
        self.way.truncate(above.len());
        self.way.resize(above.len(), Vec::new());
        self.way.push(name.clone());
        twin
    }
}

impl Form for Reg<'_> {
    fn key(&mut self, head: &Head<'_>) -> Said {
        if self.is_twin(head.path) {
            return Ok(Err(Reason::KeyTwice));
        }
        self.key = Some(head.path.clone());
        self.write(&Operation::CreateKey { key: head.path.clone() })
    }

    fn value(&mut self, name: Vec<u16>, value: RegistryValue) -> Said {
        let Some(key) = self.key.clone() else { return Ok(Ok(())) };
        self.write(&Operation::SetValue { key, name, data_type: value.data_type.0, bytes: value.bytes })
    }

    fn subkeys(&mut self, _: &mut dyn Iterator<Item = String>) -> io::Result<()> {
        Ok(())
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.comment(&problem.to_string());
        }
        Ok(())
    }

    fn end(&mut self, _: &[Problem]) -> io::Result<()> {
        match self.writer.take() {
            Some(writer) => writer.finish().map(|_| ()),
            None => Ok(()),
        }
    }
}
