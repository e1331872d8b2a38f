//! The chain-of-custody record: who examined what, when and with which program; that the evidence did not change; and
//! the outputs. The only module that reads clocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::case_facts::CaseFacts;
use crate::error::Error;
use crate::evidence::hash::{Algorithm, Hashes, Sums, named, sha256, sums};
use crate::evidence::output::Written;
use crate::evidence::worker::Sandbox;
use crate::report::{SchemaVersion, Tool};

/// The record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Custody {
    /// The version of this form.
    pub schema_version: SchemaVersion,
    /// The program.
    pub tool: Tool,
    /// The SHA-256 of the program's own file.
    pub program_sha256: Option<String>,
    /// The examiner: from the facts of the case, otherwise the account.
    pub examiner: Option<String>,
    /// The account that ran the program, as the environment names it.
    pub account: Option<String>,
    /// The facts of the case that the user stated.
    pub case: CaseFacts,
    /// The command line as typed.
    pub command_line: Vec<String>,
    /// The working directory.
    pub working_directory: Option<String>,
    /// When the evidence was first hashed, in UTC.
    pub started: String,
    /// When this record was written, after all outputs, in UTC.
    pub ended: String,
    /// What could be done by those who read archives and disk images, at most; `null` if none was read.
    #[serde(default)]
    pub sandbox: Option<Sandbox>,
    /// Every file that was opened as evidence.
    pub files: Vec<FileRecord>,
    /// Whether every file was the same before and after.
    pub unchanged: bool,
    /// Every output of the run in the order of writing, except this record.
    pub outputs: Vec<Written>,
}

/// A file of the evidence, before and after.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileRecord {
    /// The file's path.
    pub path: String,
    /// The state before; `null` if the file was unreadable.
    pub before: Option<FileState>,
    /// The state after; `null` if the file was unreadable.
    pub after: Option<FileState>,
    /// Whether both states are the same.
    pub unchanged: bool,
}

/// A file at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// The size in bytes.
    pub size: u64,
    /// The time of the last change.
    pub modified: Option<String>,
    /// The SHA-256 of the file's bytes.
    pub sha256: String,
    /// MD5, if requested.
    #[serde(default)]
    pub md5: Option<String>,
    /// SHA-1, if requested.
    #[serde(default)]
    pub sha1: Option<String>,
}

impl FileState {
    /// Returns the hashes, each with its algorithm, in the order of reports.
    pub fn sums(&self) -> impl Iterator<Item = (Algorithm, &str)> {
        named(Some(&self.sha256), self.md5.as_deref(), self.sha1.as_deref())
    }
}

/// An unfinished record: it hashes each file of the evidence before the examination reads the file.
#[derive(Debug)]
pub struct Witness {
    started: Timestamp,
    hashes: Hashes,
    before: Mutex<BTreeMap<PathBuf, Option<FileState>>>,
}

/// A record of evidence that was examined and hashed again. The outputs are not written yet.
#[derive(Debug)]
pub struct Examined {
    started: Timestamp,
    sandbox: Option<Sandbox>,
    files: Vec<FileRecord>,
}

impl Witness {
    /// Begins a record that has these hashes of each file.
    pub fn new(hashes: Hashes) -> Self {
        Self { started: Timestamp::now(), hashes, before: Mutex::default() }
    }

    /// Hashes a file that is about to be read, once.
    pub fn see(&self, path: &Path) {
        let before = || self.before.lock().unwrap_or_else(PoisonError::into_inner);
        if !before().contains_key(path) {
            let state = state(path, self.hashes);
            before().entry(path.to_owned()).or_insert(state);
        }
    }

    /// Hashes again the files that were opened. `sandbox` is what those could do that read containers.
    pub fn end(self, opened: &[PathBuf], sandbox: Option<Sandbox>) -> Examined {
        let before = self.before.into_inner().unwrap_or_else(PoisonError::into_inner);
        let files = opened.par_iter().map(|path| {
            let before = before.get(path).cloned().flatten();
            let after = state(path, self.hashes);
            FileRecord {
                path: path.display().to_string(),
                unchanged: before.is_some() && before == after,
                before,
                after,
            }
        });
        Examined { started: self.started, sandbox, files: files.collect() }
    }
}

impl Examined {
    /// Returns whether every file was the same before and after.
    pub fn unchanged(&self) -> bool {
        self.files.iter().all(|file| file.unchanged)
    }

    /// Closes the record with the outputs of the run.
    pub fn close(self, case: CaseFacts, outputs: Vec<Written>) -> Custody {
        let program = std::env::current_exe().ok();
        let account = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        Custody {
            schema_version: SchemaVersion,
            tool: Tool::default(),
            program_sha256: program.and_then(|path| sha256(&path).ok()).map(|(sum, _)| sum),
            examiner: case.examiner.as_ref().map(|fact| fact.text.clone()).or_else(|| account.clone()),
            account,
            case,
            command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            working_directory: std::env::current_dir().ok().map(|path| path.display().to_string()),
            started: self.started.to_string(),
            ended: Timestamp::now().to_string(),
            unchanged: self.unchanged(),
            sandbox: self.sandbox,
            files: self.files,
            outputs,
        }
    }
}

impl Custody {
    /// Reads a record; `path` is its name in errors.
    ///
    /// # Errors
    /// The bytes are not a custody record of a known form.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::Refused {
            reason: format!("{path}: expected a custody record of hivemend, found something else ({error})"),
            advice: "Name the file that --custody wrote".to_owned(),
        })
    }
}

fn state(path: &Path, hashes: Hashes) -> Option<FileState> {
    let modified = path.metadata().ok()?.modified().ok();
    let (Sums { sha256, md5, sha1 }, size) = sums(path, hashes).ok()?;
    let modified = modified.and_then(|time: SystemTime| Timestamp::try_from(time).ok()).map(|time| time.to_string());
    Some(FileState { size, modified, sha256, md5, sha1 })
}
