//! The releases of Windows: kernel version, build and product type tell which one.
//!
//! Builds: Microsoft, <https://learn.microsoft.com/windows/release-health/release-information> and
//! <https://learn.microsoft.com/windows/release-health/windows-server-release-info>.

use std::str::FromStr;

use serde::Serialize;

macro_rules! releases {
    ($($variant:ident $id:literal $name:literal $doc:literal)*) => {
        /// Which Windows. The id is what reports and baselines call it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OsId { $(#[doc = $doc] $variant),* }

        impl OsId {
            /// Every id there is.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The id: `windows-xp`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// The name as people say it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

releases! {
    Windows2000 "windows-2000" "Windows 2000" "5.0, client and server."
    WindowsXp "windows-xp" "Windows XP" "5.1."
    WindowsXpX64 "windows-xp-x64" "Windows XP x64" "5.2 on a workstation."
    WindowsServer2003 "windows-server-2003" "Windows Server 2003" "5.2 on a server, R2 too."
    WindowsVista "windows-vista" "Windows Vista" "6.0."
    WindowsServer2008 "windows-server-2008" "Windows Server 2008" "6.0 on a server."
    Windows7 "windows-7" "Windows 7" "6.1."
    WindowsServer2008R2 "windows-server-2008-r2" "Windows Server 2008 R2" "6.1 on a server."
    Windows8 "windows-8" "Windows 8" "6.2."
    WindowsServer2012 "windows-server-2012" "Windows Server 2012" "6.2 on a server."
    Windows81 "windows-8.1" "Windows 8.1" "6.3."
    WindowsServer2012R2 "windows-server-2012-r2" "Windows Server 2012 R2" "6.3 on a server."
    Windows10 "windows-10" "Windows 10" "10.0, builds 10240 to 19045."
    WindowsServer2016 "windows-server-2016" "Windows Server 2016" "10.0, build 14393 on a server."
    WindowsServer2019 "windows-server-2019" "Windows Server 2019" "10.0, build 17763 on a server."
    WindowsServer2022 "windows-server-2022" "Windows Server 2022" "10.0, build 20348 on a server."
    WindowsServer2025 "windows-server-2025" "Windows Server 2025" "10.0, build 26100 on a server."
    Windows11 "windows-11" "Windows 11" "10.0, builds 22000 to 26200 on a client."
    WindowsNt4 "windows-nt4" "Windows NT 4.0" "4.0; no baseline."
    WindowsPe "windows-pe" "Windows PE" "The preinstallation and recovery environment; no baseline."
    WindowsContainer "windows-container" "Windows container layer" "A layer of a container; no baseline."
    Unknown "unknown" "unknown Windows" "Anything else, newer builds too; no baseline."
}

impl OsId {
    /// Whether this is a Windows that there is a baseline for.
    pub fn has_baseline(self) -> bool {
        !matches!(self, Self::WindowsNt4 | Self::WindowsPe | Self::WindowsContainer | Self::Unknown)
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
    // These two are one system whatever the product type.
    match (major, minor) {
        (4, 0) => return OsId::WindowsNt4,
        (5, 0) => return OsId::Windows2000,
        (5, 1) => return OsId::WindowsXp,
        _ => {}
    }
    let Some(product) = product else {
        basis.push("neither hive says whether this is a client or a server".to_owned());
        return OsId::Unknown;
    };
    let client = product == ProductType::Workstation;
    let choose = |on_client, on_server| if client { on_client } else { on_server };
    match (major, minor, build) {
        (5, 2, _) => choose(OsId::WindowsXpX64, OsId::WindowsServer2003),
        (6, 0, _) => choose(OsId::WindowsVista, OsId::WindowsServer2008),
        (6, 1, _) => choose(OsId::Windows7, OsId::WindowsServer2008R2),
        (6, 2, _) => choose(OsId::Windows8, OsId::WindowsServer2012),
        (6, 3, _) => choose(OsId::Windows81, OsId::WindowsServer2012R2),
        (10, 0, Some(10240..=19045)) if client => OsId::Windows10,
        (10, 0, Some(22000..=26200)) if client => OsId::Windows11,
        (10, 0, Some(14393)) => OsId::WindowsServer2016,
        (10, 0, Some(17763)) => OsId::WindowsServer2019,
        (10, 0, Some(20348)) => OsId::WindowsServer2022,
        (10, 0, Some(26100)) => OsId::WindowsServer2025,
        _ => {
            let build = build.map_or_else(|| "unknown".to_owned(), |build| build.to_string());
            let kind = if client { "client" } else { "server" };
            basis.push(format!("no baseline knows a {kind} of version {major}.{minor}, build {build}"));
            OsId::Unknown
        }
    }
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
    fn what_is_newer_than_we_know_is_unknown_and_says_so() {
        let mut basis = Vec::new();
        assert_eq!(identify(10, 0, Some(30000), Some(ProductType::Workstation), &mut basis), OsId::Unknown);
        insta::assert_debug_snapshot!(basis, @r#"
        [
            "no baseline knows a client of version 10.0, build 30000",
        ]
        "#);
        assert_eq!(id(10, 0, 25398, ProductType::Server), "unknown");
        assert_eq!(id(10, 0, 20000, ProductType::Workstation), "unknown");
    }
}
