//! The rules that a row of a baseline can state for a value.

use serde::{Deserialize, Serialize};

use super::When;
use crate::finding::{Severity, Source};
use crate::registry::RegistryValue;

/// The rule for the data of a value.
#[derive(Clone, Debug)]
pub enum Rule {
    /// One of these data. Remediation writes the first.
    OneOf {
        /// The accepted data.
        accepted: Vec<Accepted>,
        /// How observed and accepted data are compared.
        compare: Compare,
    },
    /// A list that contains at least these entries.
    Contains(Vec<String>),
    /// The list of a svchost group that contains these services, as far as their ImagePath names this group.
    Members(Vec<String>),
    /// Code in folders of Windows' own.
    Under {
        /// The folders.
        folders: Folders,
        /// The known code of each subkey, if the key stands for every subkey of a path.
        known: Vec<Known>,
    },
    /// SERVICE_FAILURE_ACTIONS without any of these actions.
    LacksAction(Vec<Action>),
    /// A security descriptor that gives none of these rights to any of these trustees.
    DaclDenies {
        /// Security identifiers with their usual names.
        trustees: Vec<(String, String)>,
        /// The rights.
        rights: Vec<Right>,
        /// The trustees that must see the service: no entry may deny them that.
        hidden_from: Vec<(String, String)>,
    },
    /// The value should not exist.
    Absent,
    /// The value is shown and not judged.
    Informational,
    /// No source states the data, so nothing is expected. The reason.
    Unknown(String),
}

/// Data that a rule accepts.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The data.
    pub value: RegistryValue,
    /// The installations that accept the data.
    pub when: When,
    /// Why the data conform, if that needs an explanation.
    pub note: Option<String>,
    /// The source, if it is not the row's.
    pub source: Option<Source>,
}

/// Deviating data with a more specific explanation.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The data.
    pub value: RegistryValue,
    /// The installations that the exception applies to.
    pub when: When,
    /// How much it matters.
    pub severity: Severity,
    /// Why it matters. Replaces the row's reason.
    pub why: String,
    /// The source, if it is not the row's.
    pub source: Option<Source>,
}

/// A subkey that is known by name, such as a Winlogon notification package.
#[derive(Clone, Debug)]
pub struct Known {
    /// The subkey.
    pub subkey: String,
    /// The data of this value in the subkey.
    pub data: Vec<String>,
    /// The vendor or component that it belongs to.
    pub of: String,
}

/// Another value that this one must resemble.
#[derive(Clone, Debug)]
pub struct SameAs {
    /// The id of the other value's key.
    pub key: String,
    /// The name of the other value.
    pub value: String,
    /// The aspect in which they must be alike.
    pub aspect: Aspect,
}

/// The aspect in which two values must be alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Whether quotes enclose the program. The finding is on the value with quotes.
    Quotes,
}

/// How data are compared. Numbers and binary data are always compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compare {
    /// Exactly, for names of functions.
    Exact,
    /// Without case, for names of services, groups, and accounts.
    Text,
    /// As a command line: directory, program and arguments.
    Path,
    /// As a set of names, without case or order.
    Set,
    /// Byte for byte, including the type. No other form is accepted.
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
    /// SC_ACTION_RESTART: restarts the service.
    Restart = 1,
    /// SC_ACTION_REBOOT: restarts the computer.
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
