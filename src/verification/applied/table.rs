//! The result for people: the state of each edit, what else changed, and the conclusion.

use std::io::{self, Write};

use super::{Checked, CheckedEdit, CheckedHive, Scope, TouchedKey};
use crate::control_set::key_name;
use crate::finding::ObservedDatum;
use crate::hive::State;
use crate::registry::FileTime;
use crate::report::table::Style;
use crate::report::table::data::{name, prose, value};
use crate::report::table::page::{GAP, Ink, Page};
use crate::verification::{Asked, Content, Difference, EditState, Kind};

/// The most lines of a kind. JSON has more.
const MOST_LISTED: usize = 50;
/// The indentation of the lines of an installation.
const INDENT: usize = 2;
const DEEPER: usize = 4;

/// Writes the result as tables.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(checked: &Checked, style: &Style, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = io::BufWriter::new(writer);
    let mut page = Page::new(&mut writer, *style);
    let plan = &checked.plan;
    page.paragraph(0, &name(&plan.path), Ink::Strong)?;
    page.paragraph(INDENT, &format!("{} for {}", count(plan.edits, "edit"), plan.os), Ink::Plain)?;
    page.paragraph(INDENT, &format!("SHA-256 {}", plan.sha256), Ink::Dim)?;
    page.blank()?;
    page.paragraph(0, &format!("{} ({})", name(&checked.evidence), checked.os), Ink::Strong)?;
    for hive in &checked.hives {
        write_hive(&mut page, hive, checked)?;
    }
    write_edits(&mut page, checked)?;
    write_keys(&mut page, &checked.keys)?;
    write_differences(&mut page, checked)?;
    if !checked.problems.is_empty() {
        title(&mut page, "Not read", checked.problems.len())?;
        for problem in checked.problems.iter().take(MOST_LISTED) {
            page.paragraph(DEEPER, &prose(&problem.to_string()), Ink::High)?;
        }
        more(&mut page, checked.problems.len() as u64)?;
    }
    page.blank()?;
    let (line, ink) = verdict(checked);
    page.paragraph(0, &line, ink)?;
    writer.flush()
}

fn write_hive(page: &mut Page<'_>, hive: &CheckedHive, checked: &Checked) -> io::Result<()> {
    let role = hive.role;
    let path = hive.path.as_deref().map_or("missing".to_owned(), name);
    page.paragraph(INDENT, &format!("{role}: {path}"), Ink::Plain)?;
    if hive.same_file == Some(true) {
        let changes = checked.edits.iter().any(|edit| edit.hive == role);
        // The last changes may be in transaction logs beside the hive.
        let idle = changes && checked.asked == Asked::Applied && hive.state == Some(State::Clean);
        let more = if idle { ": nothing was imported into it" } else { "" };
        let text = format!("the same file as when the plan was made{more}");
        page.paragraph(DEEPER, &text, if idle { Ink::Medium } else { Ink::Dim })?;
    }
    if let Some(before) = &hive.before_path {
        let compared =
            format!("{} and {}", count_of(hive.compared_keys, "key"), count_of(hive.compared_values, "value"));
        page.paragraph(DEEPER, &format!("compared with {}: {compared}", name(before)), Ink::Dim)?;
    }
    Ok(())
}

/// Writes the edits by state, those without the expected state first.
fn write_edits(page: &mut Page<'_>, checked: &Checked) -> io::Result<()> {
    let titles = match checked.asked {
        Asked::Applied => [
            (EditState::Other, "Something else is there"),
            (EditState::NotApplied, "Not applied: as before"),
            (EditState::Altered, "Not applied: as a rollback by regedit leaves it"),
            (EditState::Unreadable, "Unreadable"),
            (EditState::Applied, "Applied"),
        ],
        Asked::Undone => [
            (EditState::Other, "Something else is there"),
            (EditState::Applied, "Not undone: as the patch sets it"),
            (EditState::Unreadable, "Unreadable"),
            (EditState::Altered, "Undone, as far as regedit can"),
            (EditState::NotApplied, "Undone"),
        ],
    };
    for (state, text) in titles {
        let edits: Vec<&CheckedEdit> = checked.edits.iter().filter(|edit| edit.state == state).collect();
        if edits.is_empty() {
            continue;
        }
        title(page, text, edits.len())?;
        let rest = page.width().saturating_sub(DEEPER).saturating_sub(GAP.saturating_mul(3));
        let id = edits.iter().map(|edit| label(edit).chars().count()).max().unwrap_or(0).min(rest / 2);
        let third = rest.saturating_sub(id) / 3;
        page.row(DEEPER, &[(id, ""), (third, "now"), (third, "before"), (third, "after")], Ink::Dim)?;
        let ink = if edits.iter().all(|edit| edit.holds) { Ink::Good } else { Ink::High };
        for edit in edits.iter().take(MOST_LISTED) {
            let now =
                if edit.state == EditState::Unreadable { "(unreadable)".to_owned() } else { side(edit.found.as_ref()) };
            let (before, after) = (side(edit.before.as_ref()), side(edit.after.as_ref()));
            page.row(DEEPER, &[(id, &label(edit)), (third, &now), (third, &before), (third, &after)], ink)?;
            if let Some(note) = &edit.note {
                page.paragraph(DEEPER.saturating_add(INDENT), &prose(note), Ink::Medium)?;
            }
        }
        more(page, edits.len() as u64)?;
    }
    Ok(())
}

