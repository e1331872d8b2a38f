//! The history for people: a description of each column, a row of marks for each value, and a sentence for each change.

use std::io::{self, Write};

use super::changes::{said, same};
use super::{Cell, Column, History, HiveHistory, Presence, Row, View, timeline};
use crate::report::table::Style;
use crate::report::table::data::{name, prose};
use crate::report::table::page::{GAP, Ink, Page};

/// The indentation below a heading.
const INDENT: usize = 2;
/// The width of a value's name, unless the name is longer.
const NAME: usize = 18;

/// Writes the history as tables. In a row, a number stands for the data listed after the row. `.` is absent, `?` is
/// unreadable, and a blank is not audited.
///
/// # Errors
/// Returns the error of the writer.
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
    let mut scales = timeline::of(&hive.columns).into_iter();
    for column in &hive.columns {
        let letter = format!("{:<2}", column.letter);
        let scale = scales.next().map_or_else(String::new, |scale| scale + "  ");
        page.labelled(INDENT, letter.len(), &letter, &format!("{scale}{}", described(column)), Ink::Strong)?;
        let file = format!("{}  {}", column.os, name(&column.path));
        page.paragraph(INDENT.saturating_add(4), &file, Ink::Dim)?;
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
        let letters: Vec<&str> = hive.columns.iter().map(|column| column.letter.as_str()).collect();
        let marks = Marks::of(&letters, page.width());
        let mut key = None;
        for row in rows {
            if key.replace(&row.key) != Some(&row.key) {
                marks.write_key(page, &letters, &prose(&row.key))?;
            }
            write_row(page, row, &letters, &marks)?;
        }
    }
    Ok(())
}

/// Returns the description of a column.
fn described(column: &Column) -> String {
    let time = column.last_written.map_or("time unknown".to_owned(), |time| time.to_string());
    let view = if column.view == View::Replayed { ", its logs replayed" } else { "" };
    let set = column.control_set.map_or(String::new(), |set| format!(", control set {set}"));
    let marks = if column.marks.is_empty() { String::new() } else { format!(" ({})", column.marks.join(", ")) };
    format!("{time}  {}{view}{set}{marks}", prose(&column.label))
}

/// The layout of the marks of a row: in columns below the letters. If these leave less than half of the page for the
/// data, the marks are written in words.
struct Marks {
    each: usize,
    /// The width of all marks; `None` if they are written in words.
    wide: Option<usize>,
}

impl Marks {
    fn of(letters: &[&str], page: usize) -> Self {
        let each = letters.iter().map(|letter| letter.len()).max().unwrap_or(1).saturating_add(1);
        let wide = each.saturating_mul(letters.len());
        Self { each, wide: (wide <= page / 2).then_some(wide) }
    }

    fn aligned(&self, texts: &[&str]) -> String {
        let each = self.each;
        texts.iter().map(|text| format!("{text:<each$}")).collect::<Vec<_>>().concat()
    }

    fn write_key(&self, page: &mut Page<'_>, letters: &[&str], key: &str) -> io::Result<()> {
        match self.wide {
            Some(wide) => page.labelled(INDENT, wide, &self.aligned(letters), key, Ink::Dim),
            None => page.paragraph(INDENT, key, Ink::Dim),
        }
    }
}

fn write_row(page: &mut Page<'_>, row: &Row, letters: &[&str], marks: &Marks) -> io::Result<()> {
    let title = row.value.as_ref().map_or("(the key)".to_owned(), |value| name(value));
    let mut kinds: Vec<&Cell> = Vec::new();
    let mut of_cells = Vec::new();
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
        of_cells.push(mark);
    }
    let kinds: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(index, cell)| format!("{}: {}", index.saturating_add(1), said(cell).replace('\n', " ")))
        .collect();
    let ink = if row.changes.is_empty() { Ink::Plain } else { Ink::Strong };
    let of_cells: Vec<&str> = of_cells.iter().map(String::as_str).collect();
    let Some(wide) = marks.wide else {
        page.paragraph(INDENT, &format!("{title}  {}", in_words(letters, &of_cells)), ink)?;
        kinds.iter().try_for_each(|kind| page.paragraph(INDENT.saturating_add(4), kind, Ink::Plain))?;
        return write_changes(page, row);
    };
    let shown = marks.aligned(&of_cells);
    let beside = format!("{title:<NAME$}  {}", kinds.join("  "));
    let indent = INDENT.saturating_add(wide).saturating_add(GAP);
    // A character beyond ASCII may be two columns wide.
    let needs: usize = beside.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum();
    if needs <= page.width().saturating_sub(indent) {
        page.line(INDENT, &shown, &format!("  {beside}"), ink)?;
    } else {
        page.labelled(INDENT, wide, &shown, &title, ink)?;
        let deeper = indent.saturating_add(GAP);
        kinds.iter().try_for_each(|kind| page.paragraph(deeper, kind, Ink::Plain))?;
    }
    write_changes(page, row)
}

fn write_changes(page: &mut Page<'_>, row: &Row) -> io::Result<()> {
    row.changes.iter().try_for_each(|change| page.paragraph(INDENT.saturating_add(4), &change.sentence, Ink::Plain))
}

/// Returns the marks in words: `A-F: 1, G: ., H-K: 2`. Values that were not audited are omitted.
fn in_words(letters: &[&str], marks: &[&str]) -> String {
    let mut runs: Vec<(&str, &str, &str)> = Vec::new();
    for (letter, mark) in letters.iter().zip(marks) {
        match runs.last_mut() {
            Some((_, end, of)) if of == mark => *end = letter,
            _ => runs.push((letter, letter, mark)),
        }
    }
    let said = runs.into_iter().filter(|(_, _, mark)| !mark.is_empty());
    let said = said.map(
        |(start, end, mark)| {
            if start == end { format!("{start}: {mark}") } else { format!("{start}-{end}: {mark}") }
        },
    );
    said.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_generations_are_told_in_runs() {
        let letters = ["A", "B", "C", "D", "E"];
        assert_eq!(in_words(&letters, &["1", "1", ".", "", "2"]), "A-B: 1, C: ., E: 2");
        assert_eq!(Marks::of(&letters, 80).wide, Some(10));
        assert_eq!(Marks::of(&["A"; 30], 80).wide, None);
    }
}
