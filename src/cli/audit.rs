//! `audit`.

use std::path::PathBuf;

use clap::Args;

use super::choices::{DialectArg, Format, Generations, ScriptArg, TargetArg};
use super::groups::EvidenceArgs;
use super::words::{fail_on, os_id};
use crate::baseline::Profile;
use crate::control_set::Choice;
use crate::error::Error;
use crate::finding::{Grade, Severity};
use crate::os::OsId;
use crate::reg_file::{CodePage, Dialect};

/// `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Treat the installation as this Windows instead of detecting it; needs --force to patch
    #[arg(long, value_name = "ID", value_parser = os_id, help_heading = "What is checked")]
    pub os: Option<OsId>,
    /// Check only these profiles [default: all]
    #[arg(long, value_enum, value_name = "NAME", num_args = 1.., value_delimiter = ',', hide_default_value = true,
        default_values_t = Profile::ALL, help_heading = "What is checked")]
    pub profile: Vec<Profile>,
    /// Judge by these baseline files instead of the built-in ones, whatever the Windows is
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "extend", help_heading = "What is checked")]
    pub baseline: Vec<PathBuf>,
    /// Judge by these baseline files beside the built-in ones
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "What is checked")]
    pub extend: Vec<PathBuf>,
    /// Check these control sets: current, all, or a number
    ///
    /// With current, the set that the next start uses is checked too, where it differs.
    #[arg(long, value_name = "WHICH", default_value = "current", help_heading = "What is checked")]
    pub control_set: Choice,
    /// Judge live installations and copies, or every generation
    #[arg(long, value_enum, default_value_t, help_heading = "What is checked")]
    pub generations: Generations,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub patching: PatchArgs,
    /// Print the report in this form
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: Format,
    /// Report findings that conform too; the table then has all details
    #[arg(long, help_heading = "Output")]
    pub all: bool,
    /// Report where in the file each key, value and its data lie, and which log entry wrote them
    #[arg(long, help_heading = "Output")]
    pub locations: bool,
    /// Exit with 1 if any finding has at least this severity
    #[arg(long, value_enum, default_value = "low", value_parser = fail_on(), help_heading = "Output")]
    pub fail_on: Severity,
    /// The evidence, and what is done with the result.
    #[command(flatten)]
    pub common: EvidenceArgs,
}

/// What is patched, and for whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Patch")]
pub struct PatchArgs {
    /// Write the correcting .reg files, their rollback, IMPORT.txt and plan.json into this folder
    #[arg(long, value_name = "DIR")]
    pub patch: Option<PathBuf>,
    /// Patch only findings whose expectation has at least this grade
    #[arg(long, value_enum, default_value = "single-source", requires = "patch")]
    pub min_grade: Grade,
    /// Patch only these findings, including `info` ones
    #[arg(long, value_name = "ID", num_args = 1.., requires = "patch")]
    pub only: Vec<String>,
    /// Do not patch these findings
    #[arg(long, value_name = "ID", num_args = 1.., requires = "patch")]
    pub skip: Vec<String>,
    /// Patch although the Windows was given with --os, not detected
    #[arg(long, requires = "patch")]
    pub force: bool,
    /// Patch although a hive is dirty
    #[arg(long, requires = "patch")]
    pub accept_dirty: bool,
    /// Write the patch for this importer
    #[arg(long, value_enum, default_value_t, requires = "patch")]
    pub dialect: DialectArg,
    /// Write a patch of --dialect regedit4 in this ANSI code page [default: 1252]
    #[arg(long, value_name = "N", requires = "patch")]
    pub code_page: Option<CodePage>,
    /// Write the patch for the hive (ControlSetNNN) or for the running Windows (CurrentControlSet)
    #[arg(long, value_enum, default_value_t, requires = "patch")]
    pub target: TargetArg,
    /// Write a script that imports the patch into an offline Windows, with guards
    #[arg(long, value_enum, requires = "patch")]
    pub script: Option<ScriptArg>,
    /// Name the key under which the importer loads the SOFTWARE hive
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SOFTWARE", requires = "patch")]
    pub software_root: String,
    /// Name the key under which the importer loads the SYSTEM hive
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SYSTEM", requires = "patch")]
    pub system_root: String,
}

impl PatchArgs {
    /// Returns the dialect that `--dialect` and `--code-page` choose.
    ///
    /// # Errors
    /// Returns an error if a code page is set for a dialect without one, or if hivexregedit should import into a
    /// running Windows.
    pub fn dialect(&self) -> Result<Dialect, Error> {
        match (self.dialect, self.code_page) {
            (DialectArg::Regedit4, page) => Ok(Dialect::Regedit4(page.unwrap_or_default())),
            (DialectArg::Hivex, _) if self.target == TargetArg::Live => Err(Error::Refused {
                reason: "--target live with --dialect hivex: hivexregedit writes to a hive, not to a running Windows"
                    .to_owned(),
                advice: "Use --target offline, or --dialect regedit5".to_owned(),
            }),
            (DialectArg::Regedit5, None) => Ok(Dialect::Regedit5),
            (DialectArg::Hivex, None) => Ok(Dialect::Hivex),
            (_, Some(page)) => Err(Error::Usage {
                option: "--code-page",
                found: page.to_string(),
                expected: "Only --dialect regedit4 writes text in a code page; the others write Unicode".to_owned(),
            }),
        }
    }
}
