//! The command line, as clap has it. No behaviour.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum as _};

use crate::baseline::Profile;
use crate::control_set::Choice;
use crate::error::Error;
use crate::finding::{Grade, Severity};
use crate::os::OsId;
use crate::reg_file::{CodePage, Dialect};
use crate::verification::Importing;

mod choices;

pub use choices::{
    Color, DialectArg, FindFormat, Format, Generations, HistoryFormat, ImporterArg, LintImporterArg, ListFormat,
    Progress, ScriptArg, ShowFormat, TargetArg,
};

/// Reads Windows SOFTWARE and SYSTEM hives offline, judges SensLogn, BITS, SENS and what they depend on against what
/// that Windows should have, and writes the .reg file that puts it right and the one that takes it back.
///
/// Evidence is never written to. Results go to stdout, everything else to stderr.
#[derive(Debug, Parser)]
#[command(version, long_version = LONG_VERSION, about, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The version, and how old the list of Windows is.
const LONG_VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), "\nWindows releases and builds as of ", env!("HIVEMEND_RELEASES_AS_OF"));

/// The exit codes, as the help shows them.
const EXIT_CODES: &str = "\
Exit codes:
  0  all that this evidence can tell was assessed, and nothing stands at or above --fail-on
  1  assessed completely, and something does
  2  nothing could be done: wrong usage, no such file, no hive found, a refusal
  3  incomplete: something that should have been assessed could not be; the report holds the rest";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the Windows installations in the evidence, audit each, report; with --patch write what puts them right
    Audit(Box<AuditArgs>),
    /// List the hives that are there: installation, role, generation, integrity, Windows
    Find(FindArgs),
    /// Trace each audited value through every generation and control set: when did it change?
    History(HistoryArgs),
    /// Print a key of a hive as regedit would export it, as JSON or as a table
    Show(ShowArgs),
    /// Say what regedit would do with .reg files, line by line, and what it would silently drop
    Lint(LintArgs),
    /// Apply .reg files to the evidence in memory and audit what results; nothing is written. With --applied, check
    /// whether a patch was imported
    Verify(Box<VerifyArgs>),
    /// Print saved JSON reports in another form; no evidence is needed
    Report(ReportArgs),
    /// Explain one expectation: what, why, who says so, and how to look by hand
    Explain {
        /// The id of a finding, a key or a step, as `audit` prints it
        id: String,
        /// Look it up in these baseline files too
        #[arg(long, value_name = "FILE", num_args = 1..)]
        baseline: Vec<PathBuf>,
    },
    /// Show what each Windows should have, why, and who says so
    Baseline {
        /// What of it.
        #[command(subcommand)]
        command: BaselineCommand,
    },
    /// Print the JSON Schema of the report
    Schema,
}

/// The commands on baselines.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Every Windows that there is a baseline for, and how sure its expectations are
    List {
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Print one whole baseline: each row with its source, its grade and the file that states it
    Show {
        /// The id, as `baseline list` prints it, or a baseline file
        #[arg(value_name = "ID|FILE")]
        id: String,
    },
    /// Check baseline files: what is wrong, where, and which name was meant
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Write a baseline of what keys hold in hives that are known to be good
    Learn(LearnArgs),
}

/// `baseline learn`.
#[derive(Debug, Args)]
pub struct LearnArgs {
    /// The hives, all SOFTWARE or all SYSTEM; what they agree on is expected, what varies is accepted
    #[arg(required = true, value_name = "HIVE")]
    pub hives: Vec<PathBuf>,
    /// Learn this key, named from the hive's root; CurrentControlSet stands for the set that Select names
    #[arg(long, required = true, num_args = 1.., value_name = "KEY")]
    pub key: Vec<String>,
    /// Learn all keys below it too
    #[arg(long, short)]
    pub recursive: bool,
    /// Write to this file, whole or not at all, instead of stdout (-); devices and pipes are written into
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files
    #[arg(long)]
    pub overwrite: bool,
}

