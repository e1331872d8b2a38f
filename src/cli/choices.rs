//! The values that options can choose from.

use clap::ValueEnum;

use crate::reg_file::Importer;
use crate::remediation::Target;

/// Forms of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// The whole report; `hivemend schema` describes it
    Json,
    /// One record a line: the run, each installation, each finding, each source, each problem, the summary
    Jsonl,
    /// For spreadsheets: one finding a row
    Csv,
    /// For readers of the report: one page, for screen and paper
    Html,
    /// For tickets and wikis
    Markdown,
    /// For code scanning and pipelines: SARIF 2.1.0
    Sarif,
    /// For Timesketch: one event a line
    Timesketch,
    /// For Elasticsearch: one document of the Elastic Common Schema a line
    Ecs,
}

/// Forms of a list of hives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FindFormat {
    /// For people
    #[default]
    Table,
    /// The whole list; `hivemend schema` describes it
    Json,
    /// One record a line: the run, each installation, each source, each problem, the summary
    Jsonl,
}

impl From<FindFormat> for Format {
    fn from(format: FindFormat) -> Self {
        match format {
            FindFormat::Table => Self::Table,
            FindFormat::Json => Self::Json,
            FindFormat::Jsonl => Self::Jsonl,
        }
    }
}

/// Forms of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// As regedit exports it
    #[default]
    Reg,
    /// For programs
    Json,
    /// For people
    Table,
}

/// Forms of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
    /// For spreadsheets: a line for each value in each generation
    Csv,
}

/// Forms of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// Where progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// On a terminal
    #[default]
    Auto,
    /// Nowhere
    Never,
    /// Lines of JSON on stderr
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which generations to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Generations {
    /// Live installations and copied hives
    #[default]
    Live,
    /// RegBack, repair, restore points and the rest too
    All,
}

/// `--dialect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DialectArg {
    /// regedit of Windows 2000 and later: version 5, UTF-16
    #[default]
    Regedit5,
    /// regedit of Windows 95, 98 and NT 4.0, and of later ones: REGEDIT4, text of one code page
    Regedit4,
    /// hivexregedit: version 5, UTF-8
    Hivex,
}

/// `--importer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ImporterArg {
    /// regedit of Windows 2000 and later
    #[default]
    Regedit,
    /// hivexregedit, which reads UTF-8 and writes to one hive
    Hivexregedit,
}

impl From<ImporterArg> for Importer {
    fn from(importer: ImporterArg) -> Self {
        match importer {
            ImporterArg::Regedit => Self::Regedit,
            ImporterArg::Hivexregedit => Self::Hivexregedit,
        }
    }
}

/// `--importer` of `lint`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LintImporterArg {
    /// regedit, and where hivexregedit differs
    #[default]
    All,
    /// regedit of Windows 2000 and later
    Regedit,
    /// hivexregedit, which reads UTF-8 and stops at lines that it does not know
    Hivexregedit,
}

impl From<LintImporterArg> for Option<crate::reg_file::Importer> {
    fn from(importer: LintImporterArg) -> Self {
        match importer {
            LintImporterArg::All => None,
            LintImporterArg::Regedit => Some(crate::reg_file::Importer::Regedit),
            LintImporterArg::Hivexregedit => Some(crate::reg_file::Importer::Hivexregedit),
        }
    }
}

/// `--script`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScriptArg {
    /// A .cmd for the command prompt of the Windows recovery environment
    Winre,
}

/// `--target`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TargetArg {
    /// The hive, loaded in another Windows or changed by an offline tool
    #[default]
    Offline,
    /// The running Windows
    Live,
}

impl From<TargetArg> for Target {
    fn from(target: TargetArg) -> Self {
        match target {
            TargetArg::Offline => Self::Offline,
            TargetArg::Live => Self::Live,
        }
    }
}
