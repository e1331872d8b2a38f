//! The installations and their hives, if nothing was judged.

use std::io;

use super::heading::{problem, state_ink, version};
use super::page::{GAP, Ink, Page};
use super::{coverage, data, grouped, word};
use crate::report::{HiveReport, InstallationReport};

/// The width of `recovered`.
const STATE: usize = 9;
/// The width of `COMPONENTS`.
const ROLE: usize = 10;
/// The width of `1,234,567,890`, the size of a hive of over a gigabyte.
const SIZE: usize = 13;

pub(super) fn write(page: &mut Page<'_>, installations: &[InstallationReport]) -> io::Result<()> {
    if installations.is_empty() {
        return Ok(());
    }
    let fixed =
        [STATE, ROLE, SIZE].into_iter().fold(0, |sum: usize, width| sum.saturating_add(width).saturating_add(GAP));
    let rest = page.width().saturating_sub(fixed);
    page.row(0, &[(STATE, "state"), (ROLE, "role"), (SIZE, "         size"), (rest, "hive")], Ink::Plain)?;
    page.rule()?;
    for (index, installation) in installations.iter().enumerate() {
        if index > 0 {
            page.blank()?;
        }
        page.paragraph(0, &title(installation), Ink::Strong)?;
        for hive in &installation.hives {
            write_hive(page, hive, rest)?;
        }
    }
    page.blank()
}

/// Returns a line such as `mnt-WINDOWS-system32-config: live, Windows XP 5.1.2600, Service Pack 3`.
fn title(installation: &InstallationReport) -> String {
    let os = &installation.os;
    let mut title = format!("{}: {}, {}", data::prose(&installation.id), word(&installation.generation), os.name);
    if let Some(version) = version(os) {
        title = format!("{title} {version}");
    }
    for fact in [&os.service_pack, &os.architecture].into_iter().flatten() {
        title = format!("{title}, {}", data::prose(fact));
    }
    if os.is_uncertain() && os.baseline().is_some() {
        title.push_str(", uncertain");
    }
    title
}

fn write_hive(page: &mut Page<'_>, hive: &HiveReport, rest: usize) -> io::Result<()> {
    let state = word(&hive.integrity.state);
    let size = format!("{:>SIZE$}", grouped(hive.size));
    let cells = [(STATE, state.as_str()), (ROLE, hive.role.as_str()), (SIZE, &size), (rest, &data::prose(&hive.path))];
    page.row(0, &cells, state_ink(hive.integrity.state))?;
    if let Some(coverage) = &hive.integrity.coverage {
        coverage::write(page, STATE.saturating_add(GAP), ROLE, coverage)?;
    }
    for shown in &hive.integrity.problems {
        page.labelled(STATE.saturating_add(GAP), ROLE, "problem", &problem(shown), state_ink(hive.integrity.state))?;
    }
    Ok(())
}
