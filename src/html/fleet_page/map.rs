//! The heat map: a row for machines with the same deviations, a column for each finding. Drawn in SVG. The shape in a
//! cell says the severity, as the colour does; the tables beside it say the same in words.

use std::collections::BTreeSet;
use std::io;

use askama::Template;

use super::super::text::Text;
use super::fitting;
use super::refer::{Shown, cut, name};
use crate::finding::Severity;
use crate::fleet::{Cell, Fleet, Group, Wrong};
use crate::report::table::{count, grouped, word};

/// The most rows, and the most columns, that one can still read.
const MOST_ROWS: usize = 60;
const MOST_COLUMNS: usize = 36;
/// The most bytes of all rows.
const MOST: usize = 450_000;
/// The side of a cell.
const CELL: usize = 22;
/// The space for the names of rows.
const LEFT: usize = 236;
/// The space for a letter of the name of a column, and around the name.
const LETTER: usize = 7;
const AROUND: usize = 16;
/// The most letters of the name of a row, and of a column.
const ROW_NAME: usize = 24;
const COLUMN_NAME: usize = 30;

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/map.html")]
pub(super) struct MapPart {
    label: String,
    width: usize,
    height: usize,
    columns: Vec<Column>,
    rows: String,
    bottom: usize,
    legend: Vec<String>,
    has_unexamined: bool,
    remarks: Vec<String>,
}

struct Column {
    x: usize,
    y: usize,
    line: usize,
    name: Text,
}

#[derive(Template)]
#[template(path = "fleet/map_row.html")]
struct Row {
    number_x: usize,
    name_x: usize,
    y: usize,
    line: usize,
    end: usize,
    number: String,
    name: Text,
    cells: Vec<Square>,
}

struct Square {
    class: String,
    path: String,
    mark: String,
    told: Text,
}

impl MapPart {
    pub(super) fn of(fleet: &Fleet, wrong: &[Wrong], groups: &[Group], shown: &Shown) -> io::Result<Self> {
        let columns: Vec<&Wrong> = wrong.iter().take(MOST_COLUMNS).collect();
        let width = x(columns.len()).saturating_add(CELL);
        // A group that deviates only in columns that are not drawn would be a row without a mark.
        let is_drawn = |group: &&Group| {
            group
                .deviations()
                .any(|(expectation, _)| shown.places.get(&expectation).is_some_and(|place| *place <= MOST_COLUMNS))
        };
        let drawn: Vec<&Group> = groups.iter().filter(is_drawn).take(MOST_ROWS).collect();
        let names: Vec<Text> = columns.iter().map(|wrong| cut(fleet.id(wrong.expectation), COLUMN_NAME)).collect();
        let longest = names.iter().map(|name| name.as_str().chars().count()).max().unwrap_or_default();
        let head = longest.saturating_mul(LETTER).saturating_add(AROUND);
        let rows = drawn.iter().enumerate().map(|(at, group)| Row::of(fleet, group, &columns, y(head, at)));
        let (rows, number) = fitting(rows, MOST)?;
        let machines = |groups: &[&Group]| {
            groups.iter().map(|group| group.machines.len()).fold(0, |sum: usize, more| sum.saturating_add(more))
        };
        let on_map = machines(drawn.get(..number).unwrap_or_default());
        let bottom = y(head, number);
        let on_rows = drawn.iter().take(number).flat_map(|group| group.deviations());
        let seen = on_rows.filter(|(expectation, _)| columns.iter().any(|column| column.expectation == *expectation));
        let legend: BTreeSet<Severity> = seen.map(|(_, severity)| severity).collect();
        let of = fleet.counted().count();
        Ok(Self {
            label: format!(
                "Heat map: {} in {} by {}. The tables of findings and of groups say the same in words.",
                count(on_map, "machine"),
                count(number, "row"),
                count(columns.len(), "finding")
            ),
            width,
            height: bottom.saturating_add(8),
            columns: (0_usize..).zip(names).map(|(at, name)| Column::of(name, head, at)).collect(),
            bottom,
            legend: legend.iter().rev().map(word).collect(),
            has_unexamined: rows.contains("class=\"mark gap\""),
            rows,
            remarks: remarks(machines(&groups.iter().collect::<Vec<_>>()), on_map, of, wrong.len(), columns.len()),
        })
    }
}