/// How containers are opened, and how far.
#[derive(Debug, Args)]
pub struct UnpackingArgs {
    /// Read the password of encrypted archives from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Read keys of BitLocker volumes from this file, one a line: a recovery password, a password, or the path of a .BEK
    /// file; a volume's identifier and a colon in front bind a key to that volume
    #[arg(long, value_name = "FILE")]
    pub recovery_key_file: Option<PathBuf>,
    /// Read each disk image whole, and compare it with the hash that it holds
    #[arg(long)]
    pub verify_image: bool,
    /// Search volumes only in the places where Windows keeps hives
    #[arg(long)]
    pub places: bool,
    /// Take at most this many bytes out of containers in the whole run [default: grows with the evidence]
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<u64>,
    /// Look at most at this many sources: containers, volumes, hives [default: grows with the evidence]
    #[arg(long, value_name = "N")]
    pub max_sources: Option<u64>,
    /// Examine at most this many installations [default: grows with the evidence]
    #[arg(long, value_name = "N")]
    pub max_installations: Option<u64>,
    /// Open containers for at most this many seconds in all [default: grows with the evidence]
    #[arg(long, value_name = "N")]
    pub max_seconds: Option<u64>,
}

/// The facts of the case, for the HTML report and the custody record.
#[derive(Debug, Args)]
pub struct CaseArgs {
    /// Read the facts of the case from this file: number, exhibit, examiner, agency, request, notes (TOML)
    #[arg(long, value_name = "FILE.toml")]
    pub case: Option<PathBuf>,
    /// Who examines, whatever the file says [default: as the header of the disk image says]
    #[arg(long, value_name = "NAME")]
    pub examiner: Option<String>,
    /// The number of the case, whatever the file says [default: as the header of the disk image says]
    #[arg(long, value_name = "TEXT")]
    pub case_number: Option<String>,
}

/// What every command that opens evidence takes.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// A mounted image's root, a folder of copied hives, a hive, or a folder of those
    #[arg(required = true)]
    pub evidence: Vec<PathBuf>,
    /// Write the report to this file, whole or not at all, instead of stdout (-); devices and pipes are written into
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files, those in the folders of --patch too; never what is evidence or looks like it
    #[arg(long)]
    pub overwrite: bool,
    /// Work on this many installations at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Say nothing on stderr but what stops the run
    #[arg(long, short)]
    pub quiet: bool,
    /// Say on stderr what was searched and skipped, what each hive is, and how far it can be trusted; add details to the
    /// table
    #[arg(long, short, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Show progress on stderr while work takes over half a second: auto (on a terminal), never, or json (a line of JSON
    /// every half second, wherever stderr goes)
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub progress: Progress,
    /// Colour the table
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    /// Read dirty hives as their primary files lie on disk; do not replay their transaction logs in memory
    #[arg(long)]
    pub no_replay: bool,
    /// Read files instead of mapping them; for evidence that somebody else may shorten meanwhile
    #[arg(long)]
    pub no_mmap: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub unpacking: UnpackingArgs,
    /// Do not hash the evidence
    #[arg(long)]
    pub no_hash: bool,
    /// Write a chain-of-custody record: who, when, what; size, time and SHA-256 of each file before and after, and of each
    /// output
    #[arg(long, value_name = "FILE")]
    pub custody: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub case: CaseArgs,
    /// Exit with 0 whatever was found; for pipelines
    #[arg(long)]
    pub exit_zero: bool,
}

