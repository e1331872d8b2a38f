//! Report as json.
#![allow(missing_docs)]
use super::Report;
use std::io::{self, Write};
pub fn render(report: &Report, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}
pub fn render_lines(report: &Report, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    render(report, out)
}