/// Returns what the drawing leaves out.
fn remarks(deviating: usize, on_map: usize, of: usize, findings: usize, columns: usize) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(more @ 1..) = deviating.checked_sub(on_map) {
        remarks
            .push(format!("Not drawn: {} with deviations. The table of groups has them.", count(more, "more machine")));
    }
    if let Some(more @ 1..) = findings.checked_sub(columns) {
        remarks.push(format!("Not drawn: {}. The table of findings has them.", count(more, "more finding")));
    }
    if let Some(without @ 1..) = of.checked_sub(deviating) {
        remarks.push(format!(
            "{} without deviations, or without an answer, {} no row.",
            count(without, "machine"),
            if without == 1 { "has" } else { "have" }
        ));
    }
    remarks
}

/// Returns the left end of a column.
fn x(column: usize) -> usize {
    column.saturating_mul(CELL).saturating_add(LEFT)
}

/// Returns the upper end of a row below a head of this height.
fn y(head: usize, row: usize) -> usize {
    row.saturating_mul(CELL).saturating_add(head)
}

impl Column {
    fn of(name: Text, head: usize, at: usize) -> Self {
        let left = x(at);
        Self { x: left.saturating_add(CELL / 2), y: head.saturating_sub(8), line: left, name }
    }
}

impl Row {
    fn of(fleet: &Fleet, group: &Group, columns: &[&Wrong], top: usize) -> Self {
        let first = group.machines.first().copied().unwrap_or_default();
        let alone = group.machines.len() == 1;
        let shown = name(fleet, first);
        let shown = if alone { shown.as_str().to_owned() } else { format!("{}, …", shown.as_str()) };
        let square = |(place, wrong): (usize, &&Wrong)| {
            let (_, cell) = group.cells.iter().find(|(expectation, _)| *expectation == wrong.expectation)?;
            Some(Square::of(fleet, *cell, wrong, x(place), top))
        };
        Self {
            number_x: 44,
            name_x: 54,
            y: top.saturating_add(CELL / 2),
            line: top,
            end: x(columns.len()),
            number: grouped(group.machines.len() as u64),
            name: Text::shown(crate::report::table::fleet::cut_in_the_middle(&shown, ROW_NAME)),
            cells: columns.iter().enumerate().filter_map(square).collect(),
        }
    }
}

impl Square {
    fn of(fleet: &Fleet, cell: Cell, wrong: &Wrong, left: usize, top: usize) -> Self {
        let (class, word) = match cell {
            Cell::Deviates(severity) => (word(&severity), word(&severity)),
            Cell::Unexamined => ("gap".to_owned(), "could not be judged".to_owned()),
        };
        let side = CELL.saturating_sub(2);
        Self {
            path: format!("M{} {}h{side}v{side}h-{side}z", left.saturating_add(1), top.saturating_add(1)),
            mark: mark(cell, left.saturating_add(CELL / 2), top.saturating_add(CELL / 2)),
            told: Text::shown(format!("{}: {word}", cut(fleet.id(wrong.expectation), COLUMN_NAME))),
            class,
        }
    }
}

/// Returns the shape of a severity around a point: the one that its chip has.
fn mark(cell: Cell, x: usize, y: usize) -> String {
    match cell {
        Cell::Deviates(Severity::Critical) => format!("M{x} {y}m-5-5h10v10h-10z"),
        Cell::Deviates(Severity::High) => format!("M{x} {y}m0-5.5l5.8 10.5h-11.6z"),
        Cell::Deviates(Severity::Medium) => format!("M{x} {y}m0-6l6 6-6 6-6-6z"),
        Cell::Deviates(Severity::Low) => format!("M{x} {y}m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z"),
        Cell::Deviates(Severity::Info) => {
            format!("M{x} {y}m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0zm2 0a2.5 2.5 0 1 1 5 0a2.5 2.5 0 1 1-5 0z")
        }
        Cell::Unexamined => format!("M{x} {y}m-5-1.5h10v3h-10z"),
    }
}
