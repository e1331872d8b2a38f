//! Machines that gave no answer, or only part of one, and why; evidence in which no machine was found.

use std::io;

use askama::Template;

use super::super::text::Text;
use super::fitting;
use super::refer::{Names, Shown, cut, cut_shown, left_out};
use crate::fleet::{Completeness, Fleet, Reasons};
use crate::report::table::{count, gaps, grouped};

/// The most bytes of one of the lists.
const MOST: usize = 110_000;
/// The most columns of a reason, and of an advice.
const REASON: usize = 240;
/// The most columns of a place.
const PLACE: usize = 120;

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/unanswered.html")]
pub(super) struct UnansweredPart {
    lists: Vec<List>,
    apart: String,
    apart_number: String,
    apart_left_out: String,
}

struct List {
    anchor: &'static str,
    title: &'static str,
    none: &'static str,
    number: String,
    rows: String,
    left_out: String,
}

#[derive(Template)]
#[template(path = "fleet/reason.html")]
struct Row {
    reason: Text,
    advice: Text,
    machines: String,
    names: Names,
}

#[derive(Template)]
#[template(path = "fleet/apart.html")]
struct Apart {
    at: Text,
    reason: Text,
}

impl UnansweredPart {
    pub(super) fn of(fleet: &Fleet, shown: &Shown) -> io::Result<Self> {
        let list = |completeness, anchor, title, none| -> io::Result<List> {
            let reasons = fleet.reasons(completeness);
            let machines = fleet.counted().filter(|(_, machine)| machine.completeness() == completeness).count();
            let (rows, fit) = fitting(reasons.iter().map(|reason| Row::of(fleet, reason, shown)), MOST)?;
            let number = if machines == 0 { String::new() } else { count(machines, "machine") };
            Ok(List { anchor, title, none, number, rows, left_out: left_out(reasons.len(), fit, "reasons") })
        };
        let (apart, fit) = fitting(
            fleet
                .apart
                .iter()
                .map(|gap| Apart { at: cut(&gap.at, PLACE), reason: cut_shown(&gaps::line(gap), REASON) }),
            MOST,
        )?;
        let number = fleet.apart.len().saturating_add(fleet.more_apart);
        Ok(Self {
            lists: vec![
                list(Completeness::NoAnswer, "silent", "No answer", "Every machine gave an answer.")?,
                list(Completeness::Incomplete, "partial", "Part of an answer", "No answer has a gap.")?,
            ],
            apart,
            apart_number: if number == 0 { String::new() } else { grouped(number as u64) },
            apart_left_out: left_out(number, fit, "places"),
        })
    }
}

impl Row {
    fn of(fleet: &Fleet, reason: &Reasons, shown: &Shown) -> Self {
        Self {
            reason: cut(&reason.reason, REASON),
            advice: reason.advice.as_deref().map(|advice| cut(advice, REASON)).unwrap_or_default(),
            machines: grouped(reason.machines.len() as u64),
            names: shown.names(fleet, &reason.machines),
        }
    }
}
