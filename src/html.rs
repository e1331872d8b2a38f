//! The report as one HTML page, for its recipient and for a court. It shows every section of the case, on screen and on
//! paper, and works with a keyboard and a screen reader. It has no script and loads nothing.
//!
//! This module is declared below everything that it shows (plans, history, custody). The answer comes first, so the
//! page is written only after the summary exists. Then each installation's section is written from that installation,
//! its gaps, and its attachments, and released. Templates are compiled in (askama). Each text passes through
//! `text::Text` and HTML's own escaping.

use std::io::{self, Write};

use askama::Template;

use crate::case_facts::{CaseFacts, headers_of};
use crate::report::table::{Patching, Situation, fleet};
use crate::report::{Gathered, Gathering, Report};

mod alternatives;
mod attachments;
mod end;
mod evidence;
mod finding;
mod findings;
mod head;
mod hex;
mod installation;
mod machine;
mod patch;
mod text;
mod timeline;

pub use attachments::{Attached, Attachments, Hashed, PatchFolder};
use end::EndPart;
use evidence::EvidencePart;
use head::HeadPart;

/// A page that receives the records of a report.
pub struct Page<W: Write> {
    writer: W,
    attachments: Attachments,
    situation: Situation,
    report: Gathered,
}

impl<W: Write> Page<W> {
    /// Returns a page of which nothing is written yet.
    pub fn new(writer: W, attachments: Attachments, situation: Situation) -> Self {
        Self { writer, attachments, situation, report: Gathered::default() }
    }

    /// Receives the result of patching an installation.
    pub fn patching(&mut self, installation: &str, patching: Patching) {
        self.situation.patches.insert(installation.to_owned(), patching);
    }

    /// Receives a plan with the texts of its patch.
    pub fn attach(&mut self, folder: PatchFolder) {
        self.attachments.plans.push(folder);
    }
}

impl<W: Write> Gathering for Page<W> {
    fn gathered(&mut self) -> &mut Gathered {
        &mut self.report
    }

    fn write(&mut self, report: &Report) -> io::Result<()> {
        render(report, &self.attachments, &self.situation, &mut self.writer)
    }
}

/// Writes the report as a page.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(
    report: &Report,
    attachments: &Attachments,
    situation: &Situation,
    writer: &mut impl Write,
) -> io::Result<()> {
    let mut case: CaseFacts = attachments.case.clone();
    case.prefill(report.installations.iter().flat_map(headers_of));
    let standings = fleet::standings(report);
    let folded = standings.len() > fleet::FEW;
    write(writer, &HeadPart::of(report, &standings, &case))?;
    write(writer, &EvidencePart::of(report))?;
    let generations = &installation::generations(report);
    let is_alone = standings.len() == 1;
    for (number, standing) in (1_usize..).zip(&standings) {
        let Some(judgement) = &standing.installation.judgement else { continue };
        let section = installation::Section {
            standing,
            judgement,
            number,
            is_alone,
            folded,
            generations,
            attachments,
            situation,
        };
        section.write(writer)?;
    }
    write(writer, &EndPart::of(report, attachments, &case, situation))?;
    writer.flush()
}

/// Writes a part, and ends its last line.
fn write(writer: &mut impl Write, part: &impl Template) -> io::Result<()> {
    let text = part.render().map_err(io::Error::other)?;
    writer.write_all(text.trim_end().as_bytes())?;
    writer.write_all(b"\n")
}
