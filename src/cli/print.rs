//! Commands that print built-in information: `explain`, `schema`, `completions`, `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use crate::schema::Record;

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The id of a finding, a key or a step, as `audit` prints it
    pub id: String,
    /// Look in these baseline files too
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub baseline: Vec<PathBuf>,
}

/// `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The JSON output to describe
    #[arg(value_enum, default_value_t)]
    pub record: Record,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command whose page is printed [default: the program's own]
    #[arg(num_args = 0.., conflicts_with = "dir")]
    pub page: Vec<String>,
    /// Write all pages into this folder instead
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Replace existing pages in DIR
    #[arg(long, requires = "dir")]
    pub overwrite: bool,
}