fn write_keys(page: &mut Page<'_>, keys: &[TouchedKey]) -> io::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    title(page, "Keys of the plan", keys.len())?;
    for key in keys.iter().take(MOST_LISTED) {
        page.paragraph(DEEPER, &format!("{}\\{}", key.hive, name(&key.key)), Ink::Plain)?;
        let before = if key.made { "missing by the plan".to_owned() } else { time("by the plan", key.before) };
        let now = if key.there { time("now", key.now) } else { "missing now".to_owned() };
        page.paragraph(DEEPER.saturating_add(INDENT), &format!("{before}; {now}"), Ink::Dim)?;
    }
    more(page, keys.len() as u64)
}

fn time(when: &str, time: Option<FileTime>) -> String {
    let time = time.map_or("no time".to_owned(), |time| format!("last written {time}"));
    format!("{time} {when}")
}

fn write_differences(page: &mut Page<'_>, checked: &Checked) -> io::Result<()> {
    let all = (checked.unexplained.len() as u64).saturating_add(checked.unexplained_more);
    if all > 0 {
        page.blank()?;
        page.paragraph(INDENT, &format!("Changed, and not by the plan ({all})"), Ink::Strong)?;
        for difference in checked.unexplained.iter().take(MOST_LISTED) {
            write_difference(page, difference)?;
        }
        more(page, all)?;
    }
    let retimed = (checked.retimed.len() as u64).saturating_add(checked.retimed_more);
    if retimed > 0 {
        page.blank()?;
        let text = format!("{} with another last-write time; --format json lists them", count_of(retimed, "key"));
        page.paragraph(INDENT, &text, Ink::Dim)?;
    }
    Ok(())
}

fn write_difference(page: &mut Page<'_>, difference: &Difference) -> io::Result<()> {
    let what = match difference.kind {
        Kind::KeyAdded => "key added",
        Kind::KeyRemoved => "key removed",
        Kind::KeyChanged => "key changed",
        Kind::ValueAdded => "value added",
        Kind::ValueRemoved => "value removed",
        Kind::ValueChanged => "value changed",
    };
    let changed = difference.changed.join(", ");
    let changed = if changed.is_empty() { changed } else { format!(" ({changed})") };
    let key = name(&difference.key);
    let place = if key.is_empty() { difference.hive.to_string() } else { format!("{}\\{key}", difference.hive) };
    page.paragraph(DEEPER, &format!("{what}{changed}: {place}"), Ink::High)?;
    let Some(value_name) = &difference.value else { return Ok(()) };
    let shown = if value_name.is_empty() { "(default)".to_owned() } else { name(value_name) };
    let content = |content: Option<&Content>| {
        content.map_or("(not set)".to_owned(), |content| {
            format!("{} {}", content.observed.datum.data_type, value(&content.observed))
        })
    };
    let text = format!("{shown}: {} -> {}", content(difference.before.as_ref()), content(difference.after.as_ref()));
    page.paragraph(DEEPER.saturating_add(INDENT), &text, Ink::Dim)
}

fn label(edit: &CheckedEdit) -> String {
    let set = edit.control_set.map_or(String::new(), |set| format!(" ({})", key_name(set)));
    format!("{}{set}", name(&edit.finding))
}

fn side(datum: Option<&ObservedDatum>) -> String {
    datum.map_or("(not set)".to_owned(), value)
}

fn title(page: &mut Page<'_>, text: &str, number: usize) -> io::Result<()> {
    page.blank()?;
    page.paragraph(INDENT, &format!("{text} ({number})"), Ink::Strong)
}

fn more(page: &mut Page<'_>, all: u64) -> io::Result<()> {
    match all.saturating_sub(MOST_LISTED as u64) {
        0 => Ok(()),
        more => page.paragraph(DEEPER, &format!("and {more} more; --format json lists them"), Ink::Dim),
    }
}

/// Returns the last line.
fn verdict(checked: &Checked) -> (String, Ink) {
    let holding = checked.edits.iter().filter(|edit| edit.holds).count();
    let done = if checked.asked == Asked::Applied { "applied" } else { "undone" };
    let others = (checked.unexplained.len() as u64).saturating_add(checked.unexplained_more);
    let beside = match (others, checked.scope) {
        (0, Scope::WholeHives) => ", nothing else changed".to_owned(),
        (0, Scope::Plan) => "; only what the plan names was compared: --before compares everything else".to_owned(),
        _ => format!(", {} beside the plan", count_of(others, "change")),
    };
    let said = format!("{holding} of {} {done}{beside}", count(checked.edits.len(), "edit"));
    if !checked.complete {
        (format!("INCOMPLETE: {said}."), Ink::High)
    } else if checked.holds {
        (format!("{said}."), Ink::Good)
    } else {
        (format!("NOT AS PLANNED: {said}."), Ink::High)
    }
}

fn count(number: usize, noun: &str) -> String {
    count_of(number as u64, noun)
}

fn count_of(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
