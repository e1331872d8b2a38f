//! The chain-of-custody record: who looked at what, when, with which program, and that nothing changed meanwhile. The
//! only place with clocks.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use rayon::prelude::*;
use serde::Serialize;

use crate::evidence::sha256;
use crate::report::Tool;

/// The record.
#[derive(Debug, Serialize)]
pub struct Custody {
    schema_version: &'static str,
    tool: Tool,
    /// SHA-256 of the program's own file.
    program_sha256: Option<String>,
    /// The account that ran it, as the environment names it.
    examiner: Option<String>,
    command_line: Vec<String>,
    working_directory: Option<String>,
    started: String,
    ended: String,
    files: Vec<FileRecord>,
    /// Whether every file was the same before and after.
    unchanged: bool,
}

#[derive(Debug, Serialize)]
struct FileRecord {
    path: String,
    before: Option<FileState>,
    after: Option<FileState>,
    unchanged: bool,
}

/// A file at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct FileState {
    size: u64,
    modified: Option<String>,
    sha256: String,
}

/// A record that has been begun: the files have been hashed, the work is still to do.
#[derive(Debug)]
pub struct Begun {
    started: Timestamp,
    before: Vec<(PathBuf, Option<FileState>)>,
}

/// Begins a record over these files.
pub fn begin(files: &[PathBuf]) -> Begun {
    let started = Timestamp::now();
    Begun { started, before: files.par_iter().map(|path| (path.clone(), state(path))).collect() }
}

impl Begun {
    /// Ends the record: hashes the files again.
    pub fn end(self) -> Custody {
        let files: Vec<FileRecord> = self
            .before
            .into_par_iter()
            .map(|(path, before)| {
                let after = state(&path);
                FileRecord {
                    path: path.display().to_string(),
                    unchanged: before.is_some() && before == after,
                    before,
                    after,
                }
            })
            .collect();
        let program = std::env::current_exe().ok();
        Custody {
            schema_version: "1",
            tool: Tool::default(),
            program_sha256: program.and_then(|path| sha256(&path).ok()).map(|(sum, _)| sum),
            examiner: ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()),
            command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            working_directory: std::env::current_dir().ok().map(|path| path.display().to_string()),
            started: self.started.to_string(),
            ended: Timestamp::now().to_string(),
            unchanged: files.iter().all(|file| file.unchanged),
            files,
        }
    }
}

impl Custody {
    /// Whether every file was the same before and after.
    pub fn unchanged(&self) -> bool {
        self.unchanged
    }
}

fn state(path: &Path) -> Option<FileState> {
    let modified = path.metadata().ok()?.modified().ok();
    let (sha256, size) = sha256(path).ok()?;
    let modified = modified.and_then(|time: SystemTime| Timestamp::try_from(time).ok()).map(|time| time.to_string());
    Some(FileState { size, modified, sha256 })
}
