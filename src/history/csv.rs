//! The history as CSV for spreadsheets: one line for each value in each column.

use std::io::{self, Write};

use super::changes::said;
use super::{History, Presence};
use crate::registry::hex;
use crate::report::sheet::Sheet;

/// Writes CSV (RFC 4180) with a header line: machine, hive, column, description of the column, and the value in it.
///
/// Text that a spreadsheet would read as a formula gets an apostrophe in front. Characters that would control a
/// terminal are escaped. `raw` always has the bytes.
///
/// # Errors
/// Returns the error of the writer.
pub fn render_csv(history: &History, writer: &mut impl Write) -> io::Result<()> {
    let columns = [
        "computer_name",
        "hive",
        "column",
        "label",
        "generation",
        "path",
        "view",
        "control_set",
        "marks",
        "hive_last_written",
        "hive_sha256",
        "os",
        "id",
        "key",
        "value",
        "state",
        "type",
        "data",
        "raw",
        "verdict",
        "key_last_written",
        "changed",
    ];
    let mut sheet = Sheet::new(writer, &columns)?;
    for machine in &history.machines {
        for hive in &machine.hives {
            for row in &hive.values {
                for (index, (cell, column)) in row.cells.iter().zip(&hive.columns).enumerate() {
                    let observed = cell.observed.as_ref();
                    let time =
                        |time: Option<crate::registry::FileTime>| time.map_or(String::new(), |time| time.to_string());
                    let state = match cell.state {
                        Presence::Present => "present",
                        Presence::Absent => "absent",
                        Presence::Unreadable => "unreadable",
                        Presence::NotAudited => "not-audited",
                    };
                    let changed = row.changes.iter().any(|change| change.from == index);
                    sheet.row([
                        machine.computer_name.clone().unwrap_or_default(),
                        hive.role.to_string(),
                        column.letter.clone(),
                        column.label.clone(),
                        column.generation.to_string(),
                        column.path.clone(),
                        if column.view == super::View::Replayed { "replayed" } else { "primary" }.to_owned(),
                        column.control_set.map_or(String::new(), |set| set.to_string()),
                        column.marks.join(" "),
                        time(column.last_written),
                        column.sha256.clone().unwrap_or_default(),
                        column.os.to_string(),
                        row.id.clone(),
                        row.key.clone(),
                        row.value.clone().unwrap_or_default(),
                        state.to_owned(),
                        observed.map_or(String::new(), |observed| observed.datum.data_type.to_string()),
                        observed.map_or(String::new(), |_| said(cell)),
                        observed.map_or(String::new(), |observed| hex(&observed.raw)),
                        cell.verdict.map_or("", crate::finding::VerdictKind::as_str).to_owned(),
                        time(cell.key_last_written),
                        if changed { "yes" } else { "" }.to_owned(),
                    ])?;
                }
            }
        }
    }
    sheet.flush()
}
