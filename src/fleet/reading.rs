//! Reads files with lines, one line at a time, and keeps of each record what the answers need.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::lines::{Record, record};
use super::machine::{Machine, Observation, Place, State};
use super::source::{LineFile, LineRun, Unread};
use super::words::{Words, kept};
use super::{Expectation, Fleet, doubles, names};
use crate::error::{Error, Gap};
use crate::finding::Finding;
use crate::registry::hex;
use crate::report::table::data;
use crate::report::{InstallationReport, Summary};

/// The longest line. A summary names every gap of its run.
const LONGEST_LINE: u64 = 256 << 20;
/// The most lines that were not read, and the most gaps of no machine, that are kept. The others are counted.
const MOST_TOLD: usize = 1000;
/// The bytes that are read from a file at once.
const BUFFER: usize = 1 << 18;

/// What to do if a file holds no lines of a report.
const ADVICE: &str = "Name files that `hivemend audit --format jsonl` wrote, or - for one on stdin";

/// Reads the lines of any number of files; `-` is stdin.
///
/// Lines that cannot be read, and runs without an end, are noted in the result.
///
/// # Errors
/// Returns an error if a file cannot be read, or if it has lines and none of them is a record.
pub fn read(paths: &[PathBuf]) -> Result<Fleet, Error> {
    let mut reading = Reading::default();
    for path in paths {
        reading.file(path)?;
    }
    Ok(reading.into_fleet())
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    fleet: Fleet,
    /// The ids of expectations.
    ids: Words,
    /// Observed data.
    data: Words,
    /// Names of Windows.
    windows: Words,
    /// The gaps of no machine, as far as they are kept.
    apart: HashSet<Gap>,
    current: Option<Current>,
}

/// The run whose lines are being read.
#[derive(Default)]
struct Current {
    /// Its machines by the id of the installation; `None` for an installation of an older generation.
    machines: HashMap<String, Option<usize>>,
    /// All gaps of its installations.
    gaps: HashSet<Gap>,
    /// The ids of findings whose installation has no record before them.
    strangers: HashSet<String>,
    /// The labels of refused sources, by their locators; at most [`MOST_TOLD`].
    labels: HashMap<String, String>,
}

