//! `find`.

use clap::Args;

use super::choices::FindFormat;
use super::groups::EvidenceArgs;

/// `find`.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// Walk each whole hive and report what its keys promise, what is readable, and which bytes no key reaches
    #[arg(long, help_heading = "What is checked")]
    pub check: bool,
    /// Print the list in this form
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: FindFormat,
    /// The evidence, and what is done with the result.
    #[command(flatten)]
    pub common: EvidenceArgs,
}
