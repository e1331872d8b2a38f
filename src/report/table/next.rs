//! What to do next: the commands that fit the result, and what a patch requires if none is possible.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

use super::fleet::Standing;
use super::page::{Ink, Page};
use super::shell::{lines, quoted, quoted_path};
use super::{count, data};
use crate::discovery::Generation;
use crate::error::Code;
use crate::finding::Severity;
use crate::hive::State;
use crate::report::{InstallationReport, Report};

/// The most commands that are named.
const MOST: usize = 3;
/// The most reasons against a patch that are named.
const REASONS: usize = 3;

/// Facts about the run that its report does not contain and that decide what to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The evidence as typed, one entry for each argument. If empty, each installation's own is named.
    pub evidence: Vec<Vec<u8>>,
    /// Whether a list names the evidence, or more of it: then an option in `reading` names the list.
    pub is_listed: bool,
    /// The quoted options that are needed to open the evidence again: a password file, keys.
    pub reading: Vec<String>,
    /// The possible or written patch by the installation's id. An installation without an entry has nothing to patch.
    pub patches: BTreeMap<String, Patching>,
}

/// The result of patching one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patching {
    /// A patch is possible.
    Possible {
        /// The number of edits.
        edits: usize,
    },
    /// A patch is refused.
    Refused {
        /// The reason.
        reason: String,
        /// What to do; empty if nothing can be done.
        advice: String,
    },
    /// A patch was written.
    Written {
        /// The paths of the corrective files.
        files: Vec<Vec<u8>>,
        /// The path of IMPORT.txt.
        import: Vec<u8>,
    },
}

/// A command, and its purpose.
struct Step {
    words: Vec<String>,
    what: String,
}