impl Reading {
    fn file(&mut self, path: &Path) -> Result<(), Error> {
        let from_stdin = path.as_os_str() == "-";
        let shown = if from_stdin { "stdin".to_owned() } else { path.display().to_string() };
        let failed = |source| Error::Read { path: shown.clone(), source, advice: ADVICE };
        let source: Box<dyn Read> =
            if from_stdin { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(failed)?) };
        let mut lines = Lines::new(source);
        let file = self.fleet.files.len();
        self.fleet.files.push(LineFile { path: shown.clone(), size: 0, sha256: String::new(), lines: 0, runs: 0 });
        // A run does not go on in another file.
        self.current = None;
        let (mut line, mut read) = (0_u64, 0_u64);
        while let Some(found) = lines.next().map_err(failed)? {
            line = line.saturating_add(1);
            let place = Place { file, line };
            let text = match found {
                Found::Line => lines.line.trim_ascii(),
                Found::TooLong => {
                    self.unread(place, &format!("longer than {} MiB", LONGEST_LINE >> 20));
                    continue;
                }
            };
            let text = if line == 1 { text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text) } else { text };
            if text.is_empty() {
                continue;
            }
            if let Some(entry) = self.fleet.files.last_mut() {
                entry.lines = entry.lines.saturating_add(1);
            }
            match record(text) {
                Ok(record) => {
                    read = read.saturating_add(1);
                    self.record(place, record);
                }
                Err(reason) => self.unread(place, &reason),
            }
        }
        if read == 0 && line > 0 {
            let first = self.fleet.unread.iter().find(|unread| unread.place.file == file);
            let reason = first.map_or_else(|| "only empty lines".to_owned(), |unread| unread.reason.clone());
            let reason = format!("{shown}: no line of it is a record of a report: {reason}");
            return Err(Error::Refused { reason, advice: ADVICE.to_owned() });
        }
        if let Some(entry) = self.fleet.files.last_mut() {
            entry.size = lines.size;
            entry.sha256 = hex(&lines.sum.finalize());
        }
        Ok(())
    }

    fn unread(&mut self, place: Place, reason: &str) {
        if self.fleet.unread.len() < MOST_TOLD {
            self.fleet.unread.push(Unread { place, reason: kept(reason) });
        } else {
            self.fleet.more_unread = self.fleet.more_unread.saturating_add(1);
        }
    }

    fn record(&mut self, place: Place, record: Record) {
        if let Record::Run(run) = record {
            return self.begin(place, |begun| {
                begun.tool = Some(run.tool);
                begun.options = Some(run.options);
            });
        }
        if self.current.is_none() {
            // The first record is missing. What follows still counts.
            self.begin(place, |_| ());
        }
        if let Some(run) = self.fleet.runs.last_mut() {
            run.last = place.line;
            run.unknown = run.unknown.saturating_add(usize::from(matches!(record, Record::Unknown)));
        }
        match record {
            Record::Installation(id, installation) => self.installation(place, id, *installation),
            Record::Finding(id, finding) => self.finding(place, &id, &finding),
            Record::Summary(summary) => self.summary(place, *summary),
            Record::Refused { locator, label } => {
                let current = self.current.get_or_insert_default();
                if current.labels.len() < MOST_TOLD {
                    current.labels.insert(locator, label);
                }
            }
            Record::Run(_) | Record::Other | Record::Unknown => {}
        }
    }

    fn begin(&mut self, place: Place, fill: impl FnOnce(&mut LineRun)) {
        let mut run = LineRun {
            place,
            last: place.line,
            tool: None,
            options: None,
            has_summary: false,
            machines: 0,
            older: 0,
            unknown: 0,
        };
        fill(&mut run);
        self.fleet.runs.push(run);
        self.current = Some(Current::default());
        if let Some(file) = self.fleet.files.last_mut() {
            file.runs = file.runs.saturating_add(1);
        }
    }

    fn installation(&mut self, place: Place, id: String, installation: InstallationReport) {
        let number = self.fleet.machines.len();
        let run = self.fleet.runs.len().saturating_sub(1);
        let is_current = installation.generation.is_current();
        let Some(current) = &mut self.current else { return };
        current.gaps.extend(installation.gaps.iter().cloned());
        let of_run = self.fleet.runs.last_mut();
        if current.machines.insert(id, is_current.then_some(number)).is_some() {
            self.unread(place, "an installation with the id of another one in the same run");
            return;
        }
        if let Some(of_run) = of_run {
            let counter = if is_current { &mut of_run.machines } else { &mut of_run.older };
            *counter = counter.saturating_add(1);
        }
        if is_current {
            let windows = self.windows.shared(&kept(&installation.os.name));
            self.fleet.machines.push(Machine::new(installation, windows, place, run));
        }
    }

    fn finding(&mut self, place: Place, id: &str, finding: &Finding) {
        let owner = self.current.as_ref().and_then(|current| current.machines.get(id)).copied();
        let number = match owner {
            Some(Some(number)) => number,
            Some(None) => return,
            None => return self.stranger(place, id),
        };
        let Some(state) = State::of(finding) else { return };
        let expectation = self.expectation(finding);
        let datum = self.data.number(&observed(finding));
        let plausible = finding.key_last_written_note.is_none();
        let written = finding.key_date().filter(|_| plausible);
        if let Some(machine) = self.fleet.machines.get_mut(number) {
            machine.observations.push(Observation { expectation, datum, state, written });
        }
    }

    /// Notes a finding of no machine, once for each id.
    fn stranger(&mut self, place: Place, id: &str) {
        let Some(current) = &mut self.current else { return };
        if current.strangers.len() < MOST_TOLD && current.strangers.insert(kept(id)) {
            self.unread(place, &format!("findings of {}, which has no record before them in this run", kept(id)));
        }
    }

    /// Returns the number of the finding's expectation.
    fn expectation(&mut self, finding: &Finding) -> u32 {
        let number = self.ids.number(&kept(&finding.id));
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        if at == self.fleet.expectations.len() {
            let key = finding.full_key().unwrap_or_default();
            let place = finding.value.as_ref().map_or_else(|| key.clone(), |value| format!(r"{key}\{value}"));
            let (id, place) = (kept(&finding.id), kept(&place));
            self.fleet.expectations.push(Expectation { id, place });
        }
        number
    }

    /// Ends the run. Compares its own count of installations with what was read.
    fn summary(&mut self, place: Place, summary: Summary) {
        let Some(current) = self.current.take() else { return };
        let of_none = summary.gaps.into_iter().filter(|gap| !current.gaps.contains(gap));
        for mut gap in of_none {
            if let Some(label) = current.labels.get(&gap.at) {
                gap.at = format!("{label}: {}", gap.at);
            }
            if self.apart.contains(&gap) {
                continue;
            }
            if self.fleet.apart.len() < MOST_TOLD {
                self.apart.insert(gap.clone());
                self.fleet.apart.push(gap);
            } else {
                self.fleet.more_apart = self.fleet.more_apart.saturating_add(1);
            }
        }
        let read = current.machines.len();
        if read != summary.installations {
            let reason =
                format!("the summary counts {} installations, but the run has {read} before it", summary.installations);
            self.unread(place, &reason);
        }
        if let Some(run) = self.fleet.runs.last_mut() {
            run.has_summary = true;
        }
    }

    fn into_fleet(self) -> Fleet {
        let mut fleet = self.fleet;
        fleet.data = self.data.into_texts();
        doubles::find(&mut fleet);
        fleet.names = names::of(&fleet);
        fleet
    }
}

/// Returns the observed data in one line: the remarks on them in brackets.
fn observed(finding: &Finding) -> String {
    let told = data::observed(finding);
    match told.split_once('\n') {
        Some((data, remarks)) => format!("{data} ({})", remarks.replace('\n', "; ")),
        None => told,
    }
}

/// A file, line by line, with the hash of what was read.
struct Lines {
    reader: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    sum: Sha256,
    size: u64,
}

/// What [`Lines::next`] found.
enum Found {
    Line,
    TooLong,
}

impl Lines {
    fn new(source: Box<dyn Read>) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER, source), line: Vec::new(), sum: Sha256::new(), size: 0 }
    }

    /// Reads the next line; `None` at the end. A line that is too long is passed over.
    fn next(&mut self) -> io::Result<Option<Found>> {
        self.line.clear();
        let read = self.reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        self.count(read);
        self.sum.update(&self.line);
        if read as u64 != LONGEST_LINE || self.line.ends_with(b"\n") {
            return Ok((read > 0).then_some(Found::Line));
        }
        self.line = Vec::new();
        loop {
            let piece = self.reader.fill_buf()?;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(piece.len(), |end| end.saturating_add(1));
            self.sum.update(piece.get(..length).unwrap_or_default());
            self.reader.consume(length);
            self.count(length);
            if end.is_some() || length == 0 {
                return Ok(Some(Found::TooLong));
            }
        }
    }

    fn count(&mut self, bytes: usize) {
        self.size = self.size.saturating_add(bytes as u64);
    }
}
