//! The timeline: generations of a hive from the oldest to the newest, and a bracket for each change. Drawn in SVG from
//! top to bottom, so that it fits a narrow screen and a sheet of paper. The list beside it states the same in words.

use super::text::Text;
use crate::history::{Column, HiveHistory, MachineHistory, Row, View};
use crate::registry::FileTime;
use crate::report::InstallationReport;
use crate::report::table::{data, grouped};

/// The distance from one generation to the next.
const STEP: usize = 46;
/// The space above the first generation.
const TOP: usize = 18;
/// The distance between two brackets.
const LANE: usize = 18;
/// The space for text, to the right of the axis.
const TEXT: usize = 250;
/// The most letters in a line.
const LETTERS: usize = 34;
/// The most changes that are drawn. The others are listed.
const MOST: usize = 12;

/// One drawing.
#[derive(Default)]
pub(super) struct Strip {
    pub(super) anchor: String,
    pub(super) title: String,
    pub(super) label: String,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) axis: usize,
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) brackets: Vec<Bracket>,
    pub(super) changes: Vec<Text>,
    pub(super) none: &'static str,
    pub(super) remarks: Vec<Text>,
}

/// A generation, or an event.
pub(super) struct Node {
    pub(super) y: usize,
    pub(super) class: &'static str,
    pub(super) first: Text,
    pub(super) second: Text,
}

/// A change: from the last generation with the old data to the first with the new data.
pub(super) struct Bracket {
    pub(super) number: usize,
    pub(super) x: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label_y: usize,
}

/// A time in an installation's hives.
#[derive(Clone)]
pub(super) struct Event {
    time: FileTime,
    what: Text,
}

/// Returns the drawings for a machine with a history.
pub(super) fn of_history(machine: &MachineHistory, place: &str) -> Vec<Strip> {
    machine.hives.iter().map(|hive| of_hive(hive, place)).collect()
}

fn of_hive(hive: &HiveHistory, place: &str) -> Strip {
    let changes: Vec<(&Row, &crate::history::Change)> =
        hive.values.iter().flat_map(|row| row.changes.iter().map(move |change| (row, change))).collect();
    let spans = changes.iter().take(MOST).map(|(_, change)| (change.until, change.from));
    let (brackets, lanes) = brackets(spans);
    let axis = lanes.saturating_mul(LANE).saturating_add(24);
    let nodes = (0_usize..).zip(&hive.columns).map(|(at, column)| node(at, column)).collect();
    let number = hive.columns.len();
    let folded: usize = hive.columns.iter().map(|column| column.same.len()).sum();
    let mut remarks = Vec::new();
    if folded > 0 {
        let files = grouped(folded as u64);
        remarks.push(Text::from(format!("Other files with the same bytes as one of these, not drawn again: {files}.")));
    }
    if let Some(more @ 1..) = changes.len().checked_sub(MOST) {
        remarks.push(Text::from(format!("Changes that are in the list and not drawn: {}.", grouped(more as u64))));
    }
    let differ = hive.values.iter().filter(|row| row.control_sets_differ).count();
    if differ > 0 {
        let values = grouped(differ as u64);
        remarks.push(Text::from(format!(
            "Values that differ between control sets of one hive: {values}. The hive does not show which came first."
        )));
    }
    let place_of = |bracket: Bracket| Bracket { x: axis.saturating_sub(bracket.x), ..bracket };
    Strip {
        anchor: format!("{place}-{}", hive.role.as_str().to_lowercase()),
        title: hive.role.to_string(),
        label: format!("{}: {number} generations, oldest first, and {} changes", hive.role, changes.len()),
        brackets: brackets.into_iter().map(place_of).collect(),
        changes: changes.iter().map(|(row, change)| said(row, &change.sentence)).collect(),
        none: "No audited value changed between these generations.",
        remarks,
        ..Strip::drawn(nodes, axis)
    }
}

fn said(row: &Row, sentence: &str) -> Text {
    Text::shown(format!("{}: {sentence}", data::name(&row.id)))
}

/// Returns the drawing if only the report is known: the times in an installation's own hives, and those of other
/// installations of the same machine.
pub(super) fn of_events(mut events: Vec<Event>, place: &str) -> Option<Strip> {
    events.sort_by(|a, b| (a.time, a.what.as_str()).cmp(&(b.time, b.what.as_str())));
    if events.is_empty() {
        return None;
    }
    let nodes = (0_usize..).zip(&events).map(|(at, event)| Node {
        y: y(at),
        class: "event",
        first: short_time(Some(event.time)),
        second: Text::shown(cut(event.what.as_str())),
    });
    let nodes = nodes.collect();
    Some(Strip {
        anchor: format!("{place}-times"),
        label: format!("Times that the hives record, oldest first: {}", events.len()),
        changes: events.iter().map(|event| Text::shown(format!("{}: {}", event.time, event.what))).collect(),
        ..Strip::drawn(nodes, 24)
    })
}

