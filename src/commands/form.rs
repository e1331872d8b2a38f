//! The format of a report whose records are received one by one.

use std::io::{self, Write};

use hivemend::cli::Format;
use hivemend::html::{self, Attachments, PatchFolder};
use hivemend::report::table::{Patching, Situation, Style};
use hivemend::report::{InstallationReport, Renderer, csv, ecs, json, jsonl, markdown, sarif, table, timesketch};

/// A renderer, with the data that it receives beside the records.
pub(super) enum Form<'w> {
    Table(Box<table::Tables<Box<dyn Write + 'w>>>),
    Html(Box<html::Page<Box<dyn Write + 'w>>>),
    Other(Box<dyn Renderer + 'w>),
}

impl<'w> Form<'w> {
    /// Returns the form of that format. `attachments` are shown on a page only.
    pub(super) fn new(
        format: Format,
        style: Style,
        situation: Situation,
        attachments: Attachments,
        out: impl Write + 'w,
    ) -> Self {
        match format {
            Format::Table => Self::Table(Box::new(table::Tables::new(Box::new(out), style, situation))),
            Format::Html => Self::Html(Box::new(html::Page::new(Box::new(out), attachments, situation))),
            Format::Json => Self::Other(Box::new(json::Document::new(out))),
            Format::Jsonl => Self::Other(Box::new(jsonl::Lines::new(out))),
            Format::Csv => Self::Other(Box::new(csv::Rows::new(out))),
            Format::Markdown => Self::Other(Box::new(markdown::Page::new(out))),
            Format::Sarif => Self::Other(Box::new(sarif::Log::new(out))),
            Format::Timesketch => Self::Other(Box::new(timesketch::Events::new(out))),
            Format::Ecs => Self::Other(Box::new(ecs::Documents::new(out))),
        }
    }

    /// Returns the renderer, which takes the records.
    pub(super) fn renderer(&mut self) -> &mut (dyn Renderer + 'w) {
        match self {
            Self::Table(tables) => tables.as_mut(),
            Self::Html(page) => page.as_mut(),
            Self::Other(other) => other.as_mut(),
        }
    }

    /// Receives the result of patching an installation.
    pub(super) fn patching(&mut self, installation: &str, patching: Patching) {
        match self {
            Self::Table(tables) => tables.patching(installation, patching),
            Self::Html(page) => page.patching(installation, patching),
            Self::Other(_) => {}
        }
    }

    /// Receives a plan with the texts of its patch. Only a page shows them.
    pub(super) fn attach(&mut self, folder: impl FnOnce() -> PatchFolder) -> io::Result<()> {
        match self {
            Self::Html(page) => page.attach(&folder()),
            Self::Table(_) | Self::Other(_) => Ok(()),
        }
    }

    /// Returns whether this is a table, which is not written if there is no hive: the error says more.
    pub(super) fn is_table(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    /// Returns whether the form writes this installation as soon as it receives it.
    pub(super) fn writes_at_once(&self, installation: &InstallationReport) -> bool {
        match self {
            Self::Table(_) => installation.judgement.is_some(),
            Self::Html(_) => false,
            Self::Other(_) => true,
        }
    }

    /// Renders a whole report.
    pub(super) fn render(&mut self, report: &hivemend::report::Report) -> io::Result<()> {
        report.render(self.renderer())
    }
}
