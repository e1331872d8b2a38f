//! `history`.

use std::path::PathBuf;

use clap::Args;

use super::choices::HistoryFormat;
use super::groups::{HashArgs, ListArgs, MessageArgs, OutputArgs, ReadingArgs};
use super::words::os_id;
use crate::os::OsId;

const UNFOLDED_WITHOUT_HASH: &str = "Do not hash the hives; identical generations are then not folded";

/// `history`.
#[derive(Debug, Args)]
#[command(mut_arg("no_hash", |no_hash| no_hash.help(UNFOLDED_WITHOUT_HASH)))]
pub struct HistoryArgs {
    /// A mounted image, a folder of copied hives, a hive, an archive, a disk image, or a folder of those
    #[arg(required_unless_present = "files_from")]
    pub evidence: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub list: ListArgs,
    /// Treat the installation as this Windows instead of detecting it
    #[arg(long, value_name = "ID", value_parser = os_id, help_heading = "What is checked")]
    pub os: Option<OsId>,
    #[command(flatten, next_help_heading = "What is checked")]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub hashing: HashArgs,
    /// Print the history in this form
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: HistoryFormat,
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
