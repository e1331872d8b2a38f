//! The end of the page: the files, the machines that are there twice, the method, and what cannot be concluded.

use std::collections::BTreeMap;
use std::io;

use askama::Template;

use super::super::text::{Row, Text, told};
use super::fitting;
use super::refer::{Link, Names, Shown, left_out};
use crate::fleet::{Fleet, Likeness, LineRun};
use crate::report::table::{count, grouped, word};

/// The most bytes of one of the lists.
const MOST: usize = 100_000;

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/files.html")]
pub(super) struct FilesPart {
    method: &'static [&'static str],
    files: String,
    files_left_out: String,
    runs: Vec<Row>,
    not_whole: String,
    not_whole_number: usize,
    not_whole_left_out: String,
    doubles: String,
    doubles_number: usize,
    doubles_left_out: String,
    alike: String,
    alike_number: usize,
    alike_left_out: String,
    written_by: Text,
}

#[derive(Template)]
#[template(path = "fleet/file.html")]
struct FileRow {
    path: Text,
    state: &'static str,
    is_whole: bool,
    runs: String,
    lines: String,
    size: String,
    sha256: Text,
}

#[derive(Template)]
#[template(source = "<li>{{ text }}</li>", ext = "html")]
struct Item {
    text: Text,
}

#[derive(Template)]
#[template(path = "fleet/double.html")]
struct DoubleItem {
    machine: Link,
    counted: Text,
    again: Text,
    agrees: bool,
}

#[derive(Template)]
#[template(path = "fleet/alike.html")]
struct AlikeItem {
    names: Names,
    why: &'static str,
}

/// The method, and what cannot be concluded from it.
const METHOD: [&str; 5] = [
    "This page counts what the runs wrote. It judges nothing again: each verdict, severity and gap is that of the run. \
     `hivemend explain ID` explains a finding; the report of a machine has its evidence.",
    "A machine is an installation of the current generation, live or copied. Older generations are counted below and are \
     on no list. A machine that is in the lines twice, with the same label, the same path and the same hives, counts once: \
     the record whose run is whole and whose answer is the more complete one.",
    "A deviation that follows from another one is not counted. A group is the machines with the same deviations and the \
     same gaps in them.",
    "Data are odd if at least 10 machines of that Windows have a known answer, more than half of them agree, and 2 % or \
     fewer, or a single one, have other data. Without --all the runs do not write what conforms, so conforming data count \
     as “what is expected”.",
    "A key has one time of last write; a value has none. The first and the last key time say when a key with a deviation \
     was last written, not when the deviation came. Times that the runs mark as implausible are left out.",
];

impl FilesPart {
    pub(super) fn of(fleet: &Fleet, shown: &Shown) -> io::Result<Self> {
        let (files, fit) = fitting((0..fleet.files.len()).filter_map(|number| FileRow::of(fleet, number)), MOST)?;
        let problems = fleet.what_is_missing();
        let not_whole_number = problems.len();
        let (not_whole, not_whole_fit) =
            fitting(problems.iter().map(|remark| Item { text: Text::prose(remark) }), MOST)?;
        let doubles = fleet.doubles.iter().map(|double| DoubleItem {
            machine: shown.machine(fleet, double.counted),
            counted: place_of(fleet, double.counted),
            again: place_of(fleet, double.again),
            agrees: double.agrees,
        });
        let (doubles, doubles_fit) = fitting(doubles, MOST)?;
        let alike = fleet.lookalikes.iter().map(|one| AlikeItem {
            names: shown.names(fleet, &one.machines),
            why: match one.likeness {
                Likeness::Name => "have the same label and path, but other hives",
                Likeness::Hives => "have hives with the same bytes",
            },
        });
        let (alike, alike_fit) = fitting(alike, MOST)?;
        Ok(Self {
            method: &METHOD,
            files,
            files_left_out: left_out(fleet.files.len(), fit, "files"),
            runs: runs(fleet),
            not_whole,
            not_whole_number,
            not_whole_left_out: left_out(not_whole_number, not_whole_fit, "lines"),
            doubles,
            doubles_number: fleet.doubles.len(),
            doubles_left_out: left_out(fleet.doubles.len(), doubles_fit, "records"),
            alike,
            alike_number: fleet.lookalikes.len(),
            alike_left_out: left_out(fleet.lookalikes.len(), alike_fit, "sets"),
            written_by: Text::from(format!("Written by hivemend {}.", env!("CARGO_PKG_VERSION"))),
        })
    }
}

fn place_of(fleet: &Fleet, machine: usize) -> Text {
    fleet.machines.get(machine).map(|machine| Text::name(&fleet.place(machine.place))).unwrap_or_default()
}

impl FileRow {
    fn of(fleet: &Fleet, number: usize) -> Option<Self> {
        let file = fleet.files.get(number)?;
        let truncated = fleet.runs.iter().any(|run| run.place.file == number && !run.has_summary) || file.runs == 0;
        let headless = fleet.runs.iter().any(|run| run.place.file == number && run.tool.is_none());
        let unread = fleet.unread.iter().any(|unread| unread.place.file == number);
        let state = match (truncated, headless || unread) {
            (true, _) => "truncated",
            (false, true) => "lines not read",
            (false, false) => "whole",
        };
        Some(Self {
            path: Text::name(&file.path),
            state,
            is_whole: state == "whole",
            runs: grouped(file.runs as u64),
            lines: grouped(file.lines),
            size: grouped(file.size),
            sha256: Text::prose(&file.sha256),
        })
    }
}

/// Returns what the runs have in common, and where they differ.
fn runs(fleet: &Fleet) -> Vec<Row> {
    let differing = |title: &'static str, of: &dyn Fn(&LineRun) -> Option<String>| {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for told in fleet.runs.iter().filter_map(of) {
            let counter = known.entry(told).or_default();
            *counter = counter.saturating_add(1);
        }
        let is_one = known.len() == 1;
        let lines = known
            .into_iter()
            .map(|(text, number)| Text::from(if is_one { text } else { format!("{text} ({})", count(number, "run")) }));
        let lines: Vec<Text> = lines.take(12).collect();
        Row::new(title, lines)
    };
    let options = |run: &LineRun| {
        let options = run.options.as_ref()?;
        let profiles: Vec<String> = options.profiles.iter().map(word).collect();
        let os = options.os.map_or_else(|| "detected".to_owned(), |os| format!("{os} (--os)"));
        let logs = if options.replay { "replayed" } else { "not replayed" };
        let conforming = if options.all { "written (--all)" } else { "not written" };
        Some(format!(
            "Windows {os}; logs {logs}; control sets {}; generations {}; profiles {}; findings that conform {conforming}",
            options.control_set,
            word(&options.generations),
            profiles.join(", ")
        ))
    };
    let older: usize = fleet.runs.iter().map(|run| run.older).fold(0, |sum: usize, more| sum.saturating_add(more));
    let unknown: usize = fleet.runs.iter().map(|run| run.unknown).fold(0, |sum: usize, more| sum.saturating_add(more));
    let some = |number: usize, text: String| (number > 0).then(|| Text::from(text));
    told([
        differing("Program", &|run| run.tool.as_ref().map(|tool| format!("{} {}", tool.name, tool.version))),
        differing("Options", &options),
        Row::new(
            "Older generations",
            some(older, format!("{}, on no list of this page", count(older, "installation"))),
        ),
        Row::new(
            "Unknown records",
            some(unknown, format!("{} of a kind that this program does not know", count(unknown, "record"))),
        ),
    ])
}
