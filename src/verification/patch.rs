//! A `.reg` file that is to be verified, and what its header comment says of the hives that it was made for.

use std::sync::Arc;

use serde::Serialize;

use crate::evidence::sha256_of;
use crate::os::OsId;
use crate::reg_file::{CodePage, Document, ReadOptions, Reading, Severity, Verdict, parse_text, parse_with};
use crate::registry::Role;
use crate::remediation::PlanFile;

/// A `.reg` file, read as regedit reads it.
#[derive(Clone, Debug)]
pub struct Patch {
    /// The file, as it was named.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What its importer would do with it.
    pub reading: Reading,
    /// Who is to import it.
    pub(super) importer: Importer,
    /// The plan that it was written from, where that is there.
    pub(super) plan: Option<Arc<PlanFile>>,
}

/// Which file of a plan a patch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Correct,
    RollBack,
}

/// Programs that import `.reg` files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Importer {
    /// regedit of Windows 2000 and later.
    #[default]
    Regedit,
    /// hivexregedit: UTF-8, and data are stored as they are spelled.
    Hivexregedit,
}

/// What is said of a `.reg` file.
#[derive(Clone, Debug, Serialize)]
pub struct PatchSummary {
    /// The file, as it was named.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// `accept`, `warn` or `reject`: whether the file may be relied on.
    pub strict: &'static str,
    /// How many operations regedit would carry out.
    pub operations: usize,
    /// How many places regedit drops or twists.
    pub dropped: usize,
    /// The first of them, in words.
    pub first: Option<String>,
    /// The Windows that the file says it is for, as hivemend writes it.
    pub made_for: Option<String>,
}

impl Patch {
    /// Reads a `.reg` file as that importer does; on a machine with that ANSI code page, where it is known.
    pub fn read(path: impl Into<String>, bytes: &[u8], importer: Importer, code_page: Option<CodePage>) -> Self {
        let text = (importer == Importer::Hivexregedit).then(|| str::from_utf8(bytes).ok()).flatten();
        let reading = text.map_or_else(|| parse_with(bytes, &ReadOptions { code_page }), parse_text);
        Self { path: path.into(), sha256: sha256_of(bytes), reading, importer, plan: None }
    }

    /// The same, with the plan that it may have been written from: where it meets another hive than the one that it was
    /// made for, the values that the plan names are compared.
    #[must_use]
    pub fn with_plan(mut self, plan: Option<Arc<PlanFile>>) -> Self {
        self.plan = plan;
        self
    }

    /// Whether the file says of itself that hivemend made it for hives that it names.
    pub fn names_hives(&self) -> bool {
        !self.hives().is_empty()
    }

    /// Whether it is a patch of ours or a rollback; `None` for any other file.
    pub(super) fn direction(&self) -> Option<Direction> {
        header(&self.reading.effect).iter().find_map(|line| match line {
            line if line.starts_with("hivemend patch for ") => Some(Direction::Correct),
            line if line.starts_with("hivemend rollback for ") => Some(Direction::RollBack),
            _ => None,
        })
    }

    /// What the importer carries out.
    pub(super) fn operations(&self) -> Document {
        let reading = self.reading.clone();
        match self.importer {
            Importer::Hivexregedit if reading.verdict() != Verdict::Reject => {
                reading.into_document().unwrap_or_default()
            }
            _ => reading.effect,
        }
    }

    /// What is said of it.
    pub fn summary(&self) -> PatchSummary {
        let mut errors = self.reading.diagnostics.iter().filter(|found| found.code.severity() == Severity::Error);
        let first = errors.next();
        PatchSummary {
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            strict: match self.reading.verdict() {
                Verdict::Accept => "accept",
                Verdict::Warn => "warn",
                Verdict::Reject => "reject",
            },
            operations: self.reading.effect.operations.len(),
            dropped: errors.count().saturating_add(usize::from(first.is_some())),
            first: first.map(ToString::to_string),
            made_for: made_for(&self.reading.effect),
        }
    }

    /// Why the file is not for that Windows, where it says what it is for.
    pub(super) fn refuses(&self, os: OsId) -> Option<String> {
        let made_for = made_for(&self.reading.effect).filter(|made_for| made_for != os.as_str())?;
        Some(format!("{} was made for {made_for}, and this is {os}", self.path))
    }

    /// The hives that the file says it was made for, by SHA-256.
    pub(super) fn hives(&self) -> Vec<(Role, String)> {
        let sum = |line: &str| {
            let (role, sum) = line.split_once(" hive, SHA-256 ")?;
            let role = [Role::Software, Role::System].into_iter().find(|known| known.as_str() == role)?;
            let is_sum = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_sum.then(|| (role, sum.to_owned()))
        };
        header(&self.reading.effect).iter().filter_map(|line| sum(line)).collect()
    }
}

/// The comment lines before the first operation.
fn header(document: &Document) -> Vec<String> {
    let head = document.comments.iter().take_while(|comment| comment.before == 0);
    head.map(|comment| String::from_utf16_lossy(&comment.text)).collect()
}

/// The Windows that the header of a patch or rollback of ours names.
fn made_for(document: &Document) -> Option<String> {
    header(document).iter().find_map(|line| {
        let rest =
            ["hivemend patch for ", "hivemend rollback for "].iter().find_map(|start| line.strip_prefix(start))?;
        rest.split_once(". ").map(|(os, _)| os.to_owned())
    })
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
        let patch = Patch::read("x.reg", text.as_bytes(), Importer::Regedit, None);
        assert_eq!(patch.summary().made_for.as_deref(), Some("windows-xp"));
        assert_eq!(patch.hives(), [(Role::System, sum)]);
        assert_eq!(patch.refuses("windows-xp".parse().unwrap()), None);
        let refusal = "x.reg was made for windows-xp, and this is windows-2000";
        assert_eq!(patch.refuses("windows-2000".parse().unwrap()).as_deref(), Some(refusal));
        let text = b"Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM]\n";
        let foreign = Patch::read("y.reg", text, Importer::Regedit, None);
        assert_eq!((foreign.refuses("windows-2000".parse().unwrap()), foreign.hives()), (None, vec![]));
    }
}
