//! What a value should be: the rules that a row of a baseline can state.

use serde::{Deserialize, Serialize};

use super::When;
use crate::finding::{Severity, Source};
use crate::registry::RegistryValue;

/// What a value should be.
#[derive(Clone, Debug)]
pub enum Rule {
    /// One of these; the first is what remediation writes.
    OneOf {
        /// What is accepted.
        accepted: Vec<Accepted>,
        /// How observed and accepted data are compared.
        compare: Compare,
    },
    /// A list that holds these entries, among others.
    Contains(Vec<String>),
    /// The list of a svchost group that holds these services, each as far as its ImagePath names this group.
    Members(Vec<String>),
    /// Code that lies in folders of Windows' own.
    Under {
        /// Those folders.
        folders: Folders,
        /// What is known of each subkey, where the key stands for every subkey of a path.
        known: Vec<Known>,
    },
    /// SERVICE_FAILURE_ACTIONS without any of these.
    LacksAction(Vec<Action>),
    /// A security descriptor that gives none of these rights to any of these trustees.
    DaclDenies {
        /// Security identifiers and the names that people know them by.
        trustees: Vec<(String, String)>,
        /// The rights.
        rights: Vec<Right>,
        /// Those from whom nothing may be hidden: no entry denies them to see the service.
        hidden_from: Vec<(String, String)>,
    },
    /// Not there.
    Absent,
    /// Shown, and judged by nobody.
    Informational,
    /// No source says; nothing is expected. The reason.
    Unknown(String),
}

/// Data that are as good as any other of a rule.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The data.
    pub value: RegistryValue,
    /// On which installations; elsewhere it is not accepted.
    pub when: When,
    /// Why it conforms, where that needs saying.
    pub note: Option<String>,
    /// Who says so, where that is not the row's source.
    pub source: Option<Source>,
}

/// Data that deviate, and of which more is known than that.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The data.
    pub value: RegistryValue,
    /// On which installations.
    pub when: When,
    /// How much it matters.
    pub severity: Severity,
    /// Why, in place of the row's.
    pub why: String,
    /// Who says so, where that is not the row's source.
    pub source: Option<Source>,
}

/// A subkey that is known by name, such as a Winlogon notification package.
#[derive(Clone, Debug)]
pub struct Known {
    /// The subkey.
    pub subkey: String,
    /// Its data in this value.
    pub data: Vec<String>,
    /// Whose it is.
    pub of: String,
}

/// Another value that this one must resemble.
#[derive(Clone, Debug)]
pub struct SameAs {
    /// The id of the other's key.
    pub key: String,
    /// The other's name.
    pub value: String,
    /// In what.
    pub aspect: Aspect,
}

/// In what two values must be alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Whether the program stands in quotes. The finding is on the value that has them.
    Quotes,
}

/// How data are compared. Numbers and binary data are always compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compare {
    /// Letter for letter: names of functions.
    Exact,
    /// Without case: names of services, groups, accounts.
    Text,
    /// As a command line: directory, program and arguments.
    Path,
    /// As a set of names without case and order.
    Set,
    /// Byte for byte, and the type too. No other form is the same.
    Bytes,
}

/// Folders of Windows' own, as `same-effect.toml` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Folders {
    /// System32 and its 32-bit twin.
    System32,
    /// Every folder that only Windows itself writes code to.
    Windows,
}

/// What Windows does when a service fails (`SC_ACTION_TYPE`).
///
/// <https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-sc_action>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// SC_ACTION_RESTART: starts the service again.
    Restart = 1,
    /// SC_ACTION_REBOOT: starts the computer again.
    Reboot = 2,
    /// SC_ACTION_RUN_COMMAND: runs FailureCommand.
    RunCommand = 3,
}

/// Rights on a service that let their holder decide what it runs.
///
/// <https://learn.microsoft.com/windows/win32/services/service-security-and-access-rights>; the generic and standard
/// ones: MS-DTYP, section 2.4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Right {
    /// Change the program, the account, everything.
    ServiceChangeConfig = 0x2,
    /// Change who may do what.
    WriteDac = 0x0004_0000,
    /// Become the owner, who may change who may do what.
    WriteOwner = 0x0008_0000,
    /// All rights.
    GenericAll = 0x1000_0000,
    /// All rights to write.
    GenericWrite = 0x4000_0000,
}

impl From<RegistryValue> for Accepted {
    fn from(value: RegistryValue) -> Self {
        Self { value, when: When::default(), note: None, source: None }
    }
}
