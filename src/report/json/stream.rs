//! Writes a document in the layout of the report piece by piece, for content that is too long for memory.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::Visible;

/// Writes a document of objects and arrays that are opened and closed one by one. In an object every item has a name;
/// in an array none has.
#[derive(Debug)]
pub(crate) struct Stream<W> {
    writer: W,
    formatter: Visible<PrettyFormatter<'static>>,
    open: Vec<Open>,
}

/// An open object or array.
#[derive(Debug)]
struct Open {
    array: bool,
    empty: bool,
}

impl<W: Write> Stream<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, formatter: Visible(PrettyFormatter::with_indent(b"  ")), open: Vec::new() }
    }

    /// Opens an object.
    pub(crate) fn object(&mut self, name: Option<&str>) -> io::Result<()> {
        self.before(name)?;
        self.open.push(Open { array: false, empty: true });
        self.formatter.begin_object(&mut self.writer)
    }

    /// Opens an array.
    pub(crate) fn array(&mut self, name: Option<&str>) -> io::Result<()> {
        self.before(name)?;
        self.open.push(Open { array: true, empty: true });
        self.formatter.begin_array(&mut self.writer)
    }

    /// Writes a complete value.
    pub(crate) fn value(&mut self, name: Option<&str>, value: &impl Serialize) -> io::Result<()> {
        self.before(name)?;
        value.serialize(&mut Serializer::with_formatter(&mut self.writer, self.formatter.clone()))?;
        self.after()
    }

    /// Closes what was opened last. A line end follows the outermost.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        match self.open.pop() {
            Some(Open { array: true, .. }) => self.formatter.end_array(&mut self.writer)?,
            Some(Open { array: false, .. }) => self.formatter.end_object(&mut self.writer)?,
            None => return Ok(()),
        }
        if self.open.is_empty() { self.writer.write_all(b"\n") } else { self.after() }
    }

    /// Flushes the underlying writer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn before(&mut self, name: Option<&str>) -> io::Result<()> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let first = std::mem::take(&mut open.empty);
        if open.array {
            return self.formatter.begin_array_value(&mut self.writer, first);
        }
        self.formatter.begin_object_key(&mut self.writer, first)?;
        name.unwrap_or_default()
            .serialize(&mut Serializer::with_formatter(&mut self.writer, self.formatter.clone()))?;
        self.formatter.end_object_key(&mut self.writer)?;
        self.formatter.begin_object_value(&mut self.writer)
    }

    fn after(&mut self) -> io::Result<()> {
        match self.open.last() {
            Some(Open { array: true, .. }) => self.formatter.end_array_value(&mut self.writer),
            Some(Open { array: false, .. }) => self.formatter.end_object_value(&mut self.writer),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json::write_document;

    #[test]
    fn piece_by_piece_is_the_same_as_at_once() {
        let whole = serde_json::json!({"a": 1, "b": [{"c": ["x", "\u{202e}"], "d": {}}, []], "e": [], "f": null});
        let mut expected = Vec::new();
        write_document(&whole, &mut expected).unwrap();
        let mut written = Vec::new();
        let mut stream = Stream::new(&mut written);
        stream.object(None).unwrap();
        stream.value(Some("a"), &1).unwrap();
        stream.array(Some("b")).unwrap();
        stream.object(None).unwrap();
        stream.value(Some("c"), &["x", "\u{202e}"]).unwrap();
        stream.object(Some("d")).unwrap();
        stream.close().unwrap();
        stream.close().unwrap();
        stream.array(None).unwrap();
        stream.close().unwrap();
        stream.close().unwrap();
        stream.array(Some("e")).unwrap();
        stream.close().unwrap();
        stream.value(Some("f"), &()).unwrap();
        stream.close().unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(expected).unwrap());
    }
}
