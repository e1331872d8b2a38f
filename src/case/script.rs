//! `audit --script`: writes the script beside a patch.

use crate::discovery::Installation;
use crate::examination::Options;
use crate::handover::{Marks, SCRIPT, write_script};
use crate::remediation::{PatchFile, Plan};
use crate::report::InstallationReport;
use crate::verification::prove;

/// Name and bytes of each file.
type Files = Vec<(String, Vec<u8>)>;

/// Returns the script and its own `.reg` files, after the proof; empty if no script is possible. Adds that reason, and
/// the edits that the script omits, to the plan. The patch is written anyway.
pub(super) fn script(
    plan: &mut Plan,
    installation: &InstallationReport,
    found: &Installation,
    examined: &Options,
) -> Files {
    if plan.edits.is_empty() {
        return Files::new();
    }
    let current = installation.control_sets.as_ref().and_then(|sets| sets.current);
    let marks = Marks::read(found, examined, current);
    let written = write_script(plan, installation, &marks).and_then(|script| {
        let proven = prove(found, examined, &script.plan, &script.files, &script.options);
        proven.map(|_| script).map_err(|error| error.to_string())
    });
    match written {
        Ok(script) => {
            plan.warnings.extend(script.left.iter().map(|left| {
                format!("{SCRIPT} leaves out {}: {}. Import the .reg file for this finding.", left.finding, left.reason)
            }));
            let files = script.files.into_iter().map(|PatchFile { name, bytes, .. }| (name, bytes));
            std::iter::once((SCRIPT.to_owned(), script.text)).chain(files).collect()
        }
        Err(reason) => {
            plan.warnings.push(format!("{SCRIPT} was not written: {reason}."));
            Files::new()
        }
    }
}
