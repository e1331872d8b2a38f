//! The report as one HTML page, for its recipient and for a court. It shows every section of the case, on screen and on
//! paper, and works with a keyboard and a screen reader. It has no script and loads nothing.
//!
//! This module is declared below everything that it shows (plans, history, custody). The answer comes first, so the
//! page is written only after the summary exists; until then only a line of each installation stays in memory. Then
//! each installation's section is written from that installation, its gaps, and its attachments, and released. Templates are compiled in (askama). Each text passes through
//! `text::Text` and HTML's own escaping.

use std::io::{self, Write};

use askama::Template;

use crate::case_facts::{CaseFacts, Headers};
use crate::report::table::{Patching, Situation, fleet};
use crate::report::{Aside, Gathered, Gathering, InstallationReport, Report};

mod alternatives;
mod attachments;
mod end;
mod evidence;
mod finding;
mod findings;
mod fleet_page;
mod head;
mod hex;
mod installation;
mod machine;
mod patch;
mod text;
mod timeline;

pub use attachments::{Attached, Attachments, Hashed, PatchFolder, Plans};
use end::EndPart;
use evidence::EvidencePart;
pub use fleet_page::render as render_fleet;
use head::HeadPart;

/// A page that receives the records of a report.
pub struct Page<W: Write> {
    writer: W,
    attachments: Attachments,
    situation: Situation,
    report: Gathered,
    aside: Aside,
    headers: Headers,
}

impl<W: Write> Page<W> {
    /// Returns a page of which nothing is written yet.
    pub fn new(writer: W, attachments: Attachments, situation: Situation) -> Self {
        Self {
            writer,
            attachments,
            situation,
            report: Gathered::default(),
            aside: Aside::default(),
            headers: Headers::default(),
        }
    }

    /// Receives the result of patching an installation.
    pub fn patching(&mut self, installation: &str, patching: Patching) {
        self.situation.patches.insert(installation.to_owned(), patching);
    }

    /// Receives a plan with the texts of its patch.
    ///
    /// # Errors
    /// The plan cannot be put aside in a temporary file.
    pub fn attach(&mut self, folder: &PatchFolder) -> io::Result<()> {
        self.attachments.plans.put(folder)
    }
}

impl<W: Write> Gathering for Page<W> {
    fn gathered(&mut self) -> (&mut Gathered, &mut Aside) {
        (&mut self.report, &mut self.aside)
    }

    fn see(&mut self, installation: &InstallationReport) {
        self.headers.see(installation);
    }

    fn write(&mut self, lines: &Report) -> io::Result<()> {
        let Self { writer, attachments, situation, aside, headers, .. } = self;
        let mut case: CaseFacts = attachments.case.clone();
        case.prefill(headers);
        let standings = fleet::standings(lines);
        let folded = standings.len() > fleet::FEW;
        write(writer, &HeadPart::of(lines, &standings, &case))?;
        write(writer, &EvidencePart::of(lines))?;
        let generations = &installation::generations(lines);
        let is_alone = standings.len() == 1;
        for (number, line) in (1_usize..).zip(&standings) {
            let installation = aside.installation(line.place)?;
            let (Some(standing), Some(judgement)) =
                (fleet::Standing::of(line.place, &installation), &installation.judgement)
            else {
                continue;
            };
            let history = attachments.history.as_ref();
            let history =
                history.and_then(|history| installation::machine_of(&history.document.machines, &installation));
            let plan = attachments.plans.of(&installation)?;
            let section = installation::Section {
                standing: &standing,
                judgement,
                number,
                is_alone,
                folded,
                generations,
                history,
                folder: plan.as_ref(),
                situation,
            };
            section.write(writer)?;
        }
        write(writer, &EndPart::of(lines, attachments, &case, situation))?;
        writer.flush()
    }
}

/// Writes a part, and ends its last line.
fn write(writer: &mut impl Write, part: &impl Template) -> io::Result<()> {
    let text = part.render().map_err(io::Error::other)?;
    writer.write_all(text.trim_end().as_bytes())?;
    writer.write_all(b"\n")
}
