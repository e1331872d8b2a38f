//! The comparison for people: before and after, and the changes that no finding asked for.

use std::io::{self, Write};

use super::{Carried, Change, Outcome, PatchSummary, Precondition, PreconditionState, State, Verification, Verified};
use crate::finding::{Severity, VerdictKind};
use crate::report::table::Style;
use crate::report::table::data::{name, prose, value};
use crate::report::table::page::{GAP, Ink, Page};

/// The most operations of a kind that are listed. A patch may have a hundred thousand; JSON has all of them.
const MOST_LISTED: usize = 50;
/// The indentation of the lines of an installation.
const INDENT: usize = 2;

/// Writes the verification as tables.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(verification: &Verification, style: &Style, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = io::BufWriter::new(writer);
    let mut page = Page::new(&mut writer, *style);
    for patch in &verification.patches {
        write_patch(&mut page, patch)?;
    }
    for problem in &verification.problems {
        page.paragraph(0, &prose(&problem.to_string()), Ink::High)?;
    }
    for verified in &verification.installations {
        page.blank()?;
        page.paragraph(0, &format!("{} ({})", name(&verified.evidence), verified.os), Ink::Strong)?;
        match &verified.refused {
            Some(reason) => {
                let refused = format!("REFUSED: {}. Nothing was applied.", prose(reason));
                page.paragraph(INDENT, &refused, Ink::High)?;
            }
            None => write_verified(&mut page, verified)?,
        }
    }
    writer.flush()
}

fn write_patch(page: &mut Page<'_>, patch: &PatchSummary) -> io::Result<()> {
    page.paragraph(0, &name(&patch.path), Ink::Strong)?;
    let made_for = patch.made_for.as_ref().map_or(String::new(), |os| format!(", made for {}", prose(os)));
    let by = format!("{} of {} ({})", count(patch.operations, "operation"), patch.importer, patch.target);
    page.paragraph(INDENT, &format!("{by}{made_for}"), Ink::Plain)?;
    page.paragraph(INDENT, &format!("SHA-256 {}", patch.sha256), Ink::Dim)?;
    for contradiction in &patch.contradictions {
        page.paragraph(INDENT, &prose(contradiction), Ink::Medium)?;
    }
    let Some(first) = &patch.first else { return Ok(()) };
    let more = if patch.dropped > 1 { "; `hivemend lint` lists them all" } else { "" };
    let dropped = format!(
        "{} where {} does not do what the file says: {}{more}",
        count(patch.dropped, "place"),
        patch.importer,
        prose(first)
    );
    page.paragraph(INDENT, &dropped, Ink::High)
}

fn write_verified(page: &mut Page<'_>, verified: &Verified) -> io::Result<()> {
    for changed in &verified.identity_changes {
        let what = match changed.what {
            "windows" => "which Windows this is",
            "control-sets" => "which control sets Windows uses",
            "system-root" => "where Windows lies",
            _ => "whether setup is under way",
        };
        let text = format!("CHANGES {what}: {} -> {}", prose(&changed.before), prose(&changed.after));
        page.paragraph(INDENT, &text, Ink::High)?;
    }
    if !verified.identity_changes.is_empty() {
        page.paragraph(INDENT, "The following is judged by what the hives say now.", Ink::High)?;
    }
    for precondition in &verified.preconditions {
        write_precondition(page, precondition)?;
    }
    for stopped in &verified.stopped {
        let (patch, line) = (name(&stopped.patch), stopped.line);
        let text = format!("{patch} is not imported: line {line}: {}. Nothing of it is kept.", prose(&stopped.reason));
        page.paragraph(INDENT, &text, Ink::High)?;
    }
    for harm in verified.harm.iter().take(MOST_LISTED) {
        let place = format!("{}, line {}: {}\\{}", name(&harm.patch), harm.line, harm.hive, name(&harm.key));
        page.paragraph(INDENT, &format!("{place}: {}", prose(&harm.what)), Ink::High)?;
    }
    let lists = [
        ("Mended", &verified.mended, Ink::Good),
        ("Left", &verified.left, Ink::Medium),
        ("Broken: conforms now, but not after the patch", &verified.broken, Ink::High),
        ("Not known", &verified.unknown, Ink::High),
    ];
    for (title, changes, ink) in lists {
        if !changes.is_empty() {
            page.blank()?;
            page.paragraph(INDENT, &format!("{title} ({})", changes.len()), Ink::Strong)?;
            write_changes(page, changes, ink)?;
        }
    }
    let kinds = [
        (Outcome::Unasked, "Not asked for by any finding"),
        (Outcome::Elsewhere, "Not in this evidence"),
        (Outcome::Unreadable, "Cannot be read"),
    ];
    for (outcome, title) in kinds {
        let of_kind: Vec<&Carried> = verified.operations.iter().filter(|carried| carried.outcome == outcome).collect();
        if !of_kind.is_empty() {
            page.blank()?;
            page.paragraph(INDENT, &format!("{title} ({})", of_kind.len()), Ink::Strong)?;
            write_operations(page, &of_kind)?;
        }
    }
    page.blank()?;
    let (line, ink) = verdict(verified);
    page.paragraph(0, &line, ink)
}

