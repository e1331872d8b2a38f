//! Why an archive, or a member of one, is not read.

use std::fmt;
use std::io;

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is encrypted, and no password, or the wrong one, was given.
    Encrypted,
    /// The format, or a method in it, is not read.
    Unsupported,
    /// Its bytes contradict its format or its checksums.
    Damaged,
    /// A limit of this program stops it.
    Limit,
}

/// Why something is not read, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The kind of reason.
    pub cause: Cause,
    /// The reason, as the end of a sentence that names the file: `is encrypted`.
    pub reason: String,
    /// What to do, as a sentence without a full stop; empty where nothing helps.
    pub advice: String,
}

impl Refused {
    /// Makes a refusal.
    pub fn new(cause: Cause, reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { cause, reason: reason.into(), advice: advice.into() }
    }

    /// Makes the refusal of damaged bytes.
    pub fn damaged(reason: impl Into<String>) -> Self {
        Self::new(Cause::Damaged, reason, "copy the archive again")
    }

    /// Makes the refusal of what has no password; `given` says that there was one.
    pub fn encrypted(given: bool) -> Self {
        if given {
            Self::new(Cause::Encrypted, "the password is wrong", "check the password (--password-file)")
        } else {
            Self::new(Cause::Encrypted, "it is encrypted", "name a file with its password (--password-file)")
        }
    }

    /// Returns the refusal that an error carries, if it carries one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Returns the refusal that an error carries; another error is damage.
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

/// Makes the error of damaged bytes.
pub(super) fn damaged(reason: impl Into<String>) -> io::Error {
    Refused::damaged(reason).into()
}
