//! `report`.

use std::path::PathBuf;

use clap::Args;

use super::choices::Format;
use super::groups::OutputArgs;

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The reports that `audit` or `find` wrote with --format json; - reads one from stdin
    #[arg(required = true, value_name = "REPORT.json")]
    pub reports: Vec<PathBuf>,
    /// Print the report in this form
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: Format,
    /// Print findings that conform too, as far as the report holds them; the table then has all details
    #[arg(long, help_heading = "Output")]
    pub all: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub output: OutputArgs,
}
