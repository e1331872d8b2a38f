//! Refusals of outputs.

use std::io;
use std::path::Path;

use crate::error::Error;

/// Returns the error of a refused output.
pub(super) fn refuse(
    option: &'static str,
    path: &Path,
    expected: impl Into<String>,
    found: impl Into<String>,
    advice: impl Into<String>,
) -> Error {
    Error::Output {
        option,
        path: path.to_owned(),
        expected: expected.into(),
        found: found.into(),
        advice: advice.into(),
    }
}

/// The advice for most refusals.
pub(super) const ANOTHER: &str = "Name another file";

/// Returns the system's error in words.
pub(super) fn told(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "nothing of that name".to_owned(),
        io::ErrorKind::NotADirectory => "no folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "a file system that is read-only".to_owned(),
        _ => error.to_string(),
    }
}
