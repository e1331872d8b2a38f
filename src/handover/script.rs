//! `winre.cmd`: a script that imports a patch into an offline Windows, with guards.
//!
//! The script imports `.reg` files of its own, which name the keys where it loads the hives. `reg add` would need every
//! datum on a command line. A `.reg` file can contain any bytes and, like every patch, is proven in memory before it is
//! written. Command lines contain only names and data that [`check`] allows.

use super::marks::{Mark, Marks};
use crate::finding::ObservedDatum;
use crate::reg_file::Dialect;
use crate::registry::Role;
use crate::remediation::{Left, PatchFile, PatchOptions, Plan, Target, patch_files};
use crate::report::InstallationReport;
use check::Check;

mod check;

/// The script's name in the folder of the patch.
pub const NAME: &str = "winre.cmd";
/// The prefix of the names of its `.reg` files.
const PREFIX: &str = "winre-";
/// The prefix of the keys below `HKEY_LOCAL_MACHINE` where the script loads the hives.
const LOADED: &str = "hivemend-";
/// The template of the script. Lines that begin with `::` are replaced.
const FRAME: &str = include_str!("script/winre.cmd");

/// The hives, in the order in which the script loads them.
const HIVES: [Role; 2] = [Role::Software, Role::System];

/// A script and its files.
#[derive(Debug)]
pub struct Script {
    /// The edits that the script applies.
    pub plan: Plan,
    /// The options that its `.reg` files are written with.
    pub options: PatchOptions,
    /// Its `.reg` files, which have to be proven.
    pub files: Vec<PatchFile>,
    /// The edits that the script omits, and why.
    pub left: Vec<Left>,
    /// The script: ASCII, CRLF.
    pub text: Vec<u8>,
}

/// Writes a script for a plan.
///
/// # Errors
/// Returns the reason if no script is possible. This does not affect the patch itself.
pub fn write_script(plan: &Plan, report: &InstallationReport, marks: &Marks) -> Result<Script, String> {
    for role in HIVES {
        if !report.hives.iter().any(|hive| hive.role == role) {
            return Err(format!("there is no {role} hive, by which the script would recognise the Windows"));
        }
    }
    let recognised = recognised(marks)?;
    let (mut before, mut after, mut left) = (Vec::new(), Vec::new(), Vec::new());
    let mut plan = plan.clone();
    plan.edits.retain(|edit| {
        let check = |state: Option<&ObservedDatum>| {
            let value = state.map(ObservedDatum::value);
            Check::new(key_of(edit.hive, &edit.key), &edit.value, value.as_ref())
        };
        match check(edit.before.as_ref()).and_then(|first| Ok((first, check(edit.after.as_ref())?))) {
            Ok((first, then)) => {
                before.push(first);
                after.push(then);
                true
            }
            Err(reason) => {
                left.push(Left { finding: edit.finding.clone(), control_set: edit.control_set, reason });
                false
            }
        }
    });
    if plan.edits.is_empty() {
        let reasons: Vec<String> = left.iter().map(|left| format!("{}: {}", left.finding, left.reason)).collect();
        return Err(format!("no edit can be written into the script: {}", reasons.join("; ")));
    }
    let root = |role: Role| format!(r"HKEY_LOCAL_MACHINE\{LOADED}{role}");
    let options = PatchOptions {
        dialect: Dialect::Regedit5,
        target: Target::Offline,
        software_root: root(Role::Software),
        system_root: root(Role::System),
    };
    let mut files = patch_files(&plan, &options).map_err(|refusal| refusal.to_string())?;
    for file in &mut files {
        file.name = format!("{PREFIX}{}", file.name);
    }
    let text = fill(&plan, report, &recognised, &before, &after);
    Ok(Script { plan, options, files, left, text })
}

/// Returns the checks that recognise the Windows: at least its version and build.
fn recognised(marks: &Marks) -> Result<Vec<Check>, String> {
    let check = |mark: &Mark| Check::new(key_of(mark.hive, &mark.key), mark.name, Some(&mark.value));
    let has = |name: &str| marks.0.iter().any(|mark| mark.name == name && check(mark).is_ok());
    if !has("CurrentVersion") || !(has("CurrentBuild") || has("CurrentBuildNumber")) || !has("Current") {
        return Err("version, build or control set cannot be read from the hives, or cannot be compared".to_owned());
    }
    // A script cannot contain some names of products and computers. The other checks still recognise the Windows.
    Ok(marks.0.iter().filter_map(|mark| check(mark).ok()).collect())
}

fn key_of(role: Role, key: &str) -> String {
    format!(r"HKLM\{LOADED}{role}\{key}")
}

/// Returns the template filled in for this patch.
fn fill(plan: &Plan, report: &InstallationReport, recognised: &[Check], before: &[Check], after: &[Check]) -> Vec<u8> {
    let mut script = Vec::new();
    let checks = |script: &mut Vec<String>, checks: &[Check]| checks.iter().for_each(|check| check.write(script));
    let edited = |role: Role| plan.edits.iter().any(|edit| edit.hive == role);
    let stems = || HIVES.into_iter().filter(|role| edited(*role)).map(|role| format!("{PREFIX}{role}"));
    for line in FRAME.lines() {
        match line {
            ":: head" => {
                script.push(format!("rem Written by hivemend {}, for {}.", env!("CARGO_PKG_VERSION"), plan.os));
                for hive in &plan.hives {
                    let sum = hive.sha256.as_deref().unwrap_or("not computed");
                    script.push(format!("rem {} hive, SHA-256 {sum}", hive.role));
                }
            }
            ":: config" => script.push(format!("set \"CONFIG={}\"", super::config_folder(report))),
            ":: files" => {
                let both = stems().flat_map(|stem| [format!("{stem}.reg"), format!("{stem}.rollback.reg")]);
                script.extend(both.map(|file| format!("if not exist \"%HERE%{file}\" set \"WHY=missing: {file}\"")));
            }
            ":: recognise" => checks(&mut script, recognised),
            ":: before" => checks(&mut script, before),
            ":: after" => checks(&mut script, after),
            ":: import" => script.extend(stems().map(|stem| format!("call :import {stem}.reg"))),
            ":: roll back" => script.extend(stems().map(|stem| format!("call :import {stem}.rollback.reg"))),
            line => script.push(line.to_owned()),
        }
    }
    let mut text = script.join("\r\n");
    text.push_str("\r\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_frame_is_known() {
        let places: Vec<&str> = FRAME.lines().filter(|line| line.starts_with("::")).collect();
        let known =
            [":: head", ":: config", ":: files", ":: recognise", ":: before", ":: after", ":: import", ":: roll back"];
        assert!(known.iter().all(|known| places.contains(known)) && places.len() == known.len(), "{places:?}");
        assert!(FRAME.is_ascii() && !FRAME.contains('\r'));
    }
}