/// `find`.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// The evidence, and where the list goes.
    #[command(flatten)]
    pub common: EvidenceArgs,
    /// How to print the list
    #[arg(long, value_enum, default_value_t)]
    pub format: FindFormat,
    /// Walk each whole hive: what its keys promise and what can be read, and which bytes no key leads to
    #[arg(long)]
    pub check: bool,
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The hive; transaction logs that lie beside it are replayed in memory where it is dirty
    pub hive: PathBuf,
    /// The key, from the hive's root, backslashes between names, in any letter case; the root where none is given. It
    /// may begin with HKEY_LOCAL_MACHINE\SOFTWARE, HKLM\SYSTEM or the like, and with CurrentControlSet
    pub key: Option<String>,
    /// Print all keys below it too
    #[arg(long, short)]
    pub recursive: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: ShowFormat,
    /// Where the hive is loaded: what every path begins with [default: HKEY_LOCAL_MACHINE\SOFTWARE or \SYSTEM for
    /// these hives, HKEY_LOCAL_MACHINE\HIVE for others]
    #[arg(long, value_name = "KEY")]
    pub root: Option<String>,
    /// Write to this file, whole or not at all, instead of stdout (-); devices and pipes are written into. A .reg file
    /// then is as regedit writes it, in UTF-16 with CRLF, where stdout has UTF-8 with LF
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files
    #[arg(long)]
    pub overwrite: bool,
    /// Read a dirty hive as its primary file lies on disk; do not replay its transaction logs in memory
    #[arg(long)]
    pub no_replay: bool,
    /// Read files instead of mapping them; for evidence that somebody else may shorten meanwhile
    #[arg(long)]
    pub no_mmap: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub unpacking: UnpackingArgs,
    /// Say nothing on stderr but what stops the run
    #[arg(long, short)]
    pub quiet: bool,
    /// Colour the table
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
}

/// `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The evidence, and where the report goes.
    #[command(flatten)]
    pub common: EvidenceArgs,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Treat the installation as this Windows instead of detecting it; needs --force to patch
    #[arg(long, value_name = "ID", value_parser = os_id)]
    pub os: Option<OsId>,
    /// What to look for [default: all]
    #[arg(long, value_enum, value_name = "NAME", num_args = 1.., value_delimiter = ',', hide_default_value = true, default_values_t = Profile::ALL)]
    pub profile: Vec<Profile>,
    /// Judge by these baseline files instead of the built-in ones, whatever the Windows is
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "extend")]
    pub baseline: Vec<PathBuf>,
    /// Judge by these baseline files beside the built-in ones
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub extend: Vec<PathBuf>,
    /// Report what conforms too; the table then has all details: hives, hashes, sources, values for information
    #[arg(long)]
    pub all: bool,
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value = "low", value_parser = fail_on())]
    pub fail_on: Severity,
    /// Which control sets: current (also the one of the next start, where it differs), all, or a number
    #[arg(long, value_name = "WHICH", default_value = "current")]
    pub control_set: Choice,
    /// Judge live installations and copies, or every generation
    #[arg(long, value_enum, default_value_t)]
    pub generations: Generations,
    /// Say where in the file each key node, value and its data lie, and which log entry wrote them
    #[arg(long)]
    pub locations: bool,
    /// Write the corrective and the rollback .reg files, IMPORT.txt and plan.json into this folder
    #[arg(long, value_name = "DIR")]
    pub patch: Option<PathBuf>,
    /// The least sure expectation that a patch may rest on
    #[arg(long, value_enum, default_value = "single-source", requires = "patch")]
    pub min_grade: Grade,
    /// Mend only these findings, info ones too
    #[arg(long, value_name = "ID", num_args = 1.., requires = "patch")]
    pub only: Vec<String>,
    /// Do not mend these findings
    #[arg(long, value_name = "ID", num_args = 1.., requires = "patch")]
    pub skip: Vec<String>,
    /// Patch although --os says which Windows this is
    #[arg(long, requires = "patch")]
    pub force: bool,
    /// Patch although a hive is dirty
    #[arg(long, requires = "patch")]
    pub accept_dirty: bool,
    /// For which importer the patch is written
    #[arg(long, value_enum, default_value_t, requires = "patch")]
    pub dialect: DialectArg,
    /// The ANSI code page of the machine that imports a patch of --dialect regedit4 [default: 1252]
    #[arg(long, value_name = "N", requires = "patch")]
    pub code_page: Option<CodePage>,
    /// Import it into the hive (ControlSetNNN) or into the running Windows (CurrentControlSet)
    #[arg(long, value_enum, default_value_t, requires = "patch")]
    pub target: TargetArg,
    /// Write a script beside the patch that imports it into an offline Windows, with guards; not with --target live
    #[arg(long, value_enum, requires = "patch")]
    pub script: Option<ScriptArg>,
    /// Where the SOFTWARE hive is loaded when the patch is imported
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SOFTWARE", requires = "patch")]
    pub software_root: String,
    /// Where the SYSTEM hive is loaded when the patch is imported
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SYSTEM", requires = "patch")]
    pub system_root: String,
}

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Reports that `audit` or `find` wrote with --format json; - reads one from stdin
    #[arg(required = true, value_name = "REPORT.json")]
    pub reports: Vec<PathBuf>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print the findings that conform too, where the report holds them; the table then has all details
    #[arg(long)]
    pub all: bool,
    /// Show this patch and its rollback, with what lies beside the plan (html)
    #[arg(long, value_name = "plan.json", num_args = 1..)]
    pub plan: Vec<PathBuf>,
    /// Show this history, which `history --format json` wrote (html)
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// Show this custody record (html)
    #[arg(long, value_name = "FILE")]
    pub custody: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub case: CaseArgs,
    /// Write to this file, whole or not at all, instead of stdout (-); devices and pipes are written into
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files
    #[arg(long)]
    pub overwrite: bool,
    /// Colour the table
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
}

