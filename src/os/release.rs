//! The list of Windows, their releases and builds: `src/baselines/releases.toml`, which the build converts to a table.

use std::str::FromStr;

use serde::Serialize;

use crate::nearest::nearest;

/// A Windows: an entry of the list. Reports and baselines refer to it by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsId(u8);

/// One Windows of the list.
#[derive(Debug)]
pub(super) struct Windows {
    id: &'static str,
    name: &'static str,
    /// The kernel version; `None` if marks, not a version, identify it.
    pub(super) version: Option<(u64, u64)>,
    /// `None` for a Windows that serves as client and as server.
    pub(super) product: Option<Product>,
    /// The EditionID of this Windows only.
    pub(super) edition: Option<&'static str>,
    /// Another Windows' name that its ProductName contains.
    pub(super) also_named: Option<&'static str>,
    has_baseline: bool,
    pub(super) builds: &'static [Build],
}

/// One build of a Windows.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) number: u32,
    pub(super) release: Option<&'static str>,
    /// The name of this build, if it has its own.
    pub(super) name: Option<&'static str>,
    /// The Windows whose baseline judges this build.
    pub(super) judged_by: Option<OsId>,
    source: &'static str,
}

/// A system with a name of its own that reports the version of a Windows without being that Windows.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) name: &'static str,
    /// A text in its ProductName.
    pub(super) product_name: Option<&'static str>,
    /// Its InstallationType.
    pub(super) installation_type: Option<&'static str>,
    /// The end of its EditionID.
    pub(super) edition_suffix: Option<&'static str>,
    pub(super) why: &'static str,
}

/// Client or server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Client,
    Server,
}

include!(concat!(env!("OUT_DIR"), "/releases.rs"));

impl OsId {
    /// Every id of the list.
    pub const ALL: &[Self] = IDS;
    /// Any Windows that the list does not contain.
    pub const UNKNOWN: Self = UNKNOWN;
    /// The preinstallation and recovery environment.
    pub const PE: Self = PE;
    /// A container layer.
    pub const CONTAINER: Self = CONTAINER;

    pub(super) fn entry(self) -> Option<&'static Windows> {
        LIST.get(usize::from(self.0))
    }

    /// Returns the Windows that was probably meant with text such as `winxp`, `Win 7`, `2008r2`, or
    /// `windows-server-2o19`.
    pub fn meant(text: &str) -> Option<Self> {
        let plain = |text: &str| {
            let letters: String =
                text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
            let rest = ["windows", "win", "w"].into_iter().find_map(|start| letters.strip_prefix(start));
            let rest = rest.unwrap_or(&letters);
            // 2k3 is 2003, 2k16 is 2016, and 2k by itself is 2000.
            let years = match rest.strip_prefix("2k") {
                Some("") => "2000",
                Some(year) if year.starts_with('1') => "20",
                _ => "200",
            };
            rest.replace("2k", years)
        };
        let typed = plain(text);
        let of_server = |id: &Self| plain(id.as_str()).strip_prefix("server").map(str::to_owned);
        let all = || Self::ALL.iter().copied();
        all()
            .find(|id| plain(id.as_str()) == typed)
            .or_else(|| all().find(|id| of_server(id).as_ref() == Some(&typed)))
            .or_else(|| nearest(text, Self::ALL.iter().map(|id| id.as_str()))?.parse().ok())
    }

    /// Returns the id: `windows-xp`.
    pub fn as_str(self) -> &'static str {
        self.entry().map_or("unknown", |windows| windows.id)
    }

    /// Returns the usual name.
    pub fn name(self) -> &'static str {
        self.entry().map_or("unknown Windows", |windows| windows.name)
    }

    /// Returns whether this Windows has a baseline of its own.
    pub fn has_baseline(self) -> bool {
        self.entry().is_some_and(|windows| windows.has_baseline)
    }

    /// Returns the kernel version, if it identifies this Windows.
    pub fn version(self) -> Option<(u64, u64)> {
        self.entry()?.version
    }

    /// Returns the date up to which the list is complete, `2026-11-04`.
    pub fn as_of() -> &'static str {
        env!("HIVEMEND_RELEASES_AS_OF")
    }
}

impl Build {
    /// Returns the build with its source: `26100, 24H2 (Microsoft: Windows 11 release information)`.
    pub(super) fn cited(&self) -> String {
        let release = self.release.map_or_else(String::new, |release| format!(", {release}"));
        format!("{}{release} ({})", self.number, self.source)
    }
}

impl FromStr for OsId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|id| id.as_str() == text).ok_or(())
    }
}

impl std::fmt::Display for OsId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for OsId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads the form that [`OsId`] is written in.
impl<'de> serde::Deserialize<'de> for OsId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|()| serde::de::Error::custom(format!("{name:?} is not a Windows of the list")))
    }
}

/// The contents of `Control\ProductOptions\ProductType`: Microsoft, Knowledge Base Q152078.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductType {
    /// `WinNT`: a client.
    Workstation,
    /// `ServerNT`: a server that is not a domain controller.
    Server,
    /// `LanmanNT`: a domain controller.
    DomainController,
}

impl ProductType {
    /// Returns the type for the value's data.
    pub fn from_hive(text: &str) -> Option<Self> {
        [Self::Workstation, Self::Server, Self::DomainController]
            .into_iter()
            .find(|product| product.as_str().eq_ignore_ascii_case(text))
    }

    /// Returns the value's data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workstation => "WinNT",
            Self::Server => "ServerNT",
            Self::DomainController => "LanmanNT",
        }
    }

    pub(super) fn product(self) -> Product {
        match self {
            Self::Workstation => Product::Client,
            Self::Server | Self::DomainController => Product::Server,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_come_back_from_text() {
        for id in OsId::ALL {
            assert_eq!(id.as_str().parse(), Ok(*id));
        }
        assert_eq!("windows-2001".parse::<OsId>(), Err(()));
    }

    #[test]
    fn the_windows_that_somebody_means_is_found() {
        for (typed, id) in [
            ("winxp", "windows-xp"),
            ("XP", "windows-xp"),
            ("Win 7", "windows-7"),
            ("windos-8", "windows-8"),
            ("2008r2", "windows-server-2008-r2"),
            ("w2k", "windows-2000"),
            ("w2k3", "windows-server-2003"),
            ("Windows Server 2019", "windows-server-2019"),
            ("windows81", "windows-8.1"),
        ] {
            assert_eq!(OsId::meant(typed).map(OsId::as_str), Some(id), "{typed}");
        }
        assert_eq!(OsId::meant("macos"), None);
    }
}
