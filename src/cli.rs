//! The definitions of the command line for clap, without behaviour.

use clap::{Parser, Subcommand};

mod audit;
mod baseline;
mod choices;
mod examples;
mod find;
mod groups;
mod history;
mod lint;
mod print;
mod report;
mod show;
mod verify;
mod words;

pub use audit::{AuditArgs, PatchArgs};
pub use baseline::{BaselineCommand, LearnArgs};
pub use choices::{
    Color, DialectArg, FindFormat, Format, Generations, HistoryFormat, ImporterArg, LintImporterArg, ListFormat,
    Progress, ScriptArg, ShowFormat, TargetArg,
};
pub use find::FindArgs;
pub use groups::{
    BudgetArgs, CaseArgs, CustodyArgs, EvidenceArgs, HashArgs, ListArgs, MessageArgs, OutputArgs, ReadingArgs,
};
pub use history::HistoryArgs;
pub use lint::LintArgs;
pub use print::{CompletionsArgs, ExplainArgs, ManArgs, SchemaArgs};
pub use report::ReportArgs;
pub use show::ShowArgs;
pub use verify::VerifyArgs;

/// Checks offline Windows registries: what stops updates from installing, and the .reg file that corrects it.
///
/// Reads the SOFTWARE and SYSTEM hives of an offline Windows, detects which Windows it is, and compares Winlogon Notify
/// SensLogn, BITS, SENS and what they depend on with what that Windows should have. Evidence is never written to.
/// Results go to stdout, everything else to stderr.
#[derive(Debug, Parser)]
#[command(
    version,
    long_version = LONG_VERSION,
    max_term_width = 100,
    after_help = EXIT_CODES,
    after_long_help = examples::with_exit_codes(),
    infer_subcommands = false
)]
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
  0  everything was assessed, and no finding has at least the severity of --fail-on
  1  everything was assessed, and at least one finding has at least that severity
  2  nothing could be done: wrong usage, no such file, no hive found, every patch refused
  3  incomplete: something could not be assessed; the report holds the rest";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find each Windows in the evidence, audit it, and report; --patch writes the correction
    #[command(after_long_help = examples::AUDIT)]
    Audit(Box<AuditArgs>),
    /// List the hives in the evidence, and what was not read
    #[command(after_long_help = examples::FIND)]
    Find(FindArgs),
    /// Trace each audited value through every generation and control set
    #[command(after_long_help = examples::HISTORY)]
    History(HistoryArgs),
    /// Print a key of a hive as regedit exports it, as JSON or as a table
    #[command(after_long_help = examples::SHOW)]
    Show(ShowArgs),
    /// Apply .reg files to the evidence in memory, and audit the result
    ///
    /// Nothing is written. With --applied, checks whether a patch was imported, and whether anything else changed.
    #[command(after_long_help = examples::VERIFY)]
    Verify(Box<VerifyArgs>),
    /// Report what importers do with .reg files, line by line, and what they silently drop
    #[command(after_long_help = examples::LINT)]
    Lint(LintArgs),
    /// Print saved JSON reports in another form, or many machines on one page; no evidence is needed
    #[command(after_long_help = examples::REPORT)]
    Report(ReportArgs),
    /// Explain one expectation: what, why, by which source, and how to check it by hand
    #[command(after_long_help = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Show, check and derive baselines: what each Windows should have
    #[command(after_long_help = examples::BASELINE)]
    Baseline {
        /// What of it.
        #[command(subcommand)]
        command: BaselineCommand,
    },
    /// Print the JSON Schema of a JSON output
    #[command(after_long_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Print shell completions
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the man pages
    #[command(after_long_help = examples::MAN)]
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    /// Every command line in the examples is valid.
    #[test]
    fn every_example_is_a_command() {
        let mut seen = 0;
        for text in examples::ALL {
            for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("hivemend ")) {
                let line = line.split("  #").next().unwrap_or_default();
                let words = line.split_whitespace().map(|word| word.trim_matches('\''));
                if let Err(error) = Cli::try_parse_from(std::iter::once("hivemend").chain(words)) {
                    panic!("{line}: {error}");
                }
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
    }

    /// Help on a terminal has a line for each option, and every option is below a heading that states its purpose.
    #[test]
    fn options_stand_in_groups_and_begin_with_a_verb() {
        let command = Cli::command();
        for subcommand in command.get_subcommands() {
            for argument in subcommand.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let name = format!("{} --{}", subcommand.get_name(), argument.get_long().unwrap_or_default());
                assert!(help.starts_with(char::is_uppercase) && !help.ends_with('.'), "{name}: {help}");
                assert!(help.len() <= 110, "{name}: {} characters: {help}", help.len());
                let own = ["help", "version"].contains(&argument.get_long().unwrap_or_default());
                let many = subcommand.get_arguments().count() > 12;
                assert!(own || !many || argument.get_help_heading().is_some(), "{name} stands in no group");
            }
        }
    }
}