/// `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Folders, hives
    #[arg(required = true)]
    pub evidence: Vec<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: HistoryFormat,
    /// Write to this file, whole or not at all, instead of stdout (-); devices and pipes are written into
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files
    #[arg(long)]
    pub overwrite: bool,
    /// Treat the installation as this Windows instead of detecting it
    #[arg(long, value_name = "ID", value_parser = os_id)]
    pub os: Option<OsId>,
    /// Colour the table
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    /// Read dirty hives as their primary files lie on disk; do not replay their transaction logs in memory
    #[arg(long)]
    pub no_replay: bool,
    /// Read files instead of mapping them; for evidence that somebody else may shorten meanwhile
    #[arg(long)]
    pub no_mmap: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub unpacking: UnpackingArgs,
    /// Do not hash the hives; then identical ones are not folded
    #[arg(long)]
    pub no_hash: bool,
}

/// `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// The .reg files; - reads one from stdin
    #[arg(required = true, value_name = "FILE.reg")]
    pub files: Vec<PathBuf>,
    /// Who is to import the files: what each would do with them, and where they differ, or one of them; the exit code is
    /// that importer's, and regedit's for all
    #[arg(long, value_enum, default_value_t)]
    pub importer: LintImporterArg,
    /// The ANSI code page of the machine that is to import files in 8-bit text; without it 1252 is taken, and what
    /// depends on it is remarked upon
    #[arg(long, value_name = "N")]
    pub code_page: Option<CodePage>,
    /// How to print it; the table counts remarks that come again and again, JSON has each of them
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
    /// Write to this file, whole or not at all, instead of stdout (-); devices and pipes are written into
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files
    #[arg(long)]
    pub overwrite: bool,
    /// Colour the table
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The .reg files in the order in which they would be imported, then the evidence; with --applied only the evidence
    #[arg(required = true, num_args = 1.., value_name = "PATCH.reg... EVIDENCE")]
    pub paths: Vec<PathBuf>,
    /// Check whether the patch of this plan.json was imported into the evidence, and whether anything else changed
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["plan", "importer", "code_page", "target", "software_root",
        "system_root", "fail_on", "control_set"])]
    pub applied: Option<PathBuf>,
    /// Check whether the rollback was imported after the patch: each value is as before
    #[arg(long, requires = "applied")]
    pub undone: bool,
    /// Compare every key and value with the hives that the plan was made from, in this evidence; repeat the option to
    /// name two hives. Without it, only what the plan names is compared
    #[arg(long, value_name = "EVIDENCE", requires = "applied")]
    pub before: Vec<PathBuf>,
    /// Take before- and after-values from this plan.json where a hive is not the one that a .reg file was made for
    /// [default: plan.json beside the file]
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<PathBuf>,
    /// How to print the comparison
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
    /// Write the comparison to this file, whole or not at all, instead of stdout (-); devices and pipes are written into
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files
    #[arg(long)]
    pub overwrite: bool,
    /// Which program imports the files [default: the one that the header of a hivemend patch names, else regedit]
    #[arg(long, value_enum)]
    pub importer: Option<ImporterArg>,
    /// The ANSI code page of the machine that is to import files in 8-bit text; without it 1252 is taken, and what
    /// depends on it is remarked upon
    #[arg(long, value_name = "N")]
    pub code_page: Option<CodePage>,
    /// Import into a running Windows, where CurrentControlSet is a link, or into a hive, where it is a name like any other
    /// [default: the one that the header of a hivemend patch names, else live; offline with hivexregedit]
    #[arg(long, value_enum)]
    pub target: Option<TargetArg>,
    /// Where the SOFTWARE hive is loaded when the files are imported
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SOFTWARE")]
    pub software_root: String,
    /// Where the SYSTEM hive is loaded when the files are imported
    #[arg(long, value_name = "KEY", default_value = r"HKEY_LOCAL_MACHINE\SYSTEM")]
    pub system_root: String,
    /// Treat the installation as this Windows instead of detecting it
    #[arg(long, value_name = "ID", value_parser = os_id)]
    pub os: Option<OsId>,
    /// The least severity of a finding left that makes the exit code 1
    #[arg(long, value_enum, default_value = "low", value_parser = fail_on())]
    pub fail_on: Severity,
    /// Which control sets: current (also the one of the next start, where it differs), all, or a number
    #[arg(long, value_name = "WHICH", default_value = "current")]
    pub control_set: Choice,
    /// Colour the table
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    /// Read dirty hives as their primary files lie on disk; do not replay their transaction logs in memory
    #[arg(long)]
    pub no_replay: bool,
    /// Read files instead of mapping them; for evidence that somebody else may shorten meanwhile
    #[arg(long)]
    pub no_mmap: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub unpacking: UnpackingArgs,
    /// Do not hash the hives; then it cannot be told whether a patch was made for them
    #[arg(long)]
    pub no_hash: bool,
    /// Exit with 0 whatever was found; for pipelines
    #[arg(long)]
    pub exit_zero: bool,
}

impl VerifyArgs {
    /// `--importer`, `--target` and `--code-page`.
    ///
    /// # Errors
    /// Where hivexregedit is to import into a running Windows.
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

impl AuditArgs {
    /// `--dialect` and `--code-page`.
    ///
    /// # Errors
    /// Where there is a code page for a dialect that has none, or hivexregedit is to import into a running Windows.
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
                expected: "Only --dialect regedit4 is text of a code page; the others are Unicode".to_owned(),
            }),
        }
    }
}

fn os_id(text: &str) -> Result<OsId, String> {
    text.parse().ok().filter(|id: &OsId| id.has_baseline()).ok_or_else(|| {
        let ids: Vec<&str> = OsId::ALL.iter().filter(|id| id.has_baseline()).map(|id| id.as_str()).collect();
        format!("expected one of {}", ids.join(", "))
    })
}

/// Everything but `info`, which never fails a run.
fn fail_on() -> impl clap::builder::TypedValueParser<Value = Severity> {
    use clap::builder::TypedValueParser;
    clap::builder::PossibleValuesParser::new(["low", "medium", "high", "critical"])
        .try_map(|text| Severity::from_str(&text, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
