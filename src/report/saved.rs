//! Reads saved reports so that they can be rendered again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Report, SchemaVersion, Summary};
use crate::error::Error;
use crate::evidence::sha256_of;
use crate::finding::{Finding, Verdict, View};

/// The largest accepted report: ten thousand machines with every finding are smaller.
const LARGEST: u64 = 4 << 30;

/// A saved report.
#[derive(Debug)]
pub struct Saved {
    /// The report.
    pub report: Report,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
}

/// Reads a report that `audit` or `find` wrote with `--format json`; `-` is stdin.
///
/// # Errors
/// Returns an error if the file cannot be read or is not a report of this version.
pub fn read_saved(path: &Path) -> Result<Saved, Error> {
    let from_stdin = path.as_os_str() == "-";
    let name = if from_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let failed = |source| Error::Read {
        path: name.clone(),
        source,
        advice: "Name a report that `hivemend audit --format json` wrote, or - for one on stdin",
    };
    let source: Box<dyn Read> =
        if from_stdin { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(failed)?) };
    let mut bytes = Vec::new();
    source.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let refused = |reason: String| Error::Refused {
        reason: format!("{name}: {reason}"),
        advice: "Name a report that `hivemend audit --format json` or `hivemend find --format json` wrote".to_owned(),
    };
    if bytes.len() as u64 > LARGEST {
        return Err(refused(format!("more than {} GiB", LARGEST >> 30)));
    }
    let report: Report = serde_json::from_slice(&bytes).map_err(|error| refused(what_is_wrong(&bytes, &error)))?;
    Ok(Saved { report, sha256: sha256_of(&bytes) })
}

/// Returns what the file is instead of a report.
fn what_is_wrong(bytes: &[u8], error: &serde_json::Error) -> String {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return "not JSON".to_owned();
    }
    let begins = |name: &str| {
        let start = bytes.get(..bytes.len().min(400)).unwrap_or_default();
        String::from_utf8_lossy(start).contains(name)
    };
    if begins("\"record\"") {
        return "lines of JSON (--format jsonl), not one report".to_owned();
    }
    format!("not a report of schema_version \"{}\": {error}", SchemaVersion::TEXT)
}

impl Report {
    /// Removes the findings that conform, as an audit without `--all` does.
    pub fn without_conforming(&mut self) {
        self.options.all = false;
        for judgement in self.installations.iter_mut().filter_map(|installation| installation.judgement.as_mut()) {
            judgement.findings.retain(is_shown);
        }
    }

    /// Appends the records of another report to this one. Ids of installations stay unique.
    ///
    /// # Errors
    /// Returns an error if different versions or different options made the two reports, because the joint statements
    /// would be true for neither.
    pub fn append(&mut self, other: Self) -> Result<(), String> {
        if self.tool != other.tool {
            return Err(format!("made by {} {}, not {}", other.tool.name, other.tool.version, self.tool.version));
        }
        if self.options != other.options {
            return Err("made with other options".to_owned());
        }
        let mut known: BTreeSet<String> =
            self.installations.iter().map(|installation| installation.id.to_lowercase()).collect();
        for mut installation in other.installations {
            installation.id = unique(&installation.id, &known);
            known.insert(installation.id.to_lowercase());
            self.installations.push(installation);
        }
        self.shadow_copies.extend(other.shadow_copies);
        self.sources.extend(other.sources);
        self.problems.extend(other.problems);
        self.problems.sort();
        self.problems.dedup();
        let Summary { installations, counts, gaps, .. } = other.summary;
        self.summary.installations = self.summary.installations.saturating_add(installations);
        self.summary.counts.add(&counts);
        let mut all = std::mem::take(&mut self.summary.gaps);
        all.extend(gaps);
        self.summary.close(all);
        Ok(())
    }
}

/// Returns whether a finding is shown without `--all`: it does not conform, or did not before the logs were replayed.
pub(crate) fn is_shown(finding: &Finding) -> bool {
    finding.verdict != Verdict::Conforms || finding.view == View::BothDiffer
}

/// Returns the id, with a number appended if it is in use.
fn unique(id: &str, known: &BTreeSet<String>) -> String {
    let numbered = (2_usize..).map(|number| format!("{id}-{number}"));
    let mut ids = std::iter::once(id.to_owned()).chain(numbered);
    ids.find(|id| !known.contains(&id.to_lowercase())).unwrap_or_else(|| id.to_owned())
}
