//! What is wrong on how many machines.

use std::io;

use askama::Template;

use super::super::text::Text;
use super::fitting;
use super::refer::{Link, Shown, cut, cut_shown, id, left_out, share, short_time};
use crate::fleet::{Dated, Fleet, Wrong};
use crate::report::table::{count, data, grouped, word};

/// The most bytes of all rows.
const MOST: usize = 700_000;
/// The most columns of a place, and of data.
const PLACE: usize = 200;
const DATA: usize = 80;
/// How many kinds of Windows and how many data a row names.
const MOST_NAMED: usize = 4;

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/wrong.html")]
pub(super) struct WrongPart {
    rows: String,
    number: usize,
    left_out: String,
}

#[derive(Template)]
#[template(path = "fleet/wrong_row.html")]
struct Row {
    place: usize,
    severity: String,
    id: Text,
    key: Text,
    observed: Vec<Text>,
    machines: String,
    share: String,
    windows: Vec<Text>,
    times: Vec<Time>,
    undated: String,
}

struct Time {
    label: &'static str,
    text: Text,
    machine: Link,
}

impl WrongPart {
    pub(super) fn of(fleet: &Fleet, wrong: &[Wrong], shown: &Shown) -> io::Result<Self> {
        let of = fleet.counted().count();
        let rows = (1_usize..).zip(wrong).map(|(place, one)| Row::of(fleet, one, place, of, shown));
        let (rows, number) = fitting(rows, MOST)?;
        Ok(Self { rows, number, left_out: left_out(wrong.len(), number, "findings") })
    }

    /// Returns how many findings fit.
    pub(super) fn shown(&self) -> usize {
        self.number
    }
}

impl Row {
    fn of(fleet: &Fleet, wrong: &Wrong, place: usize, of: usize, shown: &Shown) -> Self {
        let key = fleet.expectation(wrong.expectation).map_or("", |expectation| &expectation.place);
        let number = wrong.machines.len();
        Self {
            place,
            severity: word(&wrong.severity),
            id: id(fleet, wrong.expectation),
            key: cut(key.strip_prefix(r"HKEY_LOCAL_MACHINE\").unwrap_or(key), PLACE),
            observed: some(&wrong.data, |(datum, on)| {
                Text::shown(format!("{} on {}", cut_shown(fleet.datum(*datum), DATA), count(*on, "machine")))
            }),
            machines: grouped(number as u64),
            share: share(number, of),
            windows: some(&wrong.windows, |(name, on)| {
                Text::shown(format!("{}: {}", cut(name, DATA), grouped(*on as u64)))
            }),
            times: times(fleet, wrong, shown),
            undated: match wrong.undated {
                0 => String::new(),
                undated if undated == number => "no time is known".to_owned(),
                undated => format!("no time is known on {}", count(undated, "machine")),
            },
        }
    }
}

/// Returns the first and the last time; one time, if they are the same.
fn times(fleet: &Fleet, wrong: &Wrong, shown: &Shown) -> Vec<Time> {
    let time = |label, dated: Dated| Time {
        label,
        text: short_time(dated.time),
        machine: shown.machine(fleet, dated.machine),
    };
    match (wrong.first, wrong.last) {
        (Some(first), Some(last)) if first.time != last.time => vec![time("first", first), time("last", last)],
        (Some(only), _) if wrong.machines.len() > 1 => vec![time("the same on all", only)],
        (Some(only), _) => vec![time("", only)],
        (None, _) => Vec::new(),
    }
}

/// Returns the first of some facts, and how many more there are.
fn some<T>(facts: &[T], told: impl Fn(&T) -> Text) -> Vec<Text> {
    let mut texts: Vec<Text> = facts.iter().take(MOST_NAMED).map(told).collect();
    if let Some(more @ 1..) = facts.len().checked_sub(MOST_NAMED) {
        texts.push(Text::shown(data::prose(&format!("{} more", grouped(more as u64)))));
    }
    texts
}
