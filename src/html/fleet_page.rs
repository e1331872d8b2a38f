//! The page of many machines: what is wrong on how many of them, a heat map, machines that share deviations, the odd
//! ones out, machines without an answer, and a line for each machine. It has no script and loads nothing.
//!
//! Every list has a budget in bytes, so the page stays readable whatever the lines hold. What a list leaves out is
//! counted below it.

use std::io::{self, Write};

use askama::Template;

use super::{head, write};
use crate::case_facts::CaseFacts;
use crate::fleet::Fleet;

mod answer;
mod files;
mod groups;
mod machines;
mod map;
mod odd;
mod refer;
mod unanswered;
mod wrong;

use answer::HeadPart;
use files::FilesPart;
use groups::GroupsPart;
use machines::{MachinesPart, Standings};
use map::MapPart;
use odd::OddPart;
use refer::Shown;
use unanswered::UnansweredPart;
use wrong::WrongPart;

/// Writes the page of many machines.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(fleet: &Fleet, case: &CaseFacts, writer: &mut impl Write) -> io::Result<()> {
    let (wrong, groups) = (fleet.wrong(), fleet.groups());
    let standings = Standings::of(fleet, &groups);
    // Links lead only to rows that fit. Rows without links are shorter, so what fits with all links fits without some.
    let every = Shown::everything(fleet, &wrong, &groups);
    let mut shown = Shown { machines: MachinesPart::of(fleet, &standings, &every)?.shown(&standings), ..every };
    shown.wrong = WrongPart::of(fleet, &wrong, &shown)?.shown();
    shown.groups = GroupsPart::of(fleet, &groups, &shown)?.shown();
    write(writer, &HeadPart::of(fleet, &standings, head::facts(case)))?;
    write(writer, &MapPart::of(fleet, &wrong, &groups, &shown)?)?;
    write(writer, &WrongPart::of(fleet, &wrong, &shown)?)?;
    write(writer, &GroupsPart::of(fleet, &groups, &shown)?)?;
    write(writer, &OddPart::of(fleet, &shown)?)?;
    write(writer, &UnansweredPart::of(fleet, &shown)?)?;
    write(writer, &MachinesPart::of(fleet, &standings, &shown)?)?;
    write(writer, &FilesPart::of(fleet, &shown)?)?;
    writer.flush()
}

/// Renders rows as long as they fit into `most` bytes. Returns their text and their number.
fn fitting<T: Template>(rows: impl IntoIterator<Item = T>, most: usize) -> io::Result<(String, usize)> {
    let (mut text, mut number) = (String::new(), 0_usize);
    for row in rows {
        let row = row.render().map_err(io::Error::other)?;
        let row = row.trim_end();
        if text.len().saturating_add(row.len()) >= most {
            break;
        }
        text.push_str(row);
        text.push('\n');
        number = number.saturating_add(1);
    }
    Ok((text, number))
}
