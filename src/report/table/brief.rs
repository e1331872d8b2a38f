//! The first lines of an installation: the machine, the answer, and whether it is complete.

use std::io;

use super::page::{Ink, Page};
use super::{count, data, gaps, grades, word};
use crate::report::{InstallationReport, Judgement};

/// Writes the head: the Windows and the computer, and below that the path of the hives.
pub(super) fn write_head(page: &mut Page<'_>, installation: &InstallationReport) -> io::Result<()> {
    page.paragraph(0, &windows_and_computer(installation), Ink::Strong)?;
    page.paragraph(0, &where_it_lies(installation), Ink::Dim)
}

/// Returns the path and the generation: `mnt/WINDOWS/system32/config (live)`.
pub(crate) fn where_it_lies(installation: &InstallationReport) -> String {
    let place = format!("{} ({})", data::prose(&installation.evidence), word(&installation.generation));
    match &installation.label {
        Some(label) if !installation.evidence.starts_with(label) => format!("{}: {place}", data::name(label)),
        _ => place,
    }
}

/// Writes the answer, and below that how complete it is.
pub(super) fn write_answer(
    page: &mut Page<'_>,
    installation: &InstallationReport,
    judgement: &Judgement,
) -> io::Result<()> {
    if let Some(answer) = answer(judgement) {
        page.paragraph(0, &answer, Ink::Strong)?;
    }
    write_completeness(page, installation, judgement)
}

/// Returns the answer for people; `None` if there is none.
pub(crate) fn answer(judgement: &Judgement) -> Option<String> {
    let answer = judgement.answer.as_deref().map(crate::answer::without_counts).filter(|text| !text.is_empty())?;
    Some(data::short_times(&data::prose(answer)))
}

/// Returns a line such as `Windows 7 (Professional, Service Pack 1) on FRONTDESK-04`.
pub(crate) fn windows_and_computer(installation: &InstallationReport) -> String {
    let os = &installation.os;
    let mut facts: Vec<String> =
        [&os.edition, &os.service_pack].into_iter().flatten().map(|fact| data::name(fact)).collect();
    if os.forced {
        facts.push("given with --os".to_owned());
    } else if os.is_uncertain() && os.baseline().is_some() {
        facts.push("uncertain".to_owned());
    }
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    let computer = installation
        .machine
        .computer_name
        .as_deref()
        .map_or_else(|| "a computer of unknown name".to_owned(), data::name);
    format!("{}{facts} on {computer}", os.name)
}

fn write_completeness(page: &mut Page<'_>, installation: &InstallationReport, judgement: &Judgement) -> io::Result<()> {
    let gaps = &installation.gaps;
    let line = completeness(installation, judgement, gaps.is_empty());
    if !installation.generation.is_current() || gaps.is_empty() {
        return page.paragraph(0, &line, Ink::Plain);
    }
    page.paragraph(0, &line, Ink::High)?;
    gaps::write(page, gaps)
}

/// Returns how much was assessed, and whether that is everything. If not, the gaps follow.
pub(crate) fn completeness(installation: &InstallationReport, judgement: &Judgement, complete: bool) -> String {
    let counts = &judgement.counts;
    let assessed = format!("{} assessed", count(counts.assessed, "expectation"));
    let assessed = if counts.assessed == 0 { assessed } else { format!("{assessed} ({})", grades(counts)) };
    if !installation.generation.is_current() {
        return format!("Older generation: {assessed}; its gaps and findings do not change the exit code.");
    }
    if complete { format!("Complete: {assessed}.") } else { format!("INCOMPLETE: {assessed}. What is missing:") }
}
