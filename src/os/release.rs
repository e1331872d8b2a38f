//! The list of Windows, their releases and builds: `src/baselines/releases.toml`, which the build turns into a table.

use std::str::FromStr;

use serde::Serialize;

/// Which Windows: an entry of the list. Reports and baselines call it by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsId(u8);

/// One Windows of the list.
#[derive(Debug)]
pub(super) struct Windows {
    id: &'static str,
    name: &'static str,
    /// The kernel version; `None` where marks, not a version, name it.
    pub(super) version: Option<(u64, u64)>,
    /// `None` where it is one Windows for clients and servers.
    pub(super) product: Option<Product>,
    /// The EditionID that only this Windows has.
    pub(super) edition: Option<&'static str>,
    has_baseline: bool,
    pub(super) builds: &'static [Build],
}

/// One build of a Windows.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) number: u32,
    pub(super) release: Option<&'static str>,
    /// The name of this build, where it has one of its own.
    pub(super) name: Option<&'static str>,
    /// The Windows whose baseline judges it.
    pub(super) judged_by: Option<OsId>,
    source: &'static str,
    url: &'static str,
}

/// A system that names itself and reports a version of Windows without being that Windows.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) name: &'static str,
    /// Text in its ProductName.
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
    /// Anything that the list does not name.
    pub const UNKNOWN: Self = UNKNOWN;
    /// The preinstallation and recovery environment.
    pub const PE: Self = PE;
    /// A layer of a container.
    pub const CONTAINER: Self = CONTAINER;

    pub(super) fn entry(self) -> Option<&'static Windows> {
        LIST.get(usize::from(self.0))
    }

    /// The id: `windows-xp`.
    pub fn as_str(self) -> &'static str {
        self.entry().map_or("unknown", |windows| windows.id)
    }

    /// The name as people say it.
    pub fn name(self) -> &'static str {
        self.entry().map_or("unknown Windows", |windows| windows.name)
    }

    /// Whether this Windows has a baseline of its own.
    pub fn has_baseline(self) -> bool {
        self.entry().is_some_and(|windows| windows.has_baseline)
    }

    /// The kernel version, where that names it.
    pub fn version(self) -> Option<(u64, u64)> {
        self.entry()?.version
    }

    /// The day up to which the list is complete, `2026-11-04`.
    pub fn as_of() -> &'static str {
        AS_OF
    }
}

impl Build {
    /// Where the number is from.
    pub(super) fn cited(&self) -> String {
        format!("{}, {}", self.source, self.url)
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

/// What `Control\ProductOptions\ProductType` says: Microsoft, Knowledge Base Q152078.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductType {
    /// `WinNT`: a client.
    Workstation,
    /// `ServerNT`: a server that is no domain controller.
    Server,
    /// `LanmanNT`: a domain controller.
    DomainController,
}

impl ProductType {
    /// From the value's data.
    pub fn from_hive(text: &str) -> Option<Self> {
        [Self::Workstation, Self::Server, Self::DomainController]
            .into_iter()
            .find(|product| product.as_str().eq_ignore_ascii_case(text))
    }

    /// The value's data.
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

/// Which release a kernel version, a build and a product type belong to. Where it is none that we know, `basis` is
/// given the reason.
pub(super) fn identify(
    major: u64,
    minor: u64,
    build: Option<u32>,
    product: Option<ProductType>,
    basis: &mut Vec<String>,
) -> OsId {
    let of_version = OsId::ALL.iter().copied().filter(|id| id.version() == Some((major, minor)));
    let fits = |id: &OsId| {
        let Some(windows) = id.entry() else { return false };
        let product = windows.product.is_none() || windows.product == product.map(ProductType::product);
        let build = (major, minor) < (10, 0) || windows.builds.iter().any(|known| Some(known.number) == build);
        product && build && windows.edition.is_none()
    };
    of_version.clone().find(fits).unwrap_or_else(|| {
        let build = build.map_or_else(|| "unknown".to_owned(), |build| build.to_string());
        let kind = match product.map(ProductType::product) {
            Some(Product::Client) => "client",
            Some(Product::Server) => "server",
            None => {
                basis.push("neither hive says whether this is a client or a server".to_owned());
                return OsId::UNKNOWN;
            }
        };
        basis.push(format!("no baseline knows a {kind} of version {major}.{minor}, build {build}"));
        OsId::UNKNOWN
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(major: u64, minor: u64, build: u32, product: ProductType) -> &'static str {
        identify(major, minor, Some(build), Some(product), &mut Vec::new()).as_str()
    }

    #[test]
    fn a_server_is_never_taken_for_its_client() {
        use ProductType::{DomainController, Server, Workstation};
        let expected = [
            (5, 2, 3790, Workstation, "windows-xp-x64"),
            (5, 2, 3790, DomainController, "windows-server-2003"),
            (6, 0, 6002, Workstation, "windows-vista"),
            (6, 0, 6002, Server, "windows-server-2008"),
            (6, 1, 7601, Server, "windows-server-2008-r2"),
            (6, 2, 9200, Server, "windows-server-2012"),
            (6, 3, 9600, DomainController, "windows-server-2012-r2"),
            (10, 0, 14393, Workstation, "windows-10"),
            (10, 0, 14393, Server, "windows-server-2016"),
            (10, 0, 17763, Server, "windows-server-2019"),
            (10, 0, 20348, Server, "windows-server-2022"),
            (10, 0, 22000, Workstation, "windows-11"),
            (10, 0, 26100, Workstation, "windows-11"),
            (10, 0, 26100, Server, "windows-server-2025"),
        ];
        for (major, minor, build, product, os) in expected {
            assert_eq!(id(major, minor, build, product), os);
        }
    }

    #[test]
    fn ids_are_unique_and_come_back_from_text() {
        for id in OsId::ALL {
            assert_eq!(id.as_str().parse(), Ok(*id));
        }
        assert_eq!("windows-2001".parse::<OsId>(), Err(()));
    }
}
