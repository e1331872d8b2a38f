//! The report as JSON: one document, or one record per line.
//!
//! Characters that would control a terminal or hide (see [`super::escape`]) are written as `\uXXXX`, which every JSON
//! reader converts back. So the report is safe to display and unchanged when parsed.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::escape::is_unseen;
use super::{InstallationReport, Renderer, Report, Run, SourceReport, Summary};
use crate::error::Problem;
use crate::evidence::file::Snapshot;

mod stream;

pub(crate) use stream::Stream;

/// Writes the whole report, indented by two, with a line end.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    report.render(&mut Document::new(writer))
}

/// Writes the report as one JSON document.
#[derive(Debug)]
pub struct Document<W: Write> {
    stream: Stream<BufWriter<W>>,
    list: List,
}

/// The lists of the document, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    Installations,
    ShadowCopies,
    Sources,
    Problems,
}

impl List {
    const ALL: [Self; 4] = [Self::Installations, Self::ShadowCopies, Self::Sources, Self::Problems];

    fn name(self) -> &'static str {
        match self {
            Self::Installations => "installations",
            Self::ShadowCopies => "shadow_copies",
            Self::Sources => "sources",
            Self::Problems => "problems",
        }
    }
}

impl<W: Write> Document<W> {
    /// Returns a document of which nothing is written yet.
    pub fn new(writer: W) -> Self {
        Self { stream: Stream::new(BufWriter::new(writer)), list: List::Installations }
    }

    /// Closes the lists before this one, and opens this one.
    fn go_to(&mut self, list: List) -> io::Result<()> {
        for next in List::ALL.into_iter().filter(|next| *next > self.list && *next <= list) {
            self.stream.close()?;
            self.stream.array(Some(next.name()))?;
        }
        self.list = self.list.max(list);
        Ok(())
    }

    fn item(&mut self, list: List, item: &impl Serialize) -> io::Result<()> {
        self.go_to(list)?;
        self.stream.value(None, item)
    }
}

impl<W: Write> Renderer for Document<W> {
    fn run(&mut self, run: &Run) -> io::Result<()> {
        self.stream.object(None)?;
        self.stream.value(Some("schema_version"), &run.schema_version)?;
        self.stream.value(Some("tool"), &run.tool)?;
        self.stream.value(Some("options"), &run.options)?;
        self.stream.array(Some(List::Installations.name()))
    }

    fn installation(&mut self, installation: &InstallationReport) -> io::Result<()> {
        self.item(List::Installations, installation)?;
        // Each machine is written at once instead of waiting for a full buffer.
        self.stream.flush()
    }

    fn shadow_copy(&mut self, shadow_copy: &Snapshot) -> io::Result<()> {
        self.item(List::ShadowCopies, shadow_copy)
    }

    fn source(&mut self, source: &SourceReport) -> io::Result<()> {
        self.item(List::Sources, source)
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        self.item(List::Problems, problem)
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.go_to(List::Problems)?;
        self.stream.close()?;
        self.stream.value(Some("summary"), summary)?;
        self.stream.close()?;
        self.stream.flush()
    }
}

/// Writes a value on one line, with a line end.
pub(crate) fn write_line(value: &impl Serialize, writer: &mut impl Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *writer, Visible(CompactFormatter)))?;
    writer.write_all(b"\n")
}

/// Writes any document for programs in the layout of the report.
pub(crate) fn write_document(document: &impl Serialize, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = BufWriter::new(writer);
    let formatter = Visible(PrettyFormatter::with_indent(b"  "));
    document.serialize(&mut Serializer::with_formatter(&mut writer, formatter))?;
    writer.write_all(b"\n")?;
    writer.flush()
}

/// A formatter that also escapes invisible characters.
#[derive(Clone, Debug)]
struct Visible<F>(F);

/// Passes calls on to the inner formatter.
macro_rules! hand_on {
    ($($name:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $argument)*)
        }
    )*};
}

impl<F: Formatter> Formatter for Visible<F> {
    hand_on! {
        begin_array()
        end_array()
        begin_array_value(first: bool)
        end_array_value()
        begin_object()
        end_object()
        begin_object_key(first: bool)
        end_object_key()
        begin_object_value()
        end_object_value()
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Almost all text is printable ASCII, in which nothing is unseen.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return self.0.write_string_fragment(writer, fragment);
        }
        let mut rest = fragment;
        while let Some((index, unseen)) = rest.char_indices().find(|(_, character)| is_unseen(*character)) {
            let (plain, from_unseen) = rest.split_at(index);
            self.0.write_string_fragment(writer, plain)?;
            for unit in unseen.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = from_unseen.get(unseen.len_utf8()..).unwrap_or_default();
        }
        self.0.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_be_seen_is_escaped_and_comes_back() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\"\\\u{e0041}ß\u{1d11e}";
        let mut json = Vec::new();
        write_document(&text, &mut json).unwrap();
        let json = String::from_utf8(json).unwrap();
        insta::assert_snapshot!(json, @r#""a\u001b[2J\u007f\u009b\u202e\"\\\udb40\udc41ß𝄞""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn a_closed_pipe_is_an_error_of_the_writer() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(write_document(&"a", &mut Closed).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
