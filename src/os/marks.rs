//! The marks of a Windows in its two hives.

use crate::control_set::{Choice, ControlSets, key_name};
use crate::error::Problem;
use crate::hive::{Key, Tree};
use crate::registry::RegistryValue;

/// The key in SOFTWARE with most marks. libyal/winreg-kb, "Windows NT\CurrentVersion".
pub(super) const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";

/// The marks in SOFTWARE, unchanged.
#[derive(Default)]
pub(super) struct SoftwareMarks {
    pub(super) current_version: Option<String>,
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) build: Option<u32>,
    /// `CurrentBuild`, if it is a number.
    pub(super) second_build: Option<u32>,
    /// The number at the start of `BuildLabEx` or `BuildLab`.
    pub(super) lab: Option<(&'static str, u32)>,
    pub(super) revision: Option<u64>,
    pub(super) service_pack: Option<String>,
    pub(super) system_root: Option<String>,
    pub(super) product_name: Option<String>,
    pub(super) installation_type: Option<String>,
    pub(super) edition: Option<String>,
    pub(super) release: Option<(&'static str, String)>,
    pub(super) architecture: Option<&'static str>,
    pub(super) has_wow64: bool,
    /// Whether a `WinPE` key exists.
    pub(super) has_win_pe: bool,
}

/// The marks in SYSTEM, unchanged.
#[derive(Default)]
pub(super) struct SystemMarks {
    pub(super) root_name: String,
    pub(super) product_type: Option<String>,
    pub(super) service_pack: Option<u64>,
    pub(super) architecture: Option<String>,
    pub(super) core_os: Option<String>,
    pub(super) revision: Option<u64>,
    pub(super) terminal_server_version: Option<String>,
    pub(super) has_wpa: bool,
    /// Whether `Control\MiniNT` exists.
    pub(super) has_mini_nt: bool,
    /// The minor version of the hive's format.
    pub(super) format_minor: u32,
    /// The command that setup runs.
    pub(super) setup_command: Option<String>,
    /// The services of [`SERVICES`] that exist.
    pub(super) services: Vec<&'static str>,
}

/// Services that distinguish one Windows from another, or a whole Windows from a preinstallation environment or a
/// container layer: observed in real hives.
const SERVICES: &[&str] = &[
    "SENS",
    "wuauserv",
    "nsi",
    "nsiproxy",
    "RpcEptMapper",
    "FDResPub",
    "BrokerInfrastructure",
    "SystemEventsBroker",
    "UsoSvc",
    "CoreMessagingRegistrar",
];

/// Reads marks one by one. A mark that cannot be read is a problem, and the others still count.
struct Reader<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Reader<'_> {
    fn keep<T>(&mut self, read: Result<Option<T>, Problem>) -> Option<T> {
        read.unwrap_or_else(|problem| {
            self.problems.push(problem);
            None
        })
    }

    fn text(&mut self, key: &Key<'_, '_>, name: &str) -> Option<String> {
        self.keep(key.value(name)).as_ref().and_then(lenient_text)
    }

    fn number(&mut self, key: &Key<'_, '_>, name: &str) -> Option<u64> {
        self.keep(key.value(name)).and_then(|value| value.as_number())
    }
}

/// Returns a string as Windows' own readers do, up to its first NUL. For marks that are shown, never for verdicts.
pub(crate) fn lenient_text(value: &RegistryValue) -> Option<String> {
    let units = value.bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).ok().filter(|text| !text.is_empty())
}

impl SoftwareMarks {
    /// Returns the readable marks, and adds a problem to `problems` for each other one.
    pub(super) fn read(tree: &Tree<'_>, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader { problems };
        let Some(key) = reader.keep(tree.key(CURRENT_VERSION)) else { return Self::default() };
        let release = match reader.text(&key, "DisplayVersion") {
            Some(version) => Some(("DisplayVersion", version)),
            None => reader.text(&key, "ReleaseId").map(|release| ("ReleaseId", release)),
        };
        let (lab_ex, lab) = (reader.text(&key, "BuildLabEx"), reader.text(&key, "BuildLab"));
        Self {
            current_version: reader.text(&key, "CurrentVersion"),
            major: reader.number(&key, "CurrentMajorVersionNumber"),
            minor: reader.number(&key, "CurrentMinorVersionNumber"),
            // CurrentBuild is "1.511.1 ()" on XP; CurrentBuildNumber is the number on every Windows.
            build: reader.text(&key, "CurrentBuildNumber").and_then(|build| build.parse().ok()),
            second_build: reader.text(&key, "CurrentBuild").and_then(|build| build.parse().ok()),
            lab: lab_number("BuildLabEx", lab_ex.as_deref()).or_else(|| lab_number("BuildLab", lab.as_deref())),
            system_root: reader.text(&key, "SystemRoot"),
            revision: reader.number(&key, "UBR"),
            service_pack: reader.text(&key, "CSDVersion"),
            product_name: reader.text(&key, "ProductName"),
            installation_type: reader.text(&key, "InstallationType"),
            edition: reader.text(&key, "EditionID"),
            release,
            architecture: lab_ex.as_deref().and_then(architecture_of_build_lab),
            has_wow64: reader.keep(tree.key("Wow6432Node")).is_some(),
            has_win_pe: reader.keep(key.subkey("WinPE")).is_some(),
        }
    }
}

