//! `report`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::ArgPredicate;

use super::choices::Format;
use super::groups::{CaseArgs, OutputArgs};

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The reports that `audit` or `find` wrote with --format json; - reads one from stdin
    ///
    /// With --fleet: the lines that `audit` wrote with --format jsonl.
    #[arg(required = true, value_name = "REPORT.json")]
    pub reports: Vec<PathBuf>,
    /// Print the report in this form
    #[arg(
        long,
        value_enum,
        default_value_t,
        default_value_if("fleet", ArgPredicate::IsPresent, "html"),
        help_heading = "Output"
    )]
    pub format: Format,
    /// Read lines (--format jsonl) of any number of runs, and write one HTML page of all machines
    ///
    /// The page shows what is wrong on how many machines, a heat map, the machines that share deviations, the odd ones
    /// out, and the machines that gave no answer. Exits with 3 if a file is truncated or has lines that cannot be read.
    #[arg(long, help_heading = "Output", conflicts_with_all = ["all", "plan", "history", "custody"])]
    pub fleet: bool,
    /// Print findings that conform too, as far as the report holds them; the table then has all details
    #[arg(long, help_heading = "Output")]
    pub all: bool,
    /// Show these patches and their rollbacks on the page of --format html
    ///
    /// Name the plan.json that `audit --patch` wrote. The patch files beside it are shown too.
    #[arg(long, value_name = "plan.json", num_args = 1.., help_heading = "HTML report")]
    pub plan: Vec<PathBuf>,
    /// Show on the page the history that `history --format json` wrote
    #[arg(long, value_name = "FILE", help_heading = "HTML report")]
    pub history: Option<PathBuf>,
    /// Show on the page the custody record that `audit --custody` wrote
    #[arg(long, value_name = "FILE", help_heading = "HTML report")]
    pub custody: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub case: CaseArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub output: OutputArgs,
}
