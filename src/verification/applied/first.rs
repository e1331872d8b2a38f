//! Finds the hives that a plan was made from.

use std::path::PathBuf;

use rayon::prelude::*;

use super::choice::Found;
use super::named;
use crate::discovery::Installation;
use crate::error::Error;
use crate::examination::{OpenInstallation, Options};
use crate::registry::Role;
use crate::remediation::Plan;
use crate::report::InstallationReport;
use crate::verification::edit_state::Places;
use crate::verification::{Asked, EditState};

/// Returns the installation whose hives have the plan's checksums and in which each value is as the plan found it.
pub(super) fn choose<'f>(
    plan: &Plan,
    found: &'f Found,
    before: &[PathBuf],
    options: &'f Options,
) -> Result<(OpenInstallation<'f>, InstallationReport), Error> {
    let refuse = |reason: String| Error::Refused {
        reason: format!("--before {}: {reason}", named(before)),
        advice: "Name the hives that the plan was made from, as they were then, with their transaction logs".to_owned(),
    };
    let compared: Vec<Result<(), Option<String>>> =
        found.installations.par_iter().map(|installation| is_of(plan, installation)).collect();
    let chosen = found.installations.iter().zip(&compared).find(|(_, compared)| compared.is_ok());
    let Some((installation, _)) = chosen else {
        let why = compared.into_iter().find_map(|compared| compared.err().flatten());
        let why = why.unwrap_or_else(|| "no SHA-256 in the plan, or no hive of it here".to_owned());
        return Err(refuse(format!("these are not the hives that the plan was made from: {why}")));
    };
    let open = OpenInstallation::open(installation, options);
    for role in [Role::Software, Role::System] {
        let Some(tree) = open.tree(role) else { continue };
        let mut places = Places::new(&tree);
        for edit in plan.edits.iter().filter(|edit| edit.hive == role) {
            if places.look(edit, Asked::Undone).state != EditState::NotApplied {
                return Err(refuse(format!(
                    "the {role} hive is the file that the plan was made from, but {} differs from the plan: its \
                     transaction logs are different",
                    edit.finding
                )));
            }
        }
    }
    let report = open.judge(None)?.report;
    Ok((open, report))
}

/// Checks that each hive of the plan that exists is exactly the planned file. The error states why not.
fn is_of(plan: &Plan, installation: &Installation) -> Result<(), Option<String>> {
    let mut is_any = false;
    for planned in &plan.hives {
        let Some((hive, sum)) = installation.hive(planned.role).zip(planned.sha256.as_ref()) else { continue };
        let found = hive.file.sha256().map_err(|error| Some(format!("{}: {error}", hive.locator)))?;
        if !found.eq_ignore_ascii_case(sum) {
            return Err(Some(format!("{} has SHA-256 {found}, but the plan has {sum}", hive.locator)));
        }
        is_any = true;
    }
    if is_any { Ok(()) } else { Err(None) }
}