/// Returns the architecture, the third part of a build lab such as `7601.17514.x86fre.win7sp1_rtm.101119-1850`.
fn architecture_of_build_lab(lab: &str) -> Option<&'static str> {
    let part = lab.split('.').nth(2)?;
    ["x86", "amd64", "arm64", "ia64"]
        .iter()
        .zip(["x86", "x64", "arm64", "ia64"])
        .find_map(|(prefix, name)| part.starts_with(prefix).then_some(name))
}

/// Returns the number at the start of a build lab such as `19041.vb_release.191206-1406`.
fn lab_number(name: &'static str, lab: Option<&str>) -> Option<(&'static str, u32)> {
    Some((name, lab?.split('.').next()?.parse().ok()?))
}

impl SystemMarks {
    /// Returns the readable marks, and adds a problem to `problems` for each other one. `minor` is the minor version of
    /// the hive's format.
    pub(super) fn read(tree: &Tree<'_>, minor: u32, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader { problems };
        let Some(root) = reader.keep(tree.root().map(Some)) else { return Self::default() };
        let mut marks = Self { root_name: root.name(), format_minor: minor, ..Self::default() };
        marks.has_wpa = reader.keep(root.subkey("WPA")).is_some();
        if let Some(key) = reader.keep(tree.key(r"Setup\Service Reporting API\Components\CoreOS")) {
            marks.core_os = reader.text(&key, "Version");
        }
        if let Some(key) = reader.keep(root.subkey("Setup")) {
            marks.setup_command = reader.text(&key, "CmdLine");
        }
        let sets = reader.keep(ControlSets::read(tree).map(Some)).unwrap_or_default();
        // These marks do not differ between control sets. If Select is unclear, any set will do.
        let set = sets.chosen(Choice::Current).ok().and_then(|chosen| chosen.first().copied());
        let Some(set) = set.or_else(|| sets.present.first().copied()) else { return marks };
        if let Some(services) = reader.keep(tree.key(&format!(r"{}\Services", key_name(set)))) {
            let is_there = |name: &&str| services.subkey(name).is_ok_and(|key| key.is_some());
            marks.services = SERVICES.iter().copied().filter(is_there).collect();
        }
        let Some(control) = reader.keep(tree.key(&format!(r"{}\Control", key_name(set)))) else { return marks };
        if let Some(key) = reader.keep(control.subkey("ProductOptions")) {
            marks.product_type = reader.text(&key, "ProductType");
        }
        if let Some(key) = reader.keep(control.subkey("Windows")) {
            marks.service_pack = reader.number(&key, "CSDVersion");
            marks.revision = reader.number(&key, "CSDBuildNumber");
        }
        if let Some(key) = reader.keep(control.subkey("Terminal Server")) {
            marks.terminal_server_version = reader.text(&key, "ProductVersion");
        }
        marks.has_mini_nt = reader.keep(control.subkey("MiniNT")).is_some();
        if let Some(key) = reader.keep(control.descend(r"Session Manager\Environment")) {
            marks.architecture = reader.text(&key, "PROCESSOR_ARCHITECTURE");
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_lab_names_the_architecture() {
        assert_eq!(architecture_of_build_lab("7601.17514.x86fre.win7sp1_rtm.101119-1850"), Some("x86"));
        assert_eq!(architecture_of_build_lab("22621.1.amd64fre.ni_release.220506-1250"), Some("x64"));
        assert_eq!(architecture_of_build_lab("nonsense"), None);
    }
}