/// Writes the commands, if there is anything to do.
pub(super) fn write(
    page: &mut Page<'_>,
    report: &Report,
    standings: &[Standing<'_>],
    situation: &Situation,
) -> io::Result<()> {
    let refused = refused(standings, situation);
    let steps = steps(report, standings, situation);
    if steps.is_empty() && refused.is_empty() {
        return Ok(());
    }
    page.paragraph(0, "Next", Ink::Strong)?;
    for (reason, advice) in refused.iter().take(REASONS) {
        let advice = if advice.is_empty() { String::new() } else { format!(" {}.", data::prose(advice)) };
        page.paragraph(2, &format!("No patch: {}.{advice}", data::prose(reason)), Ink::Plain)?;
    }
    if let Some(more @ 1..) = refused.len().checked_sub(REASONS) {
        page.paragraph(2, &format!("No patch for {more} more; --patch DIR says why."), Ink::Plain)?;
    }
    for step in steps.iter().take(MOST) {
        write_step(page, step)?;
    }
    page.blank()
}

/// Writes a command with its purpose after it, or above it if there is no space.
fn write_step(page: &mut Page<'_>, step: &Step) -> io::Result<()> {
    let lines = lines(&step.words, page.width().saturating_sub(2));
    let comment = format!("# {}", step.what);
    if let [line] = lines.as_slice() {
        let together = format!("{line}  {comment}");
        if together.chars().count() <= page.width().saturating_sub(2) {
            return page.line(2, "", &together, Ink::Plain);
        }
    }
    page.paragraph(2, &comment, Ink::Dim)?;
    lines.iter().try_for_each(|line| page.line(2, "", line, Ink::Plain))
}

/// Returns the reasons without duplicates.
fn refused(standings: &[Standing<'_>], situation: &Situation) -> Vec<(String, String)> {
    let mut refused = Vec::new();
    for standing in standings {
        if let Some(Patching::Refused { reason, advice }) = situation.patches.get(&standing.installation.id) {
            let told = (reason.clone(), advice.trim_end_matches('.').to_owned());
            if !refused.contains(&told) {
                refused.push(told);
            }
        }
    }
    refused
}

fn steps(report: &Report, standings: &[Standing<'_>], situation: &Situation) -> Vec<Step> {
    let evidence = evidence(standings, situation);
    let command = |start: &[&str], end: &[&str]| {
        let start = start.iter().map(|word| (*word).to_owned());
        let options = situation.reading.iter().cloned().chain(end.iter().map(|word| (*word).to_owned()));
        start.chain(evidence.iter().cloned()).chain(options).collect::<Vec<String>>()
    };
    let mut steps = written(standings, situation);
    let possible: Vec<usize> = standings
        .iter()
        .filter_map(|standing| match situation.patches.get(&standing.installation.id) {
            Some(Patching::Possible { edits }) => Some(*edits),
            _ => None,
        })
        .collect();
    let edits = possible.iter().copied().fold(0, usize::saturating_add);
    if edits > 0 {
        let what = format!("{}, and the rollback", count(edits, "edit"));
        steps.push(Step { words: command(&["hivemend", "audit"], &["--patch", "DIR"]), what });
    }
    if report.summary.gaps.iter().any(|gap| gap.code == Code::OnlyOlderGenerations) {
        let what = "judge the older generations".to_owned();
        steps.push(Step { words: command(&["hivemend", "audit"], &["--generations", "all"]), what });
    }
    if is_damaged(report) {
        steps.push(Step { words: command(&["hivemend", "find", "--check"], &[]), what: "what is lost".to_owned() });
    }
    let worst = standings.first().filter(|standing| standing.worst.is_some_and(|worst| worst > Severity::Info));
    if worst.is_some() {
        let older = older_generations(report);
        if older > 0 {
            let what = format!("when did it change? ({})", count(older, "older generation"));
            steps.push(Step { words: command(&["hivemend", "history"], &[]), what });
        }
    }
    if let Some(id) = worst.and_then(|standing| worst_id(standing.installation)) {
        let words = ["hivemend", "explain"].map(str::to_owned).into_iter().chain([quoted(id.as_bytes())]).collect();
        steps.push(Step { words, what: "why it matters, and how to look by hand".to_owned() });
    }
    steps
}

/// Returns the evidence as the user typed it, or the paths of the installations that have deviations or gaps.
fn evidence(standings: &[Standing<'_>], situation: &Situation) -> Vec<String> {
    if !situation.evidence.is_empty() || situation.is_listed {
        return situation.evidence.iter().map(|path| quoted_path(path)).collect();
    }
    let mut paths = Vec::new();
    for standing in standings.iter().filter(|standing| !standing.is_well()) {
        let path = quoted_path(standing.installation.evidence.as_bytes());
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Returns the commands that import the written patch and that show its effect.
fn written(standings: &[Standing<'_>], situation: &Situation) -> Vec<Step> {
    let mut steps = Vec::new();
    for standing in standings {
        let Some(Patching::Written { files, import }) = situation.patches.get(&standing.installation.id) else {
            continue;
        };
        if files.is_empty() {
            continue;
        }
        let less = vec!["less".to_owned(), quoted_path(import)];
        steps.push(Step { words: less, what: "how to import the patch".to_owned() });
        let patches = files.iter().map(|file| quoted_path(file));
        let evidence = match situation.evidence.as_slice() {
            [one] if standings.len() == 1 => quoted_path(one),
            _ => quoted_path(standing.installation.evidence.as_bytes()),
        };
        let words = ["hivemend", "verify"].map(str::to_owned).into_iter().chain(patches).chain([evidence]);
        let words = words.chain(situation.reading.iter().cloned()).collect();
        steps.push(Step { words, what: "what the patch does, in memory".to_owned() });
    }
    steps
}

fn is_damaged(report: &Report) -> bool {
    let damaged = [Code::HiveDamaged, Code::FindingUnreadable];
    let hives = report.installations.iter().flat_map(|installation| &installation.hives);
    report.summary.gaps.iter().any(|gap| damaged.contains(&gap.code))
        || hives.into_iter().any(|hive| hive.integrity.state == State::Damaged)
}

/// Returns the number of older generations that were not judged, and of readable shadow copies.
fn older_generations(report: &Report) -> usize {
    let older = |installation: &&InstallationReport| {
        !matches!(installation.generation, Generation::Live | Generation::Copy | Generation::Setup)
    };
    let copies = report.shadow_copies.iter().filter(|copy| !copy.read && copy.problem.is_none()).count();
    report.installations.iter().filter(older).count().saturating_add(copies)
}

/// Returns the id of the worst finding, if `explain` knows it without the user's baselines.
fn worst_id(installation: &InstallationReport) -> Option<&str> {
    let judgement = installation.judgement.as_ref()?;
    let causes = judgement.findings.iter().filter(|finding| finding.is_cause());
    let worst = causes.clone().map(|finding| finding.severity).max()?;
    let known = |finding: &&crate::finding::Finding| {
        finding.severity == worst && !judgement.by_own && !judgement.own_keys.contains(finding.row())
    };
    causes.clone().find(known).map(|finding| finding.id.as_str())
}
