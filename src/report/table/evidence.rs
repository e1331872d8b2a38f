//! A summary of the ledger: the searched containers and volumes, the refused sources, and the number of examined files.

use std::io;

use super::page::{Ink, Page};
use super::{count, data};
use crate::report::{Report, SourceIntegrity, SourceOutcome, SourceReport};

/// The most sources that are listed. The others are counted, and JSON has all of them.
const MOST: usize = 40;

/// Writes the block. Writes nothing if the evidence is only plain folders and hives without remarks.
pub(super) fn write(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let listed: Vec<&SourceReport> = report.sources.iter().filter(|source| is_listed(source)).collect();
    if listed.is_empty() {
        return Ok(());
    }
    page.paragraph(0, "Evidence", Ink::Strong)?;
    for source in listed.iter().take(MOST) {
        let ink = match source.outcome {
            SourceOutcome::Read if source.integrity == SourceIntegrity::Unverified => Ink::High,
            SourceOutcome::Read => Ink::Plain,
            SourceOutcome::Refused => Ink::High,
            SourceOutcome::Irrelevant => Ink::Dim,
        };
        page.labelled(2, 1, "-", &source_line(source), ink)?;
    }
    if let Some(more @ 1..) = listed.len().checked_sub(MOST) {
        page.labelled(2, 1, "-", &format!("{} more; --format json lists each", count(more, "source")), Ink::Dim)?;
    }
    page.blank()
}

/// Returns whether a source gets a line of its own. Hives and logs are listed with their installations.
pub fn is_listed(source: &SourceReport) -> bool {
    match source.kind.as_str() {
        "hive" | "log" => source.outcome != SourceOutcome::Read || source.integrity == SourceIntegrity::Unverified,
        "folder" | "file" => source.outcome != SourceOutcome::Read || source.reason.is_some(),
        _ => true,
    }
}

/// Returns the result for a source in a line:
/// `disk.E01!p2: NTFS, read, verified by the checksum of each chunk (E01); 45,210 files`
pub fn source_line(source: &SourceReport) -> String {
    let outcome = match source.outcome {
        SourceOutcome::Read => "read",
        SourceOutcome::Refused => "refused",
        SourceOutcome::Irrelevant => "irrelevant",
    };
    let mut line = format!("{}: {}, {outcome}", data::prose(&source.locator), data::prose(&source.kind));
    if source.outcome == SourceOutcome::Read {
        match (source.integrity, &source.verified_by) {
            (SourceIntegrity::Verified, Some(by)) => line = format!("{line}, verified by {}", data::prose(by)),
            (SourceIntegrity::Unverified, _) => line.push_str(", UNVERIFIED"),
            _ => {}
        }
        if source.members.seen > 0 {
            let files = usize::try_from(source.members.seen).unwrap_or(usize::MAX);
            line = format!("{line}; {}", count(files, "file"));
        }
    }
    let told = source.reason.iter().chain(&source.advice).map(|told| data::prose(told));
    std::iter::once(line).chain(told).collect::<Vec<_>>().join("; ")
}
