//! Groups of options that commands share.

use std::path::PathBuf;

use clap::Args;

use super::choices::{Color, Progress};
use super::words::HashesParser;
use crate::evidence::hash::Hashes;

/// What every command takes that audits or lists evidence.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// A mounted image, a folder of copied hives, a hive, an archive, a disk image, or a folder of those
    ///
    /// A place inside a container is named as every command prints it: disk.E01!p2!Windows/System32/config.
    #[arg(required_unless_present = "files_from")]
    pub evidence: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub list: ListArgs,
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
    pub custody: CustodyArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub messages: MessageArgs,
}

/// Evidence beside the arguments, and the user's name for it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading evidence")]
pub struct ListArgs {
    /// Read more evidence from this file, one path a line; - for stdin
    ///
    /// A line that begins with { is JSON: {"path": ..., "original_path": ..., "label": ...}. The original path is where the
    /// file was on its machine. Its folder and its name decide which files belong together, and what each is.
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,
    /// Name the machine or the exhibit in the report
    ///
    /// A label in the list of --files-from takes precedence. Files with different labels never belong together.
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
}

/// How evidence is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading evidence")]
pub struct ReadingArgs {
    /// Read dirty hives as they lie; do not replay their transaction logs in memory
    #[arg(long)]
    pub no_replay: bool,
    /// Read files into memory instead of mapping them
    ///
    /// Safer if another process may truncate the files meanwhile. Small files and files on mounted evidence are read in
    /// any case.
    #[arg(long)]
    pub no_mmap: bool,
    /// Read the password of encrypted archives from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Read the keys of BitLocker volumes from this file, one a line
    ///
    /// A key is a recovery password, a password, or the path of a .BEK file. To use a key for one volume only, write the
    /// volume's identifier and a colon before the key.
    #[arg(long, value_name = "FILE")]
    pub recovery_key_file: Option<PathBuf>,
    /// Read each disk image whole and compare it with its stored hash
    #[arg(long)]
    pub verify_image: bool,
    /// Search volumes only in the places where Windows keeps hives
    #[arg(long)]
    pub places: bool,
    /// Read archives and disk images without a sandbox
    ///
    /// Where the system has no seccomp they are refused otherwise. The custody record says it.
    #[arg(long)]
    pub no_sandbox: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub budget: BudgetArgs,
}

/// How much work a run may do.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of the run")]
pub struct BudgetArgs {
    /// Read at most this many bytes out of containers [default: grows with the evidence]
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<u64>,
    /// Examine at most this many containers, volumes and hives [default: grows with the evidence]
    #[arg(long, value_name = "N")]
    pub max_sources: Option<u64>,
    /// Examine at most this many installations [default: grows with the evidence]
    #[arg(long, value_name = "N")]
    pub max_installations: Option<u64>,
    /// Open and examine evidence for at most this many seconds
    ///
    /// What is not examined in that time is reported as a gap. By default a run may take any time; only the reader of
    /// each container has a limit, which grows with the container.
    #[arg(long, value_name = "N")]
    pub max_seconds: Option<u64>,
    /// Work on this many installations at a time [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write the result to this file instead of stdout (-)
    ///
    /// The file appears whole or not at all. Devices and pipes are written to directly.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace existing output files
    ///
    /// Never replaces evidence, nor a file that begins like a hive or an image.
    #[arg(long)]
    pub overwrite: bool,
    /// Colour the table
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
}

/// What is said on stderr.
#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub struct MessageArgs {
    /// Print nothing on stderr except what stops the run
    #[arg(long, short)]
    pub quiet: bool,
    /// Print what was searched and skipped, and the state of each hive; add details to the table
    #[arg(long, short, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Show progress on stderr: on a terminal, never, or as lines of JSON
    ///
    /// On a terminal, nothing is shown for work that takes less than half a second. The last line of JSON comes at the
    /// end.
    #[arg(long, value_enum, default_value_t)]
    pub progress: Progress,
}

/// The facts of the case, for the HTML report and the custody record.
#[derive(Debug, Args)]
#[command(next_help_heading = "Custody and case")]
pub struct CaseArgs {
    /// Read the facts of the case from this file: number, exhibit, examiner, agency, request, notes
    #[arg(long, value_name = "FILE.toml")]
    pub case: Option<PathBuf>,
    /// Name the examiner [default: from FILE.toml or the header of the disk image]
    #[arg(long, value_name = "NAME")]
    pub examiner: Option<String>,
    /// Name the case number [default: from FILE.toml or the header of the disk image]
    #[arg(long, value_name = "TEXT")]
    pub case_number: Option<String>,
}

/// What is recorded of the evidence.
#[derive(Debug, Args)]
#[command(next_help_heading = "Custody and case")]
pub struct CustodyArgs {
    /// Write a chain-of-custody record to this file
    ///
    /// The record states who ran what and when. It holds size, time and hashes of each file of the evidence before and
    /// after, and size and SHA-256 of each output. It has SHA-256 with --no-hash too.
    #[arg(long, value_name = "FILE")]
    pub custody: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub hashing: HashArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its options are described one by one")]
    pub case: CaseArgs,
}

/// Which hashes are computed.
#[derive(Debug, Args)]
pub struct HashArgs {
    /// Hash the evidence with these algorithms, separated by commas [default: sha256]
    ///
    /// SHA-256 is always computed, because patches are tied to it: --hash md5 computes SHA-256 and MD5.
    #[arg(long, value_name = "ALGORITHM,...", value_parser = HashesParser, conflicts_with = "no_hash")]
    pub hash: Option<Hashes>,
    /// Do not hash the evidence
    #[arg(long)]
    pub no_hash: bool,
}

impl HashArgs {
    /// Returns the hashes that the user wants; `None` with `--no-hash`.
    pub fn wanted(&self) -> Option<Hashes> {
        (!self.no_hash).then(|| self.hash.unwrap_or_default())
    }
}
