//! An error of a volume whose bytes cannot be right.

use std::io;

/// The error, with what is wrong.
pub(in crate::evidence::file_systems) fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
