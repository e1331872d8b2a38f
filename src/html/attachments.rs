//! What a page holds beside the report: plans with the texts of their patches, a history, a custody record, the facts of
//! the case. All of it is read, none of it is believed: a plan is shown where it is of an installation of the report.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

use crate::case_facts::CaseFacts;
use crate::custody::Custody;
use crate::error::Error;
use crate::evidence::sha256_of;
use crate::history::History;
use crate::remediation::{Plan, PlanFile};

/// A patch or a text beside a plan has at most so many bytes.
const LARGEST_FILE: u64 = 16 << 20;
/// A history, or a custody record.
const LARGEST_DOCUMENT: u64 = 1 << 30;
/// The files of a patch, in the order in which they are shown.
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

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Attachments {
    /// The plans of patches, with their files.
    pub plans: Vec<PatchFolder>,
    /// What `history --format json` wrote.
    pub history: Option<Attached<History>>,
    /// What `--custody` wrote in the run that examined the evidence.
    pub custody: Option<Attached<Custody>>,
    /// The facts of the case, as far as the user states them.
    pub case: CaseFacts,
    /// The reports as JSON that the page is made of.
    pub reports: Vec<Hashed>,
}

/// A file, and what is in it.
#[derive(Clone, Debug)]
pub struct Attached<T> {
    /// The file.
    pub file: Hashed,
    /// What stands in it.
    pub document: T,
}

/// A file by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// Its path, as the user named it.
    pub path: String,
    /// Of its bytes.
    pub sha256: String,
}

/// A plan with the files of its patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFolder {
    /// The plan's own file.
    pub file: Hashed,
    /// The plan.
    pub plan: Plan,
    /// The others by name: patches, rollbacks, how to import them.
    pub files: Vec<(String, Vec<u8>)>,
    /// Those that the plan's folder lacks or that cannot be read, and why.
    pub missing: Vec<String>,
}

impl PatchFolder {
    /// Returns a patch that is being written; `path` is that of its `plan.json`.
    pub fn of(path: String, plan: Plan, files: &[(String, Vec<u8>)]) -> Self {
        let find = |name: &str| files.iter().find(|(known, _)| known == name);
        let sha256 = find("plan.json").map_or_else(String::new, |(_, bytes)| sha256_of(bytes));
        let files = FILES.iter().filter_map(|name| find(name)).cloned().collect();
        Self { file: Hashed { path, sha256 }, plan, files, missing: Vec::new() }
    }

    /// Reads a `plan.json`, and what lies beside it.
    ///
    /// # Errors
    /// As [`PlanFile::open`]. Files beside it that are missing or cannot be read are told on the page.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let PlanFile { path: shown, sha256, plan } = PlanFile::open(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let (mut files, mut missing) = (Vec::new(), Vec::new());
        for name in FILES {
            match bytes_of(&folder.join(name), LARGEST_FILE) {
                Ok(bytes) => files.push((name.to_owned(), bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
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
    /// Reads what `history --format json` wrote.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or is something else.
    pub fn read(path: &Path) -> Result<Self, Error> {
        const ADVICE: &str = "Name the file that `hivemend history EVIDENCE --format json --output FILE` wrote";
        document(path, ADVICE, History::parse)
    }
}

impl Attached<Custody> {
    /// Reads what `--custody` wrote.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or is something else.
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

/// Returns the bytes of a regular file. It is opened without waiting: a pipe has no end that anybody could wait for.
fn bytes_of(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "too large"));
    }
    Ok(bytes)
}
