//! `show`.

use std::path::PathBuf;

use clap::Args;

use super::choices::ShowFormat;
use super::groups::{MessageArgs, OutputArgs, ReadingArgs};

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The hive, or its name in a container: disk.E01!p2!Windows/System32/config/SYSTEM
    ///
    /// If the hive is dirty, the transaction logs beside it are replayed in memory.
    pub hive: PathBuf,
    /// The key, from the hive's root [default: the root]
    ///
    /// Separate names with backslashes, in any letter case. The key may begin with HKEY_LOCAL_MACHINE\SOFTWARE,
    /// HKLM\SYSTEM or the like, and with CurrentControlSet.
    pub key: Option<String>,
    /// Print all keys below it too
    #[arg(long, short, help_heading = "Output")]
    pub recursive: bool,
    /// Print the key in this form
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: ShowFormat,
    /// Begin every path with this key [default: where Windows loads the hive]
    ///
    /// HKEY_LOCAL_MACHINE\SOFTWARE or \SYSTEM for these hives, HKEY_LOCAL_MACHINE\HIVE for others.
    #[arg(long, value_name = "KEY", help_heading = "Output")]
    pub root: Option<String>,
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
