//! One finding on the page, with everything that is needed to check it.

use super::alternatives;
use super::hex::Hex;
use super::text::{Row, Text, told, web_address};
use crate::baseline::known_errors;
use crate::finding::{Finding, Location, Verdict, View};
use crate::history::{HiveHistory, MachineHistory, said};
use crate::hive::{LogEntry, LogPart};
use crate::remediation::{Edit, Plan};
use crate::report::table::{data, quoted, quoted_path, word};
use crate::report::{HiveReport, InstallationReport};

/// The context that a finding is shown in.
pub(super) struct Around<'a> {
    pub(super) installation: &'a InstallationReport,
    pub(super) plan: Option<&'a Plan>,
    pub(super) history: Option<&'a MachineHistory>,
    /// The quoted options that are needed to open the evidence again.
    pub(super) reading: &'a [String],
}

/// A finding.
pub(super) struct Shown {
    pub(super) anchor: String,
    pub(super) number: usize,
    pub(super) id: Text,
    pub(super) severity: String,
    pub(super) verdict: String,
    pub(super) path: Text,
    pub(super) value: Text,
    pub(super) expected: Vec<Text>,
    pub(super) observed: Vec<Text>,
    pub(super) why: Text,
    pub(super) advice: Text,
    pub(super) grade: String,
    pub(super) source: Text,
    pub(super) url: Option<Text>,
    pub(super) hex: Option<Hex>,
    pub(super) rows: Vec<Row>,
    pub(super) follows: Vec<Row>,
    pub(super) command: Option<Text>,
}

impl Shown {
    /// Returns a finding and the findings that follow from it.
    pub(super) fn of(finding: &Finding, follows: &[&Finding], number: usize, place: &str, around: &Around<'_>) -> Self {
        Self {
            anchor: format!("{place}-f{number}"),
            number,
            id: Text::name(&finding.id),
            severity: word(&finding.severity),
            verdict: verdict(finding),
            path: full_path(finding),
            value: finding.value.as_deref().map(value_name).unwrap_or_default(),
            expected: Text::lines(&data::expected(finding)),
            observed: Text::lines(&data::observed(finding)),
            why: Text::prose(&finding.why),
            advice: finding.advice.as_deref().map(Text::prose).unwrap_or_default(),
            grade: grade(finding),
            source: Text::prose(&finding.source.title),
            url: finding.source.url.as_deref().and_then(web_address),
            hex: Hex::of(finding),
            rows: rows(finding, around),
            follows: follows.iter().map(|one| short(one)).collect(),
            command: command(finding, around),
        }
    }
}

/// Returns the observed data as a row, for findings that follow from another, conform, or are not judged.
pub(super) fn short(finding: &Finding) -> Row {
    let observed = Text::lines(&data::observed(finding));
    let expected = finding.is_deviation().then(|| data::expected(finding).replace('\n', " "));
    let expected = expected.map(|expected| Text::shown(format!("expected {expected}")));
    let note = finding.note.as_deref().map(Text::prose);
    Row::new(Text::name(&finding.id), observed.into_iter().chain(expected).chain(note))
}

fn verdict(finding: &Finding) -> String {
    match finding.verdict {
        Verdict::NotAssessed(_) => "not assessed".to_owned(),
        other => other.kind().as_str().to_owned(),
    }
}

