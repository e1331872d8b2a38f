//! The problem of an unreadable file.

use std::io;

use crate::error::{Code, Problem};
use crate::evidence::archive;
use crate::evidence::directory;

/// Returns the code for a refused archive or member.
pub(super) fn code_of(refused: &archive::Refused) -> Code {
    match refused.cause {
        archive::Cause::Encrypted => Code::Encrypted,
        archive::Cause::Unsupported => Code::UnsupportedFormat,
        archive::Cause::Damaged => Code::Damaged,
        archive::Cause::Limit => Code::Limit,
    }
}

/// Returns a read error as a problem: encrypted, an unsupported method, damaged, or the operating system's error.
pub(super) fn unreadable(error: &io::Error) -> Problem {
    let (told, advice) = directory::explain(error);
    let problem = Problem::new("a file that can be read", told);
    match archive::Refused::of(error) {
        Some(refused) => {
            let problem = problem.code(code_of(refused));
            if refused.advice.is_empty() { problem } else { problem.advise(refused.advice.clone()) }
        }
        None => problem.code(Code::Unreadable).advise(directory::within_a_sentence(advice)),
    }
}
