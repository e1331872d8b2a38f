//! A short note on where a finding's key and value are, below the observed data.

use super::data;
use crate::finding::{Finding, Location};
use crate::hive::{LogEntry, LogPart};

/// Returns the lines of the note, each after a line end; empty if not requested or not known.
pub(super) fn lines(finding: &Finding) -> String {
    let Some(location) = &finding.location else { return String::new() };
    let mut text = offsets(location);
    if location.past_end {
        text.push_str("\npast the end of the file: logs made the hive longer");
    }
    let by = &location.written_by;
    // The parts that one entry wrote share a line.
    let mut sources: Vec<(&LogEntry, Vec<&str>)> = Vec::new();
    for (part, entry) in [("nk", &by.nk), ("vk", &by.vk), ("data", &by.data)] {
        let Some(entry) = entry else { continue };
        let same = |known: &LogEntry| (&known.log, known.sequence) == (&entry.log, entry.sequence);
        match sources.iter_mut().find(|(known, _)| same(known)) {
            Some((_, parts)) => parts.push(part),
            None => sources.push((entry, vec![part])),
        }
    }
    for (entry, parts) in sources {
        let name = entry.log.rsplit('/').next().unwrap_or_default();
        let what = match entry.part {
            LogPart::Entry => format!("entry {}", entry.sequence),
            LogPart::DirtyVector => format!("dirty vector ({})", entry.sequence),
        };
        text = format!("{text}\n{} from {}, {what}", parts.join(", "), data::name(name));
    }
    text
}

fn offsets(location: &Location) -> String {
    let places = [("nk", location.nk), ("vk", location.vk), ("data", location.data)];
    let places = places.into_iter().filter_map(|(name, offset)| Some(format!("{name} {:#x}", offset?)));
    let segments = location.segments.as_ref().map(|segments| format!(" ({} segments)", segments.len()));
    format!("\nat {}{}", places.collect::<Vec<_>>().join(", "), segments.unwrap_or_default())
}
