//! A `.reg` file to verify, and the hives that it was made for according to its header comment.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::evidence::sha256_of;
use crate::os::OsId;
use crate::reg_file::{CodePage, Importer, ReadOptions, Reading, Severity, Verdict, parse_with};
use crate::registry::Role;
use crate::remediation::{Header, PlanFile, Target};

/// A `.reg` file as its importer reads it.
#[derive(Clone, Debug)]
pub struct Patch {
    /// The path of the file, as the user named it.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What its importer would do.
    pub reading: Reading,
    /// The place where it is imported.
    pub target: Target,
    /// The contents of its header, if hivemend wrote the file.
    pub(super) header: Header,
    /// Contradictions between the options and the header.
    contradictions: Vec<String>,
    /// The plan that the file was written from, if it exists.
    pub(super) plan: Option<Arc<PlanFile>>,
}

/// Which file of a plan a patch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Correct,
    RollBack,
}

/// The user's statements on how a file is imported. Where they are missing, the header applies if hivemend wrote the
/// file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Importing {
    /// The importer. regedit if neither the user nor the header states one.
    pub importer: Option<Importer>,
    /// The target. A running Windows if neither states one; a hive for hivexregedit.
    pub target: Option<Target>,
    /// The ANSI code page of the importing machine.
    pub code_page: Option<CodePage>,
}

/// A summary of a `.reg` file.
#[derive(Clone, Debug, Serialize)]
pub struct PatchSummary {
    /// The path of the file, as the user named it.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The importer whose grammar was used.
    pub importer: Importer,
    /// The target: `offline` or `live`.
    pub target: &'static str,
    /// `accept`, `warn`, or `reject`: whether the file is reliable.
    pub strict: &'static str,
    /// The number of operations that the importer would apply.
    pub operations: usize,
    /// The number of places that the importer drops or changes, or stops at.
    pub dropped: usize,
    /// The first of these places, in words.
    pub first: Option<String>,
    /// The Windows that the file is for, according to a header of hivemend.
    pub made_for: Option<String>,
    /// Contradictions between the options and the header of a file that hivemend wrote.
    pub contradictions: Vec<String>,
}

impl Patch {
    /// Reads a `.reg` file as its importer does.
    ///
    /// # Errors
    /// Returns an error if hivexregedit should import the file into a running Windows.
    pub fn read(path: impl Into<String>, bytes: &[u8], importing: &Importing) -> Result<Self, Error> {
        let path = path.into();
        let header = Header::of(bytes);
        let importer = importing.importer.or(header.importer).unwrap_or_default();
        let target = match (importer, importing.target) {
            (Importer::Hivexregedit, Some(Target::Live)) => {
                return Err(Error::Refused {
                    reason: format!("{path}: --target live, and hivexregedit imports it"),
                    advice: "hivexregedit writes to a hive, never to a running Windows: use --target offline or \
                             --importer regedit"
                        .to_owned(),
                });
            }
            (Importer::Hivexregedit, _) => Target::Offline,
            (_, asked) => asked.or(header.target).unwrap_or(Target::Live),
        };
        let code_page = importing.code_page.or(header.code_page);
        let mut contradictions = Vec::new();
        if let Some(said) = header.importer.filter(|said| *said != importer) {
            contradictions
                .push(format!("its header names {said} as the importer, but it was read as {importer} reads it"));
        }
        if let Some(said) = header.target.filter(|said| *said != target) {
            contradictions.push(format!(
                "its header says --target {}, but --target {} is used",
                said.id(),
                target.id()
            ));
        }
        let reading = parse_with(bytes, &ReadOptions { importer, code_page });
        Ok(Self { path, sha256: sha256_of(bytes), reading, target, header, contradictions, plan: None })
    }

    /// Sets the plan that the file may have been written from. If the file meets another hive than the one that it was
    /// made for, the values in the plan are compared.
    #[must_use]
    pub fn with_plan(mut self, plan: Option<Arc<PlanFile>>) -> Self {
        self.plan = plan;
        self
    }

    /// Returns whether the header of a file names hives that hivemend made it for.
    pub fn is_for_hives(bytes: &[u8]) -> bool {
        !Header::of(bytes).hives.is_empty()
    }

