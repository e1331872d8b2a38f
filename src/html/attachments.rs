//! The attachments of a page beside the report: plans with the texts of their patches, a history, a custody record, the
//! facts of the case. They are read but not trusted: a plan is shown only if it belongs to an installation of the
//! report.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use serde::{Deserialize, Serialize};

use crate::case_facts::CaseFacts;
use crate::custody::Custody;
use crate::error::Error;
use crate::evidence::sha256_of;
use crate::history::History;
use crate::remediation::{Plan, PlanFile};
use crate::report::InstallationReport;
use crate::shelf::Shelf;

/// The largest patch, or text beside a plan, in bytes.
const LARGEST_FILE: u64 = 16 << 20;
/// The largest history or custody record, in bytes.
const LARGEST_DOCUMENT: u64 = 1 << 30;
/// The files of a patch, in display order.
const FILES: [&str; 12] = [
    "IMPORT.txt",
    "SOFTWARE.reg",
    "SOFTWARE.rollback.reg",
    "SYSTEM.reg",
    "SYSTEM.rollback.reg",
    "patch.reg",
    "rollback.reg",
    "winre.cmd",
    "winre-SOFTWARE.reg",
    "winre-SOFTWARE.rollback.reg",
    "winre-SYSTEM.reg",
    "winre-SYSTEM.rollback.reg",
];

/// All attachments.
#[derive(Debug, Default)]
pub struct Attachments {
    /// The plans of patches, with their files.
    pub plans: Plans,
    /// The output of `history --format json`.
    pub history: Option<Attached<History>>,
    /// The output of `--custody` in the run that examined the evidence.
    pub custody: Option<Attached<Custody>>,
    /// The facts of the case that the user states.
    pub case: CaseFacts,
    /// The JSON reports that the page was made from.
    pub reports: Vec<Hashed>,
}

/// A file and its contents.
#[derive(Clone, Debug)]
pub struct Attached<T> {
    /// The file.
    pub file: Hashed,
    /// Its contents.
    pub document: T,
}

/// A file and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashed {
    /// Its path, as the user named it.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// Plans with the files of their patches, put aside: of many machines, they are large.
#[derive(Debug, Default)]
pub struct Plans {
    /// The plans' own files.
    pub(super) files: Vec<Hashed>,
    aside: Shelf<PatchFolder>,
    /// The number of the first plan of each installation and evidence.
    numbers: BTreeMap<(String, String), usize>,
}

impl Plans {
    /// Puts a plan aside.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn put(&mut self, folder: &PatchFolder) -> io::Result<()> {
        let number = self.aside.put(folder)?;
        self.files.push(folder.file.clone());
        let of = (folder.plan.installation.clone(), folder.plan.evidence.clone());
        self.numbers.entry(of).or_insert(number);
        Ok(())
    }

    /// Returns the plan of an installation.
    pub(super) fn of(&mut self, installation: &InstallationReport) -> io::Result<Option<PatchFolder>> {
        let of = (installation.id.clone(), installation.evidence.clone());
        self.numbers.get(&of).map_or(Ok(None), |number| self.aside.get(*number))
    }
}

/// A plan with the files of its patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchFolder {
    /// The plan's own file.
    pub file: Hashed,
    /// The plan.
    pub plan: Plan,
    /// The other files by name: patches, rollbacks, import instructions.
    pub files: Vec<(String, Vec<u8>)>,
    /// Files that the plan's folder lacks or that cannot be read, with the reason.
    pub missing: Vec<String>,
}

impl PatchFolder {
    /// Returns a patch that is being written. `path` is that of its `plan.json`.
    pub fn of(path: String, plan: Plan, files: &[(String, Vec<u8>)]) -> Self {
        let find = |name: &str| files.iter().find(|(known, _)| known == name);
        let sha256 = find("plan.json").map_or_else(String::new, |(_, bytes)| sha256_of(bytes));
        let files = FILES.iter().filter_map(|name| find(name)).cloned().collect();
        Self { file: Hashed { path, sha256 }, plan, files, missing: Vec::new() }
    }

    /// Reads a `plan.json` and the files beside it.
    ///
    /// # Errors
    /// Returns the same errors as [`PlanFile::open`]. The page reports files beside it that are missing or cannot be
    /// read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let PlanFile { path: shown, sha256, plan } = PlanFile::open(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let (mut files, mut missing) = (Vec::new(), Vec::new());
        for name in FILES {
            match bytes_of(&folder.join(name), LARGEST_FILE) {
                Ok(bytes) => files.push((name.to_owned(), bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => missing.push(format!("{name}: {error}")),
            }
        }
        if files.is_empty() && !plan.edits.is_empty() {
            missing.push("no patch lies beside plan.json".to_owned());
        }
        Ok(Self { file: Hashed { path: shown, sha256 }, plan, files, missing })
    }
}

impl Attached<History> {
    /// Reads the output of `history --format json`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or contains something else.
    pub fn read(path: &Path) -> Result<Self, Error> {
        const ADVICE: &str = "Name the file that `hivemend history EVIDENCE --format json --output FILE` wrote";
        document(path, ADVICE, History::parse)
    }
}

impl Attached<Custody> {
    /// Reads the output of `--custody`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or contains something else.
    pub fn read(path: &Path) -> Result<Self, Error> {
        document(path, "Name the file that --custody wrote", Custody::parse)
    }
}

fn document<T>(
    path: &Path,
    advice: &'static str,
    parse: impl FnOnce(&str, &[u8]) -> Result<T, Error>,
) -> Result<Attached<T>, Error> {
    let shown = path.display().to_string();
    let bytes =
        bytes_of(path, LARGEST_DOCUMENT).map_err(|source| Error::Read { path: shown.clone(), source, advice })?;
    let document = parse(&shown, &bytes)?;
    Ok(Attached { file: Hashed { path: shown, sha256: sha256_of(&bytes) }, document })
}

/// Returns the bytes of a regular file. Opens it without waiting, because a pipe may never end.
fn bytes_of(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large"));
    }
    Ok(bytes)
}