/// Writes whether a patch meets the state that it was made for, unless the hive is the same.
fn write_precondition(page: &mut Page<'_>, precondition: &Precondition) -> io::Result<()> {
    if precondition.state == PreconditionState::SameHive || precondition.plan.is_none() && precondition.note.is_none() {
        return Ok(());
    }
    let Precondition { hive, sha256, .. } = precondition;
    let made_for = format!("{} was made for another state of the {hive} hive", name(&precondition.patch));
    let plan = precondition.plan.as_deref().map(name).unwrap_or_default();
    let (text, ink) = match (&precondition.note, precondition.state) {
        (Some(note), _) => (format!("{made_for} (SHA-256 {sha256}): {}", prose(note)), Ink::High),
        (None, PreconditionState::SameValues) => {
            (format!("{made_for}, and each of its values is here as {plan} says"), Ink::Plain)
        }
        _ => (format!("{made_for} (SHA-256 {sha256}), and these values are not as {plan} says"), Ink::High),
    };
    page.paragraph(INDENT, &text, ink)?;
    for differs in precondition.differs.iter().take(MOST_LISTED) {
        let side = |datum: Option<&_>| datum.map_or("(absent)".to_owned(), value);
        let found = if differs.unreadable { "(unreadable)".to_owned() } else { side(differs.found.as_ref()) };
        let text = format!("{}: {} in the plan, {found} here", name(&differs.finding), side(differs.expected.as_ref()));
        page.paragraph(INDENT.saturating_mul(2), &text, Ink::Medium)?;
    }
    Ok(())
}

/// Writes the findings before and after, one line each.
fn write_changes(page: &mut Page<'_>, changes: &[Change], ink: Ink) -> io::Result<()> {
    let indent = INDENT.saturating_mul(2);
    let rest = page.width().saturating_sub(indent).saturating_sub(GAP.saturating_mul(2));
    let id = changes.iter().map(|change| label(change).chars().count()).max().unwrap_or(0).min(rest / 2);
    let half = rest.saturating_sub(id) / 2;
    page.row(indent, &[(id, ""), (half, "now"), (half, "then")], Ink::Dim)?;
    for change in changes {
        let cells = [(id, label(change)), (half, side(change.before.as_ref())), (half, side(change.after.as_ref()))];
        let cells: Vec<(usize, &str)> = cells.iter().map(|(width, text)| (*width, text.as_str())).collect();
        let ink = if change.severity == Severity::Info { Ink::Dim } else { ink };
        page.row(indent, &cells, ink)?;
    }
    Ok(())
}

fn label(change: &Change) -> String {
    let set = change.control_set.map_or(String::new(), |set| format!(" ({})", crate::control_set::key_name(set)));
    format!("{}{set}", name(&change.finding))
}

fn side(state: Option<&State>) -> String {
    match state {
        Some(State { observed: Some(observed), .. }) => value(observed),
        Some(State { verdict: VerdictKind::Unreadable, .. }) => "(unreadable)".to_owned(),
        Some(State { verdict: VerdictKind::NotAssessed, .. }) => "(not assessed)".to_owned(),
        Some(State { verdict: VerdictKind::Unexpected, .. }) => "(the key exists)".to_owned(),
        None | Some(_) => "(absent)".to_owned(),
    }
}

fn write_operations(page: &mut Page<'_>, operations: &[&Carried]) -> io::Result<()> {
    let indent = INDENT.saturating_mul(2);
    for carried in operations.iter().take(MOST_LISTED) {
        let hive = carried.hive.map_or(String::new(), |hive| format!("{hive}\\"));
        let what = match carried.op {
            "create-key" => "creates the key",
            "delete-key" => "deletes the key, with everything in it,",
            "set" => "sets",
            _ => "deletes",
        };
        let place = format!("{}, line {}: {what} {hive}{}", name(&carried.patch), carried.line, name(&carried.key));
        page.paragraph(indent, &place, Ink::Plain)?;
        if let Some(value_name) = &carried.value {
            let shown = if value_name.is_empty() { "(default)".to_owned() } else { name(value_name) };
            let side = |datum: Option<&_>| datum.map_or("(absent)".to_owned(), value);
            let before = if carried.hive.is_some() { side(carried.before.as_ref()) } else { "(not known)".to_owned() };
            let change = format!("{shown}: {before} -> {}", side(carried.after.as_ref()));
            page.paragraph(indent.saturating_add(INDENT), &change, Ink::Dim)?;
        }
    }
    match operations.len().saturating_sub(MOST_LISTED) {
        0 => Ok(()),
        more => page.paragraph(indent, &format!("and {more} more; --format json has them all"), Ink::Dim),
    }
}

/// Returns the last line.
fn verdict(verified: &Verified) -> (String, Ink) {
    let of = |outcome| verified.operations.iter().filter(|carried| carried.outcome == outcome).count();
    let (asked, idle) = (of(Outcome::AskedFor), of(Outcome::NoEffect));
    let other = verified.operations.len().saturating_sub(asked).saturating_sub(idle);
    let mut said = vec![format!("{} mended", verified.mended.len()), format!("{} left", verified.left.len())];
    if !verified.broken.is_empty() {
        said.push(format!("{} broken", verified.broken.len()));
    }
    said.push(format!("{} asked for", count(asked, "operation")));
    if idle > 0 {
        said.push(format!("{idle} without effect"));
    }
    if other > 0 {
        said.push(format!("{other} that no finding asked for"));
    }
    let said = said.join(", ");
    if verified.is_incomplete() {
        (format!("INCOMPLETE: {said}."), Ink::High)
    } else if verified.fails(Severity::Low) || verified.exceeds() || verified.meets_another_state() {
        (format!("{said}."), Ink::Medium)
    } else {
        (format!("{said}."), Ink::Good)
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
