//! Locations and times in real hives, from the folder that `HIVEMEND_CORPUS` names; ignored without it. The logs are
//! parsed here again, according to the specification and without hivemend.

use std::ops::Range;
use std::path::Path;

use hivemend::finding::{Finding, WrittenBy};
use hivemend::hive::{Hive, LogEntry, walk};

use super::{is_there, name, with_locations};
use crate::cases::examine_folder;
use crate::real_hives::corpus;

fn located(folder: &Path) -> Vec<Finding> {
    let examination = examine_folder(folder, &with_locations());
    let judgements = examination.report.installations.into_iter().filter_map(|installation| installation.judgement);
    judgements.flat_map(|judgement| judgement.findings).filter(|finding| finding.location.is_some()).collect()
}

#[test]
fn findings_of_clean_hives_lie_in_the_file() {
    let Some(corpus) = corpus() else { return };
    for (folder, software, system) in [("xp-sp3-x86", "software", "system"), ("win7-sp1-x86", "SOFTWARE", "SYSTEM")] {
        let folder = corpus.join(folder);
        let [software, system] = [software, system].map(|name| std::fs::read(folder.join(name)).unwrap());
        let findings = located(&folder);
        assert!(findings.len() > 70, "only {} findings", findings.len());
        for finding in findings {
            let location = finding.location.as_ref().unwrap();
            let bytes = if finding.hive.unwrap().as_str() == "SYSTEM" { &system } else { &software };
            is_there(bytes, &finding, location);
            assert_eq!((&location.written_by, location.past_end), (&WrittenBy::default(), false));
        }
    }
}

/// A page that an entry of a log writes.
struct Page {
    log: usize,
    sequence: u32,
    place: Range<usize>,
    from: usize,
}

fn dword(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// The pages of all entries that follow each other, from the first log to the last.
fn pages(logs: &[Vec<u8>]) -> Vec<Page> {
    let mut pages = Vec::new();
    for (log, bytes) in logs.iter().enumerate() {
        let (mut at, mut expected) = (512, dword(bytes, 4));
        while bytes.get(at..at + 4) == Some(b"HvLE") && dword(bytes, at + 12) == expected {
            let count = dword(bytes, at + 20);
            let mut from = at + 40 + count * 8;
            for reference in 0..count {
                let (place, length) = (dword(bytes, at + 40 + reference * 8), dword(bytes, at + 44 + reference * 8));
                let sequence = u32::try_from(expected).unwrap();
                pages.push(Page { log, sequence, place: place + 4096..place + 4096 + length, from });
                from += length;
            }
            at += dword(bytes, at + 4);
            expected += 1;
        }
    }
    pages
}

#[test]
fn what_logs_wrote_into_windows_10s_system_is_found_in_them() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("win10-1709-x64-dirty-with-logs");
    let primary = std::fs::read(folder.join("SYSTEM")).unwrap();
    let names = ["SYSTEM.LOG1", "SYSTEM.LOG2"];
    let logs: Vec<Vec<u8>> = names.iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect();
    let pages = pages(&logs);
    assert!(pages.len() > 100, "only {} pages", pages.len());
    let mut recovered = primary.clone();
    for page in &pages {
        recovered.resize(recovered.len().max(page.place.end), 0);
        recovered[page.place.clone()].copy_from_slice(&logs[page.log][page.from..][..page.place.len()]);
    }

    let findings = located(&folder);
    let (mut by_logs, mut own) = (0, 0);
    for finding in &findings {
        let location = finding.location.as_ref().unwrap();
        is_there(&recovered, finding, location);
        let record = |at: u64, head: usize| {
            let at = usize::try_from(at).unwrap();
            let bytes = if name(&recovered, at).is_ascii() { 1 } else { 2 };
            at..at + head + name(&recovered, at).encode_utf16().count() * bytes
        };
        let raw = finding.observed.as_ref().map_or(0, |observed| observed.raw.len());
        let by = &location.written_by;
        for (what, range, written) in [
            ("nk", location.nk.map(|at| record(at, 76)), &by.nk),
            ("vk", location.vk.map(|at| record(at, 20)), &by.vk),
            ("data", location.data.map(|at| usize::try_from(at).unwrap()).map(|at| at..at + raw), &by.data),
        ] {
            let Some(range) = range else {
                assert_eq!(written, &None);
                continue;
            };
            let last = pages.iter().rfind(|page| page.place.start < range.end && range.start < page.place.end);
            let wanted = last.map(|last| {
                let first = pages.iter().rfind(|page| page.place.contains(&range.start));
                let first = first.filter(|first| (first.log, first.sequence) == (last.log, last.sequence));
                (names[last.log], last.sequence, first.map(|first| first.from + range.start - first.place.start))
            });
            let told = |entry: &LogEntry| {
                let log = entry.log.rsplit('/').next().unwrap().to_owned();
                (log, entry.sequence, entry.offset.map(|offset| usize::try_from(offset).unwrap()))
            };
            let wanted = wanted.map(|(log, sequence, from)| (log.to_owned(), sequence, from));
            assert_eq!(written.as_ref().map(told), wanted, "{}: {what}", finding.id);
            match &wanted {
                Some((log, _, Some(from))) => {
                    by_logs += 1;
                    let log = &logs[names.iter().position(|name| name == log).unwrap()];
                    let page = 4096.min(log.len() - from).min(range.len());
                    let within = page.min(4096 - range.start % 4096);
                    assert_eq!(log[*from..from + within], recovered[range.start..range.start + within]);
                }
                Some(_) => {}
                None => {
                    own += 1;
                    assert_eq!(primary[range.clone()], recovered[range], "{}: {what}", finding.id);
                }
            }
        }
    }
    note!("{} findings: {by_logs} places from logs, {own} of the file", findings.len());
    assert!(by_logs > 0 && own > 0, "{by_logs} by logs, {own} of the file");
}

#[test]
fn no_key_of_a_real_hive_is_later_than_the_hive() {
    let Some(corpus) = corpus() else { return };
    for path in [
        "xp-sp3-x86/software",
        "xp-sp3-x86/system",
        "xp-sp3-x86-m57/SYSTEM",
        "win7-sp1-x86/SOFTWARE",
        "win7-sp1-x86/SYSTEM",
        "win81-x64-dirty-no-logs/SOFTWARE",
        "win81-x64-dirty-no-logs/SYSTEM",
        "win10-1709-x64-dirty-with-logs/SYSTEM",
        "ntuser-dirty-with-logs/NTUSER.DAT",
        "yarp-set/OldDirtyHive/RecoveredHive_Windows7",
        "yarp-set/NewDirtyHive1/RecoveredHive_Windows10",
    ] {
        let hive = Hive::open(&corpus.join(path), true).unwrap().unwrap().as_it_lies();
        let (_, problems) = walk::check(&hive, &mut ());
        let about_times = problems.iter().find(|problem| {
            problem.expected.starts_with("no key written") || problem.expected.starts_with("a time of last write")
        });
        assert!(about_times.is_none(), "{path}: {about_times:?}");
    }
}