/// Returns how well the expectation is confirmed, as the start of a sentence.
fn grade(finding: &Finding) -> String {
    let mut word = word(&finding.grade);
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

/// Returns the full path of the key: `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\BITS`.
pub(super) fn full_path(finding: &Finding) -> Text {
    let (Some(hive), Some(key)) = (finding.hive, &finding.key) else { return Text::default() };
    Text::shown(format!(r"HKEY_LOCAL_MACHINE\{hive}\{}", data::name(key)))
}

fn value_name(name: &str) -> Text {
    if name.is_empty() { "(Default)".into() } else { Text::name(name) }
}

fn rows(finding: &Finding, around: &Around<'_>) -> Vec<Row> {
    let one = |text: Option<&String>| text.map(|text| Text::prose(text)).into_iter().collect::<Vec<Text>>();
    let attack = finding.attack.iter().map(|id| {
        let url = format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"));
        (Text::prose(id), web_address(&url))
    });
    let errors = known_errors().filter(|error| finding.why.contains(&error.code));
    let errors = errors.map(|error| (Text::from(format!("{}: {}", error.code, error.means)), web_address(&error.url)));
    told([
        Row::links("Windows shows", errors),
        Row::new("Note", one(finding.note.as_ref())),
        Row::new("Control set", finding.control_set.map(|set| Text::from(format!("ControlSet{set:03}")))),
        Row::new("Place in the file", finding.location.as_ref().map_or_else(not_located, places)),
        Row::new("Written by", finding.location.as_ref().map(writers).unwrap_or_default()),
        Row::new("Read from", view(finding)),
        Row::new("Key last written", key_time(finding)),
        Row::new("Also in", finding.also_in.iter().map(|key| Text::name(key))),
        Row::new("Other generations", generations(finding, around)),
        Row::new("Other explanations", alternatives::of(finding).map(Text::from)),
        Row::links("ATT&CK", attack),
        Row::new("Edit", edit(finding, around)),
        Row::new("Explained by", [Text::shown(format!("hivemend explain {}", quoted(finding.id.as_bytes())))]),
    ])
}

fn not_located() -> Vec<Text> {
    vec!["Not requested: --locations gives the offsets of key, value and data.".into()]
}

fn places(location: &Location) -> Vec<Text> {
    let places = [("key node", location.nk), ("value record", location.vk), ("data", location.data)];
    let mut lines: Vec<Text> = places
        .into_iter()
        .filter_map(|(name, offset)| Some(Text::from(format!("{name} at {:#x} ({0})", offset?))))
        .collect();
    if let Some(segments) = &location.segments {
        let offsets: Vec<String> = segments.iter().map(|offset| format!("{offset:#x}")).collect();
        lines.push(Text::from(format!("data in {} segments: {}", segments.len(), offsets.join(", "))));
    }
    if location.past_end {
        lines.push("past the end of the file: logs made the hive longer".into());
    }
    lines
}

/// Returns which entry of which log wrote each part.
fn writers(location: &Location) -> Vec<Text> {
    let by = &location.written_by;
    let parts = [("key node", &by.nk), ("value record", &by.vk), ("data", &by.data)];
    let line = |(part, entry): (&str, &Option<LogEntry>)| {
        let entry = entry.as_ref()?;
        let what = match entry.part {
            LogPart::Entry => format!("entry {}", entry.sequence),
            LogPart::DirtyVector => format!("dirty vector ({})", entry.sequence),
        };
        let at = entry.offset.map_or_else(String::new, |offset| format!(" at {offset:#x}"));
        Some(Text::shown(format!("{part}: {}, {what}{at}", data::name(&entry.log))))
    };
    let lines: Vec<Text> = parts.into_iter().filter_map(line).collect();
    if lines.is_empty() { vec!["the primary file itself; no log entry wrote any of it".into()] } else { lines }
}

/// Returns the view of the hive that the finding is based on.
fn view(finding: &Finding) -> Vec<Text> {
    match finding.view {
        View::Primary => Vec::new(),
        View::Replayed => vec!["the hive with its transaction logs replayed in memory".into()],
        View::BothDiffer => {
            let other = finding.other_view.as_ref();
            let verdict = other.and_then(|other| other.get("verdict")?.as_str()).unwrap_or("otherwise");
            let line =
                format!("the hive with its transaction logs replayed; as the file lies: {}", data::prose(verdict));
            vec![Text::shown(line)]
        }
    }
}

/// Returns when the key was written, and the limits of that time.
fn key_time(finding: &Finding) -> Vec<Text> {
    let Some(time) = finding.key_last_written else { return Vec::new() };
    let note = finding.key_last_written_note.as_deref().map(Text::prose);
    let remark = "This is the key's time. Values have none: it does not say when this value was written.";
    [Text::from(time.to_string())].into_iter().chain(note).chain([remark.into()]).collect()
}

/// Returns the same value in other generations, if a history was given.
fn generations(finding: &Finding, around: &Around<'_>) -> Vec<Text> {
    let of_hive = |hive: &&HiveHistory| Some(hive.role) == finding.hive;
    let Some(hive) = around.history.and_then(|machine| machine.hives.iter().find(of_hive)) else { return Vec::new() };
    let Some(row) = hive.values.iter().find(|row| row.id == finding.id) else { return Vec::new() };
    let line = |(cell, column): (&crate::history::Cell, &crate::history::Column)| {
        let time = column.last_written.map_or_else(String::new, |time| format!(", {time}"));
        let set = column.control_set.map_or_else(String::new, |set| format!(", ControlSet{set:03}"));
        Text::shown(format!("{}{set}{time}: {}", data::prose(&column.label), said(cell)))
    };
    let changes = row.changes.iter().map(|change| Text::shown(change.sentence.clone()));
    row.cells.iter().zip(&hive.columns).map(line).chain(changes).collect()
}

/// Returns the patch's edit for the finding, or why there is none.
fn edit(finding: &Finding, around: &Around<'_>) -> Vec<Text> {
    if let Some(plan) = around.plan {
        let same = |id: &str, set: Option<u32>| id == finding.id && set == finding.control_set;
        if let Some(edit) = plan.edits.iter().find(|edit| same(&edit.finding, edit.control_set)) {
            return vec![Text::shown(format!("{} → {}", before(edit), after(edit)))];
        }
        if let Some(left) = plan.left.iter().find(|left| same(&left.finding, left.control_set)) {
            return vec![Text::from(format!("none: {}", left.reason))];
        }
    }
    match &finding.remediation {
        None => vec!["no edit is known that would correct it".into()],
        Some(remediation) => vec![Text::shown(data::remediation(remediation))],
    }
}

/// Returns the data before an edit.
pub(super) fn before(edit: &Edit) -> String {
    edit.before.as_ref().map_or_else(|| "(absent)".to_owned(), data::value)
}

/// Returns the data after an edit.
pub(super) fn after(edit: &Edit) -> String {
    edit.after.as_ref().map_or_else(|| "(absent)".to_owned(), data::value)
}

/// Returns the command that shows the same bytes.
fn command(finding: &Finding, around: &Around<'_>) -> Option<Text> {
    let (role, key) = (finding.hive?, finding.key.as_deref()?);
    let hive: &HiveReport = around.installation.hives.iter().find(|hive| hive.role == role)?;
    let mut words = vec!["hivemend".to_owned(), "show".to_owned(), quoted_path(hive.path.as_bytes())];
    words.push(quoted(key.as_bytes()));
    words.extend(["--format".to_owned(), "json".to_owned()]);
    words.extend(around.reading.iter().cloned());
    Some(Text::shown(words.join(" ")))
}
