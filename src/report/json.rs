//! The report as JSON: whole, or one finding a line.
//!
//! Characters that would steer a terminal or hide (see [`super::escape`]) are written as `\uXXXX`, which any reader
//! turns back into the same string: a report that is only looked at is as safe as one that is parsed.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::escape::is_unseen;
use super::{InstallationReport, Report};
use crate::discovery::Generation;
use crate::finding::Finding;
use crate::os::OsId;

mod stream;

pub(crate) use stream::Stream;

/// Writes the whole report, two blanks deep, with a line end behind it.
///
/// # Errors
/// What the writer says.
pub fn render(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    write_document(report, writer)
}

/// Writes one finding a line, as in the report, with the facts of where it was found before its own fields:
///
/// ```json
/// {"installation":{"id":"...","evidence":"...","generation":"live","os":"windows-xp","sha256":"..."},"id":"...","verdict":"..."}
/// ```
///
/// `sha256` is that of the finding's hive, `null` where it has none. What is not a finding, such as a hive that could
/// not be opened, is not in these lines: whether they are everything, the exit code and the whole report say.
///
/// # Errors
/// What the writer says.
pub fn render_lines(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = BufWriter::new(writer);
    for installation in &report.installations {
        for finding in installation.judgement.iter().flat_map(|judgement| &judgement.findings) {
            let line = Line { installation: Place::of(installation, finding), finding };
            line.serialize(&mut Serializer::with_formatter(&mut writer, Visible(CompactFormatter)))?;
            writer.write_all(b"\n")?;
        }
    }
    writer.flush()
}

/// Writes anything that programs read as the report is written.
pub(crate) fn write_document(document: &impl Serialize, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = BufWriter::new(writer);
    let formatter = Visible(PrettyFormatter::with_indent(b"  "));
    document.serialize(&mut Serializer::with_formatter(&mut writer, formatter))?;
    writer.write_all(b"\n")?;
    writer.flush()
}

/// One line of [`render_lines`].
#[derive(Serialize)]
struct Line<'a> {
    installation: Place<'a>,
    #[serde(flatten)]
    finding: &'a Finding,
}

/// Where a finding was made.
#[derive(Serialize)]
struct Place<'a> {
    id: &'a str,
    evidence: &'a str,
    generation: Generation,
    os: OsId,
    sha256: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(installation: &'a InstallationReport, finding: &Finding) -> Self {
        let hive = installation.hives.iter().find(|hive| finding.hive == Some(hive.role));
        Self {
            id: &installation.id,
            evidence: &installation.evidence,
            generation: installation.generation,
            os: installation.os.id,
            sha256: hive.and_then(|hive| hive.sha256.as_deref()),
        }
    }
}

/// A formatter that also escapes what would not be seen.
#[derive(Clone)]
struct Visible<F>(F);

/// Hands calls on to the formatter within.
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
