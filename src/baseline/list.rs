//! The list of baselines: the supported Windows, and how well the expectations of each are confirmed.

use std::io::{self, Write};

use serde::Serialize;

use super::{BUILT_IN, Baseline, BuiltIn, Rule};
use crate::error::Error;
use crate::finding::Grade;
use crate::os::OsId;

/// One baseline in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The name of the Windows.
    pub name: String,
    /// SHA-256 of its text.
    pub sha256: String,
    /// Rows that Microsoft, two sources or two machines vouch for.
    pub confirmed: usize,
    /// Rows that one source or one machine vouches for.
    pub single_source: usize,
    /// Rows carried over from a related Windows.
    pub inferred: usize,
    /// Rows without any source, so that nothing is expected.
    pub unknown: usize,
}

/// Returns the built-in baselines in the order of their release, from Windows 2000 on.
///
/// # Errors
/// Returns an error if a built-in file is wrong. The tests ensure that none is.
pub fn entries() -> Result<Vec<Entry>, Error> {
    let mut baselines = BUILT_IN.iter().map(BuiltIn::read).collect::<Result<Vec<_>, Error>>()?;
    baselines.sort_by_key(|baseline| baseline.applies_to.first().copied());
    Ok(baselines.iter().copied().map(entry).collect())
}

fn entry(baseline: &Baseline) -> Entry {
    let mut entry = Entry {
        id: baseline.id.clone(),
        name: baseline.name.clone(),
        sha256: baseline.sha256.clone(),
        confirmed: 0,
        single_source: 0,
        inferred: 0,
        unknown: 0,
    };
    let mut count = |grade: Grade, unknown: bool| {
        let counter = match grade {
            _ if unknown => &mut entry.unknown,
            Grade::Confirmed => &mut entry.confirmed,
            Grade::SingleSource => &mut entry.single_source,
            Grade::Inferred => &mut entry.inferred,
        };
        *counter = counter.saturating_add(1);
    };
    for key in &baseline.keys {
        if key.values.is_empty() {
            count(key.basis.grade, false);
        }
        for value in &key.values {
            count(value.basis.grade, matches!(value.rule, Rule::Unknown(_)));
        }
    }
    for step in &baseline.steps {
        count(step.basis.grade, false);
    }
    entry
}

/// Writes the list for people, in 80 columns. The text is also valid Markdown.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| id                     | confirmed | single-source | inferred | unknown |")?;
    writeln!(out, "| ---------------------- | --------: | ------------: | -------: | ------: |")?;
    for entry in entries().map_err(io::Error::other)? {
        writeln!(
            out,
            "| {:<22} | {:>9} | {:>13} | {:>8} | {:>7} |",
            entry.id, entry.confirmed, entry.single_source, entry.inferred, entry.unknown
        )?;
    }
    writeln!(
        out,
        "\nThe list of Windows, releases and builds is of {}. A later build is\njudged by the nearest listed one.",
        OsId::as_of()
    )
}

/// Writes the list for programs, as JSON.
///
/// # Errors
/// Returns the error of the writer.
pub fn render_json(out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &entries().map_err(io::Error::other)?)?;
    out.write_all(b"\n")
}
