//! `lint`.

use std::path::PathBuf;

use clap::Args;

use super::choices::{LintImporterArg, ListFormat};
use super::groups::OutputArgs;
use crate::reg_file::CodePage;

/// `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// The .reg files; - reads one from stdin
    #[arg(required = true, value_name = "FILE.reg")]
    pub files: Vec<PathBuf>,
    /// Report what this importer does, or where all of them differ
    ///
    /// The exit code is that of this importer, and that of regedit for all.
    #[arg(long, value_enum, default_value_t)]
    pub importer: LintImporterArg,
    /// Read files of 8-bit text in this ANSI code page [default: 1252, with a warning]
    #[arg(long, value_name = "N")]
    pub code_page: Option<CodePage>,
    /// Print the result in this form
    ///
    /// The table counts repeated remarks; JSON lists their lines, up to 10,000 of each.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: ListFormat,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub output: OutputArgs,
}