/// Returns the times in an installation's hives.
pub(super) fn events_of(installation: &InstallationReport) -> Vec<Event> {
    let machine = &installation.machine;
    let of_machine = [
        (machine.installed, "Windows installed, or last upgraded"),
        (machine.last_shutdown, "last shut down in order"),
    ];
    let mut events: Vec<Event> =
        of_machine.into_iter().filter_map(|(time, what)| Event::new(time, what.into())).collect();
    events.extend(hive_events_of(installation));
    let mut keys: Vec<&str> = Vec::new();
    for finding in installation.judgement.iter().flat_map(|judgement| &judgement.findings) {
        let key = finding.key.as_deref().filter(|key| finding.is_deviation() && !keys.contains(key));
        let Some(key) = key else { continue };
        keys.push(key);
        let last = key.rsplit('\\').next().unwrap_or(key);
        events.extend(Event::new(
            finding.key_last_written,
            Text::shown(format!("key {} last written", data::name(last))),
        ));
    }
    events
}

/// Returns when its hives were last written.
pub(super) fn hive_events_of(installation: &InstallationReport) -> impl Iterator<Item = Event> {
    let generation = installation.generation;
    installation.hives.iter().filter_map(move |hive| {
        Event::new(hive.last_written, Text::from(format!("{} last written ({generation})", hive.role)))
    })
}

impl Event {
    fn new(time: Option<FileTime>, what: Text) -> Option<Self> {
        time.filter(|time| time.0 > 0).map(|time| Self { time, what })
    }
}

impl Strip {
    /// Returns a drawing of these nodes without brackets.
    fn drawn(nodes: Vec<Node>, axis: usize) -> Self {
        let last = y(nodes.len().saturating_sub(1));
        Self {
            width: axis.saturating_add(TEXT),
            height: last.saturating_add(30),
            axis,
            top: TOP,
            bottom: last,
            nodes,
            ..Self::default()
        }
    }
}

fn y(at: usize) -> usize {
    at.saturating_mul(STEP).saturating_add(TOP)
}

fn node(at: usize, column: &Column) -> Node {
    let set = column.control_set.map_or_else(String::new, |set| format!(", set {set:03}"));
    let logs = if column.view == View::Replayed { " with its logs" } else { "" };
    Node {
        y: y(at),
        class: if column.followed { "node" } else { "aside" },
        first: short_time(column.last_written),
        second: Text::shown(cut(&format!("{} {}{logs}{set}", column.letter, data::prose(&column.label)))),
    }
}

/// Returns the brackets, side by side if they overlap, and the number of lanes; `x` is the distance from the axis.
fn brackets(spans: impl Iterator<Item = (usize, usize)>) -> (Vec<Bracket>, usize) {
    // The position from which each lane is free.
    let mut lanes: Vec<usize> = Vec::new();
    let mut brackets = Vec::new();
    for (number, (until, from)) in (1_usize..).zip(spans) {
        let lane = lanes.iter().position(|free| *free <= until).unwrap_or(lanes.len());
        if lane == lanes.len() {
            lanes.push(0);
        }
        if let Some(free) = lanes.get_mut(lane) {
            *free = from;
        }
        let (from, to) = (y(until), y(from));
        let middle = from.saturating_add(to.saturating_sub(from) / 2);
        let x = lane.saturating_add(1).saturating_mul(LANE).saturating_add(4);
        brackets.push(Bracket { number, x, from, to, label_y: middle });
    }
    (brackets, lanes.len())
}

/// Returns a time as `2012-03-20 15:40 UTC`.
fn short_time(time: Option<FileTime>) -> Text {
    time.map_or("no time".into(), |time| Text::shown(data::short_times(&time.to_string())))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_that_overlap_stand_beside_each_other() {
        let (made, lanes) = brackets([(0, 2), (1, 3), (2, 4)].into_iter());
        assert_eq!(lanes, 2);
        assert_eq!(made.iter().map(|bracket| bracket.x).collect::<Vec<_>>(), [22, 40, 22]);
        assert_eq!((made[1].from, made[1].to), (y(1), y(3)));
    }

    #[test]
    fn without_a_time_there_is_no_drawing() {
        assert!(of_events(Vec::new(), "i1").is_none());
        let event = |time| Event { time: FileTime(time), what: "x".into() };
        let strip = of_events(vec![event(200), event(100)], "i1").unwrap();
        assert!(strip.changes[0].as_str() < strip.changes[1].as_str());
        assert!(strip.nodes[0].y < strip.nodes[1].y && strip.height > strip.nodes[1].y);
    }
}
