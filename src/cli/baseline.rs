//! `baseline`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::choices::ListFormat;
use super::groups::OutputArgs;

/// The commands on baselines.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// List every Windows that has a baseline, and the grades of its expectations
    List {
        /// Print the list in this form
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
    /// The hives, all SOFTWARE or all SYSTEM
    ///
    /// What they agree on is expected; what varies is accepted.
    #[arg(required = true, value_name = "HIVE")]
    pub hives: Vec<PathBuf>,
    /// Learn this key, named from the hive's root; CurrentControlSet is resolved
    #[arg(long, required = true, num_args = 1.., value_name = "KEY")]
    pub key: Vec<String>,
    /// Learn all keys below it too
    #[arg(long, short)]
    pub recursive: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub output: OutputArgs,
}
