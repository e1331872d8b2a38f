//! `verify`.

use std::path::PathBuf;

use clap::Args;

use super::choices::{ImporterArg, ListFormat, TargetArg};
use super::groups::{HashArgs, MessageArgs, OutputArgs, ReadingArgs};
use super::words::{fail_on, os_id};
use crate::control_set::Choice;
use crate::error::Error;
use crate::finding::Severity;
use crate::os::OsId;
use crate::reg_file::CodePage;
use crate::verification::Importing;

const UNKNOWN_WITHOUT_HASH: &str = "Do not hash the hives; whether a patch was made for them is then unknown";
const HASH_IF_APPLIED: &str =
    "Report these hashes of the hives, separated by commas; needs --applied [default: sha256]";
const HASH_IF_APPLIED_LONG: &str = "Report these hashes of the hives, separated by commas; needs --applied [default: \
                                    sha256]\n\nThe comparison with the plan uses SHA-256, which is always computed.";

/// `verify`.
#[derive(Debug, Args)]
#[command(mut_arg("no_hash", |no_hash| no_hash.help(UNKNOWN_WITHOUT_HASH)))]
// Only that comparison reports the hives' own hashes.
#[command(mut_arg("hash", |hash| hash.requires("applied").help(HASH_IF_APPLIED).long_help(HASH_IF_APPLIED_LONG)))]
pub struct VerifyArgs {
    /// The .reg files in the order of their import, then the evidence; with --applied only the evidence
    #[arg(required = true, num_args = 1.., value_name = "PATCH.reg... EVIDENCE")]
    pub paths: Vec<PathBuf>,
    /// Check whether the patch of this plan.json was imported, and whether anything else changed
    #[arg(long, value_name = "PLAN", help_heading = "Was it imported?", conflicts_with_all = ["plan", "importer",
        "code_page", "target", "software_root", "system_root", "fail_on", "control_set"])]
    pub applied: Option<PathBuf>,
    /// Check whether the rollback was imported after the patch: each value is as before
    #[arg(long, requires = "applied", help_heading = "Was it imported?")]
    pub undone: bool,
    /// Compare every key and value with the hives in this evidence, from which the plan was made
    ///
    /// Repeat the option to name two hives. Without it, only what the plan names is compared.
    #[arg(long, value_name = "EVIDENCE", requires = "applied", help_heading = "Was it imported?")]
    pub before: Vec<PathBuf>,
    /// Compare with this plan.json if the hive is not the one that was patched [default: beside the file]
    #[arg(long, value_name = "PLAN", help_heading = "Import")]
    pub plan: Option<PathBuf>,
    /// Import as this program does [default: as the header of the patch says, else regedit]
    #[arg(long, value_enum, help_heading = "Import")]
    pub importer: Option<ImporterArg>,
    /// Read files of 8-bit text in this ANSI code page [default: 1252, with a warning]
    #[arg(long, value_name = "N", help_heading = "Import")]
    pub code_page: Option<CodePage>,
    /// Import into the hive or into a running Windows [default: as the header of the patch says, else live]
    ///
    /// In a running Windows CurrentControlSet is a link; in a hive it is a name like any other. hivexregedit imports into
    /// a hive.
    #[arg(long, value_enum, help_heading = "Import")]
    pub target: Option<TargetArg>,
    /// Name the key under which the importer loads the SOFTWARE hive
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SOFTWARE", help_heading = "Import")]
    pub software_root: String,
    /// Name the key under which the importer loads the SYSTEM hive
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SYSTEM", help_heading = "Import")]
    pub system_root: String,
    /// Treat the installation as this Windows instead of detecting it
    #[arg(long, value_name = "ID", value_parser = os_id, help_heading = "What is checked")]
    pub os: Option<OsId>,
    /// Check these control sets: current, all, or a number
    ///
    /// With current, the set that the next start uses is checked too, where it differs.
    #[arg(long, value_name = "WHICH", default_value = "current", help_heading = "What is checked")]
    pub control_set: Choice,
    #[command(flatten, next_help_heading = "What is checked")]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub hashing: HashArgs,
    /// Print the comparison in this form
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: ListFormat,
    /// Exit with 1 if any finding left has at least this severity
    #[arg(long, value_enum, default_value = "low", value_parser = fail_on(), help_heading = "Output")]
    pub fail_on: Severity,
    /// Exit with 0 whatever was found, for pipelines
    #[arg(long, help_heading = "Output")]
    pub exit_zero: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub output: OutputArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub reading: ReadingArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub messages: MessageArgs,
}

impl VerifyArgs {
    /// Returns how `--importer`, `--target`, and `--code-page` say that a file is imported.
    ///
    /// # Errors
    /// Returns an error if hivexregedit should import into a running Windows.
    pub fn importing(&self) -> Result<Importing, Error> {
        if (self.importer, self.target) == (Some(ImporterArg::Hivexregedit), Some(TargetArg::Live)) {
            return Err(Error::Refused {
                reason: "--target live with --importer hivexregedit: it writes to a hive, not to a running Windows"
                    .to_owned(),
                advice: "Leave --target out, or use --importer regedit".to_owned(),
            });
        }
        Ok(Importing {
            importer: self.importer.map(Into::into),
            target: self.target.map(Into::into),
            code_page: self.code_page,
        })
    }
}