    /// Returns whether hivemend wrote it as a patch or as a rollback; `None` for any other file.
    pub(super) fn direction(&self) -> Option<Direction> {
        self.header.made_for.as_ref()?;
        Some(if self.header.is_rollback { Direction::RollBack } else { Direction::Correct })
    }

    /// Returns the summary of the file.
    pub fn summary(&self) -> PatchSummary {
        let mut errors = self.reading.diagnostics.iter().filter(|found| found.code.severity() == Severity::Error);
        let first = errors.next();
        PatchSummary {
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            importer: self.reading.importer,
            target: self.target.id(),
            strict: match self.reading.verdict() {
                Verdict::Accept => "accept",
                Verdict::Warn => "warn",
                Verdict::Reject => "reject",
            },
            operations: self.reading.effect.operations.len(),
            dropped: errors.count().saturating_add(usize::from(first.is_some())),
            first: first.map(ToString::to_string),
            made_for: self.header.made_for.clone(),
            contradictions: self.contradictions.clone(),
        }
    }

    /// Returns why the file is not for this Windows, if it states its own.
    pub(super) fn refuses(&self, os: OsId) -> Option<String> {
        let made_for = self.header.made_for.as_ref().filter(|made_for| *made_for != os.as_str())?;
        Some(format!("{} was made for {made_for}, but this is {os}", self.path))
    }

    /// Returns the hives that the file was made for according to its header, by SHA-256.
    pub(super) fn hives(&self) -> Vec<(Role, String)> {
        self.header.hives.clone()
    }

    /// Returns the header as the importer reads it: the comments before the first operation.
    pub(super) fn header_as_read(&self) -> Header {
        let head = self.reading.effect.comments.iter().take_while(|comment| comment.before == 0);
        Header::read(head.map(|comment| String::from_utf16_lossy(&comment.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_ours_names_windows_and_hives_and_others_none() {
        let sum = "0123456789abcdef".repeat(4);
        let text = format!(
            "Windows Registry Editor Version 5.00\n\n; hivemend rollback for windows-xp. Do not import it into another \
             Windows.\n; SYSTEM hive, SHA-256 {sum}\n; SOFTWARE hive, SHA-256 not computed\n\n[HKEY_LOCAL_MACHINE\\SYSTEM]\n"
        );
        let read = |path: &str, text: &str| Patch::read(path, text.as_bytes(), &Importing::default()).unwrap();
        let patch = read("x.reg", &text);
        assert_eq!(patch.summary().made_for.as_deref(), Some("windows-xp"));
        assert_eq!(patch.hives(), [(Role::System, sum)]);
        assert_eq!(patch.refuses("windows-xp".parse().unwrap()), None);
        let refusal = "x.reg was made for windows-xp, but this is windows-2000";
        assert_eq!(patch.refuses("windows-2000".parse().unwrap()).as_deref(), Some(refusal));
        let text = "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM]\n";
        let foreign = read("y.reg", text);
        assert_eq!((foreign.refuses("windows-2000".parse().unwrap()), foreign.hives()), (None, vec![]));
    }

    #[test]
    fn the_header_of_ours_says_how_a_file_is_read_unless_somebody_says_otherwise() {
        let text =
            "REGEDIT4\n\n; hivemend patch for windows-7. Do not.\n; Importer: hivexregedit. Target: offline.\n\n";
        let read = |importing: &Importing| Patch::read("x.reg", text.as_bytes(), importing);
        let ours = read(&Importing::default()).unwrap().summary();
        assert_eq!((ours.importer, ours.target, ours.contradictions), (Importer::Hivexregedit, "offline", vec![]));
        let asked = Importing { importer: Some(Importer::Regedit), ..Importing::default() };
        let otherwise = read(&asked).unwrap().summary();
        assert_eq!((otherwise.importer, otherwise.target), (Importer::Regedit, "offline"));
        let told = "its header names hivexregedit as the importer, but it was read as regedit reads it";
        assert_eq!(otherwise.contradictions, [told]);
        let live = Importing { target: Some(Target::Live), ..Importing::default() };
        assert!(read(&live).unwrap_err().to_string().contains("--target live"));
    }
}
