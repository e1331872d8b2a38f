//! The machine of an installation, and its hives.

use askama::Template;

use super::text::{Row, Text, told};
use crate::evidence::hash::Algorithm;
use crate::finding::{Reason, Verdict};
use crate::hive::State;
use crate::registry::Role;
use crate::report::table::heading::{control_sets, logs, problem, same_machine, windows};
use crate::report::table::{count, data, grouped, word};
use crate::report::{HiveReport, InstallationReport, Judgement};

/// The part of the page.
#[derive(Template)]
#[template(path = "report/machine.html")]
pub(super) struct MachinePart {
    anchor: String,
    machine: Vec<Row>,
    basis: Vec<Text>,
    hives: Vec<HivePart>,
}

/// One hive.
struct HivePart {
    role: String,
    state: String,
    size: String,
    is_open: bool,
    rows: Vec<Row>,
}

impl MachinePart {
    pub(super) fn of(anchor: &str, installation: &InstallationReport, judgement: &Judgement) -> Self {
        let os = &installation.os;
        let joined = |facts: Vec<String>, between: &str| Some(facts.join(between)).filter(|text| !text.is_empty());
        let row = |label: &'static str, text: Option<String>| Row::new(label, text.map(Text::shown));
        let named = &installation.machine;
        let time = |time: Option<crate::registry::FileTime>| time.map(|time| data::short_times(&time.to_string()));
        let one_machine = installation.same_machine.as_ref().map(|same| same_machine(same).join("; "));
        let one_machine = one_machine.or_else(|| Some("only one of the two hives could be read".to_owned()));
        let baseline = judgement.baseline.as_ref();
        Self {
            anchor: anchor.to_owned(),
            machine: told([
                row("Windows", joined(windows(os), ", ")),
                row(
                    "Computer",
                    Some(named.computer_name.as_deref().map_or_else(|| "not known".to_owned(), data::name)),
                ),
                row("Windows folder", named.system_root.as_deref().map(data::name)),
                row("Time zone", named.time_zone.as_deref().map(data::name)),
                row("Installed", time(named.installed)),
                row("Last shut down", time(named.last_shutdown)),
                row("Control sets", installation.control_sets.as_ref().map(|sets| control_sets(sets).join(", "))),
                row("Both hives of one machine", one_machine),
                row("Judged by", baseline.map(|baseline| format!("the baseline {}", data::prose(&baseline.id)))),
            ]),
            basis: os
                .basis
                .iter()
                .cloned()
                .chain(os.marks.against.iter().map(|mark| format!("but: {mark}")))
                .map(|line| Text::prose(&line))
                .collect(),
            hives: HivePart::all(installation, judgement),
        }
    }
}

impl HivePart {
    /// Returns SOFTWARE and SYSTEM, even if they are missing, and the other hives.
    fn all(installation: &InstallationReport, judgement: &Judgement) -> Vec<Self> {
        let missing = [Role::Software, Role::System]
            .into_iter()
            .filter(|role| !installation.hives.iter().any(|hive| hive.role == *role));
        let missing = missing.map(|role| Self::missing(role, judgement));
        installation.hives.iter().map(Self::of).chain(missing).collect()
    }

    /// Returns the part for a missing hive, and counts the expectations that could not be checked.
    fn missing(role: Role, judgement: &Judgement) -> Self {
        let of_it = |finding: &&crate::finding::Finding| {
            finding.hive == Some(role) && finding.verdict == Verdict::NotAssessed(Reason::HiveMissing)
        };
        let number = judgement.findings.iter().filter(of_it).count();
        let line = format!("Not examined: {} could not be assessed.", count(number, "expectation"));
        Self {
            role: role.to_string(),
            state: "missing".to_owned(),
            size: "not examined".to_owned(),
            is_open: true,
            rows: vec![Row::new("State", [Text::from(line)])],
        }
    }

    fn of(hive: &HiveReport) -> Self {
        let integrity = &hive.integrity;
        let sequences = integrity.primary_sequence.zip(integrity.secondary_sequence);
        let sequences = sequences.map(|(first, second)| format!("{first} and {second}"));
        let checksum = integrity.checksum_valid.map(|valid| if valid { "valid" } else { "wrong" });
        let replay = integrity.replay.as_ref().map(|replay| {
            format!(
                "{} entries of {} ({} format), sequence {} to {}, {} pages written in memory",
                replay.entries_applied,
                replay.logs_used.iter().map(|log| data::prose(log)).collect::<Vec<_>>().join(", "),
                word(&replay.log_format),
                replay.first_sequence,
                replay.last_sequence,
                replay.pages_written
            )
        });
        let hash = |wanted| hive.sums().find(|(algorithm, _)| *algorithm == wanted).map(|(_, sum)| Text::prose(sum));
        let log_hashes = |wanted| {
            integrity.logs.iter().filter_map(move |log| {
                let (_, sum) = log.sums().find(|(algorithm, _)| *algorithm == wanted)?;
                Some(Text::shown(format!("{}  {}", data::prose(sum), data::prose(&log.path))))
            })
        };
        let of = |text: Option<String>| text.map(Text::shown);
        let size = format!("{} bytes", grouped(hive.size));
        Self {
            role: hive.role.to_string(),
            state: word(&integrity.state),
            is_open: !matches!(integrity.state, State::Clean | State::Recovered),
            rows: told([
                Row::mono("Path", [Text::prose(&hive.path)]),
                Row::mono("SHA-256", [hash(Algorithm::Sha256).unwrap_or_else(|| "not computed (--no-hash)".into())]),
                Row::mono("MD5", hash(Algorithm::Md5)),
                Row::mono("SHA-1", hash(Algorithm::Sha1)),
                Row::new("Size", [Text::from(size.clone())]),
                Row::new("Last written", hive.last_written.map(|time| Text::from(time.to_string()))),
                Row::new("Format", of(hive.format_version.as_deref().map(data::prose))),
                Row::new("Sequence numbers", of(sequences)),
                Row::new("Checksum of the base block", of(checksum.map(str::to_owned))),
                Row::new("Transaction logs", Text::lines(&logs(hive))),
                Row::mono("SHA-256 of the logs", log_hashes(Algorithm::Sha256)),
                Row::mono("MD5 of the logs", log_hashes(Algorithm::Md5)),
                Row::mono("SHA-1 of the logs", log_hashes(Algorithm::Sha1)),
                Row::new("Replayed", of(replay)),
                Row::new("Bytes", [Text::from(word(&hive.source_integrity))]),
                Row::new("Read from container", container(hive)),
                Row::new("Problems", integrity.problems.iter().map(|told| Text::shown(problem(told)))),
            ]),
            size,
        }
    }
}

/// Returns the container of a hive.
fn container(hive: &HiveReport) -> Vec<Text> {
    let Some(container) = &hive.container else { return Vec::new() };
    let mut line = data::prose(&container.format);
    if let Some(partition) = container.partition {
        line = format!("{line}, partition {partition}");
    }
    if let Some(offset) = container.offset {
        line = format!("{line}, volume at byte {}", grouped(offset));
    }
    let hash = container.stored_hash.as_ref().map(|hash| {
        let state = match container.verified {
            Some(true) => "computed, and the same",
            _ => "not computed (--verify-image computes it)",
        };
        Text::shown(format!("stored hash {}: {state}", data::prose(hash)))
    });
    let facts = container.facts.iter().map(|fact| Text::prose(fact));
    [Text::shown(line)].into_iter().chain(hash).chain(facts).collect()
}
