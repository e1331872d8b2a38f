//! The error for wrong bytes on a volume.

use std::io;

/// Returns the error with its reason.
pub(in crate::evidence::file_systems) fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
