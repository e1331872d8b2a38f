//! A row of the table of formats: how to recognise a format, and the advice for it.

use crate::evidence::file_system::Head;

/// A format that is recognised and refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The format with its article: `a RAR archive`.
    pub what: &'static str,
    /// Extensions of such files, in lower case.
    pub extensions: &'static [&'static str],
    /// How to reach the files in it, as a sentence without a full stop.
    pub advice: &'static str,
    /// How to recognise the format.
    pub mark: Mark,
}

/// How to recognise a format.
#[derive(Clone, Copy, Debug)]
pub enum Mark {
    /// One of these byte strings at this place, in bytes from the file's start.
    At(usize, &'static [&'static [u8]]),
    /// These bytes 512 bytes before the file's end.
    End(&'static [u8]),
    /// This check of the file's beginning.
    Is(fn(&Head) -> bool),
    /// This check of the file's beginning, and one of the extensions.
    Named(fn(&Head) -> bool),
}

/// Compares signatures by what they match; checks are never equal.
impl PartialEq for Mark {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::At(at, bytes), Self::At(other, others)) => at == other && bytes == others,
            (Self::End(bytes), Self::End(others)) => bytes == others,
            _ => false,
        }
    }
}

impl Eq for Mark {}

impl Row {
    /// Returns whether a file with this beginning, end and name is of this format.
    pub(super) fn is(&self, head: &Head, name: &str) -> bool {
        match self.mark {
            Mark::At(at, all) => {
                let bytes = head.bytes.get(at..).unwrap_or_default();
                all.iter().any(|mark| bytes.starts_with(mark))
            }
            Mark::End(mark) => head.end.len() == 512 && head.end.starts_with(mark),
            Mark::Is(test) => test(head),
            Mark::Named(test) => has_extension(name, self.extensions) && test(head),
        }
    }
}

/// Returns the text behind the last dot of a name.
fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Returns whether a name has one of these extensions, in any letter case.
pub(super) fn has_extension(name: &str, extensions: &[&str]) -> bool {
    extensions.iter().any(|known| extension(name).eq_ignore_ascii_case(known))
}
