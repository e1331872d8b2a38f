//! The history for people: what each column is, a row of marks for each value, and each change in a sentence.

use std::io::{self, Write};

use super::changes::{said, same};
use super::{Cell, Column, History, HiveHistory, Presence, Row, View};
use crate::report::table::Style;
use crate::report::table::data::{name, prose};
use crate::report::table::page::{Ink, Page};

/// How deep things stand below their heading.
const INDENT: usize = 2;
/// Columns that a value's name has, unless it is longer.
const NAME: usize = 18;

/// Writes the history as tables. In a row a number stands for the data that are listed behind it; `.` is absent, `?`
/// unreadable, and a blank not audited.
///
/// # Errors
/// What the writer says.
pub fn render(history: &History, style: &Style, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = io::BufWriter::new(writer);
    let mut page = Page::new(&mut writer, *style);
    let mut first = true;
    for machine in &history.machines {
        for hive in &machine.hives {
            if !std::mem::take(&mut first) {
                page.blank()?;
            }
            let of = machine.computer_name.as_ref().map_or("a computer without a name".to_owned(), |text| prose(text));
            page.paragraph(0, &format!("{} of {of}", hive.role), Ink::Strong)?;
            write_hive(&mut page, hive)?;
        }
    }
    for problem in &history.problems {
        page.blank()?;
        page.paragraph(0, &prose(&problem.to_string()), Ink::Medium)?;
    }
    page.blank()?;
    let rows = || history.machines.iter().flat_map(|machine| &machine.hives).flat_map(|hive| &hive.values);
    let count = rows().map(|row| row.changes.len()).fold(0, usize::saturating_add);
    let differing = rows().filter(|row| row.control_sets_differ).count();
    let differing = match differing {
        0 => String::new(),
        1 => "; 1 value differs between control sets".to_owned(),
        _ => format!("; {differing} values differ between control sets"),
    };
    let whole = if history.complete { "complete" } else { "incomplete: something could not be read or audited" };
    page.paragraph(
        0,
        &format!("{count} change{}{differing}; {whole}.", if count == 1 { "" } else { "s" }),
        Ink::Strong,
    )?;
    writer.flush()
}

fn write_hive(page: &mut Page<'_>, hive: &HiveHistory) -> io::Result<()> {
    for column in &hive.columns {
        let letter = format!("{:<2}", column.letter);
        page.labelled(INDENT, letter.len(), &letter, &described(column), Ink::Strong)?;
        for path in &column.same {
            page.paragraph(INDENT.saturating_add(4), &format!("the same bytes: {}", name(path)), Ink::Dim)?;
        }
    }
    let (changed, others): (Vec<&Row>, Vec<&Row>) = hive.values.iter().partition(|row| !row.changes.is_empty());
    let (differing, unchanged): (Vec<&Row>, Vec<&Row>) = others.into_iter().partition(|row| row.control_sets_differ);
    let groups = [("Changed", changed), ("Different between control sets", differing), ("Unchanged", unchanged)];
    for (title, rows) in groups {
        if rows.is_empty() {
            continue;
        }
        page.blank()?;
        page.paragraph(INDENT, &format!("{title} ({})", rows.len()), Ink::Strong)?;
        let wide = letters_wide(&hive.columns);
        let letters = aligned(hive.columns.iter().map(|column| column.letter.clone()), wide);
        let mut key = None;
        for row in rows {
            if key.replace(&row.key) != Some(&row.key) {
                page.line(INDENT, &letters, &format!("  {}", prose(&row.key)), Ink::Dim)?;
            }
            write_row(page, row, wide)?;
        }
    }
    Ok(())
}

/// What a column is.
fn described(column: &Column) -> String {
    let time = column.last_written.map_or("time unknown".to_owned(), |time| time.to_string());
    let view = if column.view == View::Replayed { ", its logs replayed" } else { "" };
    let set = column.control_set.map_or(String::new(), |set| format!(", control set {set}"));
    let marks = if column.marks.is_empty() { String::new() } else { format!(" ({})", column.marks.join(", ")) };
    format!("{time}  {}{view}{set}{marks}  {}  {}", prose(&column.label), column.os, name(&column.path))
}

fn letters_wide(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.letter.len()).max().unwrap_or(1).saturating_add(1)
}

/// Texts in columns of that width.
fn aligned(texts: impl Iterator<Item = String>, wide: usize) -> String {
    texts.map(|text| format!("{text:<wide$}")).collect::<Vec<_>>().concat()
}

fn write_row(page: &mut Page<'_>, row: &Row, wide: usize) -> io::Result<()> {
    let title = row.value.as_ref().map_or("(the key)".to_owned(), |value| name(value));
    let mut kinds: Vec<&Cell> = Vec::new();
    let mut marks = Vec::new();
    for cell in &row.cells {
        let mark = match cell.state {
            Presence::Absent => ".".to_owned(),
            Presence::Unreadable => "?".to_owned(),
            Presence::NotAudited => String::new(),
            Presence::Present => {
                let at = kinds.iter().position(|kind| same(kind, cell)).unwrap_or_else(|| {
                    kinds.push(cell);
                    kinds.len().saturating_sub(1)
                });
                at.saturating_add(1).to_string()
            }
        };
        marks.push(mark);
    }
    let kinds: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(index, cell)| format!("{}: {}", index.saturating_add(1), said(cell).replace('\n', " ")))
        .collect();
    let marks = aligned(marks.into_iter(), wide);
    let ink = if row.changes.is_empty() { Ink::Plain } else { Ink::Strong };
    page.line(INDENT, &marks, &format!("  {title:<NAME$}  {}", kinds.join("  ")), ink)?;
    for change in &row.changes {
        page.paragraph(INDENT.saturating_add(4), &change.sentence, Ink::Plain)?;
    }
    Ok(())
}
