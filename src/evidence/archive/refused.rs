//! Why an archive, or a member of one, is refused.

use std::fmt;
use std::io;

/// The kind of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Encrypted, and the password is missing or wrong.
    Encrypted,
    /// The format, or a method in it, is unsupported.
    Unsupported,
    /// The bytes contradict their format or their checksums.
    Damaged,
    /// Beyond a limit of this program.
    Limit,
}

/// Why an archive or a member is refused, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The kind of reason.
    pub cause: Cause,
    /// The reason, as the end of a sentence that names the file: `is encrypted`.
    pub reason: String,
    /// What to do, as a sentence without a full stop; empty if nothing helps.
    pub advice: String,
}

impl Refused {
    /// Creates a refusal.
    pub fn new(cause: Cause, reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { cause, reason: reason.into(), advice: advice.into() }
    }

    /// Creates the refusal of damaged bytes.
    pub fn damaged(reason: impl Into<String>) -> Self {
        Self::new(Cause::Damaged, reason, "copy the archive again")
    }

    /// Creates the refusal of encrypted bytes; `given`: a password was given, and is wrong.
    pub fn encrypted(given: bool) -> Self {
        if given {
            Self::new(Cause::Encrypted, "the password is wrong", "check the password (--password-file)")
        } else {
            Self::new(Cause::Encrypted, "it is encrypted", "name a file with its password (--password-file)")
        }
    }

    /// Returns the refusal inside an error, if the error contains one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Returns the refusal inside an error; any other error counts as damage.
    pub fn from_error(error: &io::Error) -> Self {
        Self::of(error).cloned().unwrap_or_else(|| Self::damaged(error.to_string()))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        let kind = match refused.cause {
            Cause::Encrypted => io::ErrorKind::PermissionDenied,
            Cause::Unsupported => io::ErrorKind::Unsupported,
            Cause::Damaged => io::ErrorKind::InvalidData,
            Cause::Limit => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, refused)
    }
}

/// Creates the error for damaged bytes.
pub(super) fn damaged(reason: impl Into<String>) -> io::Error {
    Refused::damaged(reason).into()
}
