//! Report as table.
#![allow(missing_docs)]
use super::Report;
use std::io::{self, Write};
pub struct Style {
    pub width: Option<u16>,
    pub color: bool,
    pub all: bool,
}
pub fn terminal_width() -> Option<u16> {
    None
}
pub fn render(report: &Report, _style: &Style, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    super::json::render(report, out)
}
