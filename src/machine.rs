//! The machine of a pair of hives, by the names in them.

use serde::{Deserialize, Serialize};

use crate::control_set::key_name;
use crate::hive::Tree;
use crate::os::lenient_text;
use crate::registry::FileTime;

mod same;

pub use same::{SameMachine, Sameness, same_machine};

/// Facts that distinguish one machine from another. None of them is judged; a value that is not found is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// `Control\ComputerName\ComputerName`.
    pub computer_name: Option<String>,
    /// The folder of Windows, such as `C:\WINDOWS`, by SOFTWARE.
    pub system_root: Option<String>,
    /// When this Windows was installed or last upgraded.
    pub installed: Option<FileTime>,
    /// When Windows was last shut down properly.
    pub last_shutdown: Option<FileTime>,
    /// The key name of the time zone; before Vista, its standard name.
    pub time_zone: Option<String>,
}

impl Machine {
    /// Reads the facts from the hives. A missing hive, or an unreadable key, contributes nothing.
    pub fn read(software: Option<&Tree<'_>>, system: Option<&Tree<'_>>, control_set: Option<u32>) -> Self {
        let mut machine = Self::default();
        if let Some(key) = software.and_then(|tree| tree.key(r"Microsoft\Windows NT\CurrentVersion").ok().flatten()) {
            let value = |name| key.value(name).ok().flatten();
            machine.system_root = value("SystemRoot").as_ref().and_then(lenient_text);
            // InstallTime is a FILETIME and came with Windows 10; InstallDate counts Unix seconds.
            let precise = value("InstallTime").and_then(|value| value.as_number()).map(FileTime);
            let seconds = || value("InstallDate")?.as_number().and_then(|seconds| u32::try_from(seconds).ok());
            // Setup writes 0 before it knows the time.
            let precise = precise.filter(|time| time.0 > 0);
            let seconds = || seconds().filter(|seconds| *seconds > 0);
            machine.installed = precise.or_else(|| seconds().map(FileTime::from_unix_seconds));
        }
        let control = |path: &str| {
            let path = format!(r"{}\Control\{path}", key_name(control_set?));
            system?.key(&path).ok().flatten()
        };
        if let Some(key) = control(r"ComputerName\ComputerName") {
            machine.computer_name = key.value("ComputerName").ok().flatten().as_ref().and_then(lenient_text);
        }
        if let Some(key) = control("Windows") {
            let bytes = key.value("ShutdownTime").ok().flatten().map(|value| value.bytes).unwrap_or_default();
            machine.last_shutdown = bytes.as_slice().try_into().ok().map(|bytes| FileTime(u64::from_le_bytes(bytes)));
        }
        if let Some(key) = control("TimeZoneInformation") {
            let text = |name| key.value(name).ok().flatten().as_ref().and_then(lenient_text);
            machine.time_zone = text("TimeZoneKeyName").or_else(|| text("StandardName"));
        }
        machine
    }
}
