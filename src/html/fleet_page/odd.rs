//! The odd ones out.

use std::io;

use askama::Template;

use super::super::text::Text;
use super::fitting;
use super::refer::{Link, Names, Shown, cut, cut_shown, left_out};
use crate::fleet::{Fleet, Odd, Usual};
use crate::report::table::{grouped, word};

/// The most bytes of all rows.
const MOST: usize = 350_000;
/// The most columns of data and of a name of a Windows.
const DATA: usize = 100;
const WINDOWS: usize = 40;

/// The part of the page.
#[derive(Template)]
#[template(path = "fleet/odd.html")]
pub(super) struct OddPart {
    rows: String,
    number: usize,
    left_out: String,
}

#[derive(Template)]
#[template(path = "fleet/odd_row.html")]
struct Row {
    windows: Text,
    finding: Link,
    data: Text,
    severity: Option<String>,
    on: String,
    of: String,
    usual: Text,
    usual_is_data: bool,
    usual_on: String,
    names: Names,
}

impl OddPart {
    pub(super) fn of(fleet: &Fleet, shown: &Shown) -> io::Result<Self> {
        let odd = fleet.odd();
        let (rows, number) = fitting(odd.iter().map(|one| Row::of(fleet, one, shown)), MOST)?;
        Ok(Self { rows, number, left_out: left_out(odd.len(), number, "odd data") })
    }
}

impl Row {
    fn of(fleet: &Fleet, odd: &Odd, shown: &Shown) -> Self {
        Self {
            windows: cut(&odd.windows, WINDOWS),
            finding: shown.finding(fleet, odd.expectation),
            data: cut_shown(fleet.datum(odd.datum), DATA),
            severity: odd.severity.map(|severity| word(&severity)),
            on: grouped(odd.machines.len() as u64),
            of: grouped(odd.of as u64),
            usual: match odd.usual {
                Usual::Conforms => "what is expected".into(),
                Usual::Datum(datum) => cut_shown(fleet.datum(datum), DATA),
            },
            usual_is_data: odd.usual != Usual::Conforms,
            usual_on: grouped(odd.usual_on as u64),
            names: shown.names(fleet, &odd.machines),
        }
    }
}
