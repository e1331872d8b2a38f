//! The section of one installation, made from the installation, its gaps, and its attachments.

use std::collections::BTreeMap;
use std::io::{self, Write};

use askama::Template;

use super::attachments::PatchFolder;
use super::finding::Around;
use super::findings::FindingsPart;
use super::machine::MachinePart;
use super::patch::PatchPart;
use super::text::Text;
use super::timeline::{Event, Strip, events_of, hive_events_of, of_events, of_history};
use crate::finding::Finding;
use crate::history::MachineHistory;
use crate::registry::same_text;
use crate::report::table::{Situation, brief, count, fleet, gaps, grouped, quoted_path, word};
use crate::report::{InstallationReport, Judgement, Report};

/// The parts of a section.
pub(super) struct Section<'a> {
    pub(super) standing: &'a fleet::Standing<'a>,
    pub(super) judgement: &'a Judgement,
    pub(super) number: usize,
    /// Whether it is the only installation that was judged.
    pub(super) is_alone: bool,
    /// Whether it is one of several: then it is folded, with its answer.
    pub(super) folded: bool,
    /// All installations by machine.
    pub(super) generations: &'a Generations<'a>,
    /// The history of its machine.
    pub(super) history: Option<&'a MachineHistory>,
    /// Its plan, with the files of the patch.
    pub(super) folder: Option<&'a PatchFolder>,
    pub(super) situation: &'a Situation,
}

/// The most other installations with the same computer name in one timeline. Cloned machines share a name.
const MOST_BESIDE: usize = 50;

/// Returns the link target of an installation, by its position among the judged ones.
pub(super) fn anchor(number: usize) -> String {
    format!("i{number}")
}

#[derive(Template)]
#[template(path = "report/installation.html")]
struct Heading<'s> {
    anchor: &'s str,
    title: Text,
    lies: Text,
    folded: bool,
    worst: Option<String>,
    complete: bool,
    findings: String,
    sentence: Text,
    completeness: Text,
    gaps: Vec<Text>,
}

#[derive(Template)]
#[template(path = "report/timeline.html")]
struct TimelinePart<'s> {
    anchor: &'s str,
    missing: String,
    command: Text,
    strips: Vec<Strip>,
}

impl Section<'_> {
    /// Writes the section.
    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let installation = self.standing.installation;
        let anchor = anchor(self.number);
        let (history, folder) = (self.history, self.folder);
        let plan = folder.map(|folder| &folder.plan);
        let around = Around { installation, plan, history, reading: &self.situation.reading };
        super::write(writer, &self.heading(&anchor))?;
        super::write(writer, &MachinePart::of(&anchor, installation, self.judgement))?;
        super::write(writer, &FindingsPart::of(&anchor, self.judgement, &around))?;
        super::write(writer, &self.timeline(&anchor, history))?;
        super::write(writer, &self.patch(&anchor, folder))?;
        writer.write_all(if self.folded { b"</div>\n</details>\n".as_slice() } else { b"</section>\n" })
    }

    fn heading<'s>(&self, anchor: &'s str) -> Heading<'s> {
        let (installation, standing) = (self.standing.installation, self.standing);
        let complete = standing.complete || !installation.generation.is_current();
        let gaps = &installation.gaps;
        let gaps = gaps.iter().filter(|_| self.folded).map(|gap| Text::shown(gaps::line(gap)));
        Heading {
            anchor,
            title: self.title(),
            lies: Text::shown(brief::where_it_lies(installation)),
            folded: self.folded,
            worst: standing.worst.map(|worst| word(&worst)),
            complete,
            findings: count(standing.findings, "finding"),
            sentence: brief::answer(self.judgement).map(Text::shown).unwrap_or_default(),
            completeness: Text::shown(brief::completeness(installation, self.judgement, complete)),
            gaps: gaps.collect(),
        }
    }

    /// Returns the heading. A single installation is already named in the heading of the page.
    fn title(&self) -> Text {
        if self.is_alone {
            "Installation".into()
        } else {
            Text::shown(brief::windows_and_computer(self.standing.installation))
        }
    }

    fn timeline<'s>(&self, anchor: &'s str, history: Option<&MachineHistory>) -> TimelinePart<'s> {
        let installation = self.standing.installation;
        let command = self.command("history", &["--format", "json", "--output", "HISTORY.json"]);
        if let Some(machine) = history {
            return TimelinePart { anchor, missing: String::new(), command, strips: of_history(machine, anchor) };
        }
        let name = installation.machine.computer_name.as_ref().map(|name| name.to_uppercase());
        let same = name.and_then(|name| self.generations.get(&name)).into_iter().flatten();
        let mut others = same.copied().filter(|other| other.id != installation.id);
        let beside = others.by_ref().take(MOST_BESIDE).flat_map(hive_events_of);
        let events: Vec<Event> = events_of(installation).into_iter().chain(beside).collect();
        let mut missing = "This report contains no history: below are only the times that these hives record. This \
                       command traces every value through all generations; --history HISTORY.json then shows the \
                       history here:"
            .to_owned();
        let more = others.count();
        if more > 0 {
            let told =
                format!("{} more installations with this computer name are not shown here. ", grouped(more as u64));
            missing.insert_str(0, &told);
        }
        TimelinePart { anchor, missing, command, strips: of_events(events, anchor).into_iter().collect() }
    }

    fn patch(&self, anchor: &str, folder: Option<&PatchFolder>) -> PatchPart {
        let mendable = self.judgement.findings.iter().any(Finding::is_to_mend);
        let patching = self.situation.patches.get(&self.standing.installation.id);
        PatchPart::of(anchor, folder, patching, mendable, self.command("audit", &["--patch", "DIR"]))
    }

    /// Returns a command for the evidence as it was typed, or for the container of this installation.
    fn command(&self, name: &str, options: &[&str]) -> Text {
        let typed = self.situation.evidence.iter().map(|path| quoted_path(path));
        let own = quoted_path(self.standing.installation.evidence.as_bytes());
        let own = self.situation.evidence.is_empty().then_some(own);
        let words = ["hivemend".to_owned(), name.to_owned()].into_iter().chain(typed).chain(own);
        let words = words.chain(self.situation.reading.iter().cloned());
        let words = words.chain(options.iter().map(|option| (*option).to_owned()));
        Text::shown(words.collect::<Vec<_>>().join(" "))
    }
}

/// The installations of a report by computer name, if they have one.
pub(super) type Generations<'a> = BTreeMap<String, Vec<&'a InstallationReport>>;

/// Groups the installations by machine.
pub(super) fn generations(report: &Report) -> Generations<'_> {
    let mut generations = Generations::new();
    for installation in &report.installations {
        if let Some(name) = &installation.machine.computer_name {
            generations.entry(name.to_uppercase()).or_default().push(installation);
        }
    }
    generations
}

/// Returns the history of the machine that an installation belongs to.
pub(super) fn machine_of<'h>(
    machines: &'h [MachineHistory],
    installation: &InstallationReport,
) -> Option<&'h MachineHistory> {
    let has_hive = |machine: &&MachineHistory| {
        let columns = machine.hives.iter().flat_map(|hive| &hive.columns);
        let mut paths = columns.flat_map(|column| std::iter::once(&column.path).chain(&column.same));
        paths.any(|path| installation.hives.iter().any(|hive| hive.path == *path))
    };
    let is_named = |machine: &&MachineHistory| {
        let names = machine.computer_name.as_ref().zip(installation.machine.computer_name.as_ref());
        names.is_some_and(|(one, other)| same_text(one, other))
    };
    machines.iter().find(has_hive).or_else(|| machines.iter().find(is_named))
}
