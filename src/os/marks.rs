//! The marks that a Windows leaves of itself in its two hives.

use crate::control_set::{Choice, ControlSets, key_name};
use crate::error::Problem;
use crate::hive::{Key, Tree};
use crate::registry::RegistryValue;

/// Where SOFTWARE keeps them. libyal/winreg-kb, "Windows NT\CurrentVersion".
pub(super) const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";

/// What SOFTWARE says, as it says it.
#[derive(Default)]
pub(super) struct SoftwareMarks {
    pub(super) current_version: Option<String>,
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) build: Option<u32>,
    pub(super) revision: Option<u64>,
    pub(super) service_pack: Option<String>,
    pub(super) product_name: Option<String>,
    pub(super) installation_type: Option<String>,
    pub(super) edition: Option<String>,
    pub(super) release: Option<(&'static str, String)>,
    pub(super) architecture: Option<&'static str>,
    pub(super) has_wow64: bool,
    pub(super) is_pe: bool,
}

/// What SYSTEM says, as it says it.
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
    pub(super) is_pe: bool,
    pub(super) is_container: bool,
}

fn text(key: &Key<'_, '_>, name: &str) -> Result<Option<String>, Problem> {
    // Trailing NULs in these strings are setup's carelessness, nothing hidden: they are read up to the first one.
    Ok(key.value(name)?.as_ref().and_then(lenient_text))
}

fn number(key: &Key<'_, '_>, name: &str) -> Result<Option<u64>, Problem> {
    Ok(key.value(name)?.and_then(|value| value.as_number()))
}

/// A string as Windows' own readers take it, up to its first NUL; for marks that are shown, never for verdicts.
pub(crate) fn lenient_text(value: &RegistryValue) -> Option<String> {
    let units = value.bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).ok().filter(|text| !text.is_empty())
}

impl SoftwareMarks {
    pub(super) fn read(tree: &Tree<'_>) -> Result<Self, Problem> {
        let Some(key) = tree.key(CURRENT_VERSION)? else { return Ok(Self::default()) };
        let release = match text(&key, "DisplayVersion")? {
            Some(version) => Some(("DisplayVersion", version)),
            None => text(&key, "ReleaseId")?.map(|release| ("ReleaseId", release)),
        };
        Ok(Self {
            current_version: text(&key, "CurrentVersion")?,
            major: number(&key, "CurrentMajorVersionNumber")?,
            minor: number(&key, "CurrentMinorVersionNumber")?,
            // CurrentBuild is "1.511.1 ()" on XP; CurrentBuildNumber is the number on every Windows.
            build: text(&key, "CurrentBuildNumber")?.and_then(|build| build.parse().ok()),
            revision: number(&key, "UBR")?,
            service_pack: text(&key, "CSDVersion")?,
            product_name: text(&key, "ProductName")?,
            installation_type: text(&key, "InstallationType")?,
            edition: text(&key, "EditionID")?,
            release,
            architecture: text(&key, "BuildLabEx")?.as_deref().and_then(architecture_of_build_lab),
            has_wow64: tree.key("Wow6432Node")?.is_some(),
            is_pe: key.subkey("WinPE")?.is_some(),
        })
    }
}

/// `7601.17514.x86fre.win7sp1_rtm.101119-1850`: the third part names the architecture.
fn architecture_of_build_lab(lab: &str) -> Option<&'static str> {
    let part = lab.split('.').nth(2)?;
    ["x86", "amd64", "arm64", "ia64"]
        .iter()
        .zip(["x86", "x64", "arm64", "ia64"])
        .find_map(|(prefix, name)| part.starts_with(prefix).then_some(name))
}

impl SystemMarks {
    pub(super) fn read(tree: &Tree<'_>, minor: u32) -> Result<Self, Problem> {
        let root = tree.root()?;
        let mut marks = Self { root_name: root.name(), ..Self::default() };
        marks.has_wpa = root.subkey("WPA")?.is_some();
        if let Some(key) = tree.key(r"Setup\Service Reporting API\Components\CoreOS")? {
            marks.core_os = text(&key, "Version")?;
        }
        let sets = ControlSets::read(tree)?;
        // These do not differ between control sets; where Select is unclear any set will do.
        let set = sets.chosen(Choice::Current).ok().and_then(|chosen| chosen.first().copied());
        let Some(set) = set.or_else(|| sets.present.first().copied()) else { return Ok(marks) };
        let Some(control) = tree.key(&format!(r"{}\Control", key_name(set)))? else { return Ok(marks) };
        if let Some(key) = control.subkey("ProductOptions")? {
            marks.product_type = text(&key, "ProductType")?;
        }
        if let Some(key) = control.subkey("Windows")? {
            marks.service_pack = number(&key, "CSDVersion")?;
            marks.revision = number(&key, "CSDBuildNumber")?;
        }
        if let Some(key) = control.subkey("Terminal Server")? {
            marks.terminal_server_version = text(&key, "ProductVersion")?;
        }
        marks.is_pe = control.subkey("MiniNT")?.is_some();
        // Layered keys exist only in the hives of Windows containers: format 1.6, msuhanov's specification.
        marks.is_container = minor >= 6 || control.value("ContainerType")?.is_some();
        if let Some(key) = control.descend(r"Session Manager\Environment")? {
            marks.architecture = text(&key, "PROCESSOR_ARCHITECTURE")?;
        }
        Ok(marks)
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
