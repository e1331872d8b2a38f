//! `report --fleet`: one page for the machines of any number of runs.

use std::path::PathBuf;

use hivemend::cli::{Format, ReportArgs};
use hivemend::error::Error;
use hivemend::fleet::{self, Fleet};
use hivemend::html::render_fleet;
use hivemend::report::escape::escape;

use super::{INCOMPLETE, gate, one_output, read_as_named, say, stated_facts};

/// The most remarks of one kind on stderr. The page has all.
const MOST_SAID: usize = 5;

/// Reads the lines and writes the page. The exit code says whether the lines are whole.
pub(super) fn page(args: &ReportArgs) -> Result<u8, Error> {
    if args.format != Format::Html {
        return Err(Error::Refused {
            reason: "--fleet writes an HTML page only".to_owned(),
            advice: "Leave out --format; DuckDB reads the lines into tables: integrations/fleet/schema.sql".to_owned(),
        });
    }
    let mut read = read_as_named(&args.reports);
    read.extend(args.case.case.clone());
    let gate = gate(one_output(&args.output), &read, None)?;
    let case = stated_facts(&args.case)?;
    let fleet = fleet::read(&args.reports)?;
    let outputs = gate.seal(read.iter().map(PathBuf::as_path))?;
    say_some(&fleet.what_is_missing());
    if !fleet.doubles.is_empty() {
        say(&format!("machines that are in the lines more than once, and count once: {}", fleet.doubles.len()));
    }
    outputs.output().write(|mut out| render_fleet(&fleet, &case, &mut out))?;
    Ok(exit_code(&fleet))
}

fn exit_code(fleet: &Fleet) -> u8 {
    if fleet.is_whole() { 0 } else { INCOMPLETE }
}

fn say_some(remarks: &[String]) {
    for remark in remarks.iter().take(MOST_SAID) {
        say(&escape(remark));
    }
    if let Some(more @ 1..) = remarks.len().checked_sub(MOST_SAID) {
        say(&format!("{more} more remarks on the lines: the page has them"));
    }
}
