//! Which Windows two hives belong to, and on what basis that is said.

use serde::Serialize;

use crate::error::Problem;
use crate::hive::Tree;

mod marks;
#[expect(dead_code, reason = "the vote that names a Windows will read the rest of the list")]
mod release;

pub(crate) use marks::lenient_text;
use marks::{SoftwareMarks, SystemMarks};
pub use release::{OsId, ProductType};

/// A Windows, as its hives tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Os {
    /// Which Windows, as `baseline list` names it, or one that there is no baseline for.
    pub id: OsId,
    /// Whether the user said so, and not the hives.
    pub forced: bool,
    /// The name as people say it.
    pub name: &'static str,
    /// The name that the hive gives; it says "Windows 10" on Windows 11.
    pub product_name: Option<String>,
    /// Kernel version, `5.1` to `10.0`.
    pub version: Option<String>,
    /// Build number.
    pub build: Option<u32>,
    /// Update build revision, the number behind the build.
    pub revision: Option<u64>,
    /// Service pack, as text.
    pub service_pack: Option<String>,
    /// `WinNT`, `ServerNT` or `LanmanNT`.
    pub product_type: Option<String>,
    /// `x86`, `x64`, `arm64` or `ia64`.
    pub architecture: Option<String>,
    /// Edition, such as `Professional`.
    pub edition: Option<String>,
    /// What in which hive says so.
    pub basis: Vec<String>,
}

impl Os {
    /// The number of the service pack, 0 for none; `None` where neither hive can tell.
    pub fn service_pack_number(&self) -> Option<u32> {
        match &self.service_pack {
            Some(text) => text.rsplit(' ').next()?.parse().ok(),
            // From XP on a hive without the value is a Windows without a service pack.
            None => self.version.as_ref().map(|_| 0),
        }
    }

    /// The product type, where it is known.
    pub fn product(&self) -> Option<ProductType> {
        self.product_type.as_deref().and_then(ProductType::from_hive)
    }
}

/// The trees of a pair of hives; either may be missing.
#[derive(Clone, Copy)]
pub struct Pair<'a, 'h> {
    /// SOFTWARE.
    pub software: Option<&'a Tree<'h>>,
    /// SYSTEM, and the minor version of its format.
    pub system: Option<(&'a Tree<'h>, u32)>,
}

/// Finds out which Windows a pair of hives belongs to; also what could not be read of the marks, and whether the two
/// contradict each other. Where they do, or where nothing is known of such a Windows, the id is one without a baseline.
pub fn identify(pair: Pair<'_, '_>) -> (Os, Vec<Problem>) {
    let mut problems = Vec::new();
    let software = pair.software.map(|tree| SoftwareMarks::read(tree, &mut problems));
    let system = pair.system.map(|(tree, minor)| SystemMarks::read(tree, minor, &mut problems));
    let mut basis = Vec::new();
    let os = conclude(software.unwrap_or_default(), system.as_ref(), &mut basis, &mut problems);
    (Os { basis, ..os }, problems)
}

fn conclude(
    software: SoftwareMarks,
    system: Option<&SystemMarks>,
    basis: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) -> Os {
    let product_type = system.and_then(|marks| marks.product_type.clone());
    let architecture = architecture(&software, system);
    let (version, build) = version(&software, system, architecture.as_deref(), basis);
    if let Some(product_type) = &product_type {
        basis.push(format!("SYSTEM: ProductType={product_type}"));
    }
    let product = product_type.as_deref().and_then(ProductType::from_hive).or_else(|| {
        let product = software_product(&software)?;
        basis.push(format!("SOFTWARE: {}", product.1));
        Some(product.0)
    });

    let contradiction = contradiction(&software, system, version);
    let id = if software.is_pe || system.is_some_and(|marks| marks.is_pe) {
        basis.push("WinPE keys are there".to_owned());
        OsId::PE
    } else if system.is_some_and(|marks| marks.is_container) {
        basis.push("SYSTEM: a container's hive (layered format 1.6)".to_owned());
        OsId::CONTAINER
    } else if let Some(found) = contradiction {
        basis.push(format!("the two hives contradict each other: {found}"));
        let expected = "SOFTWARE and SYSTEM of one Windows".to_owned();
        problems.push(
            Problem::new(expected, found)
                .advise("audit each by itself, or put those that belong together in one folder"),
        );
        OsId::UNKNOWN
    } else {
        match version {
            Some((major, minor)) => release::identify(major, minor, build, product, basis),
            None => OsId::UNKNOWN,
        }
    };
    Os {
        id,
        forced: false,
        name: id.name(),
        product_name: software.product_name,
        version: version.map(|(major, minor)| format!("{major}.{minor}")),
        build,
        revision: software.revision.or_else(|| system.and_then(|marks| marks.revision).filter(|_| build > Some(9600))),
        service_pack: software.service_pack.or_else(|| {
            // 0x300 is Service Pack 3.
            let number = system?.service_pack? >> 8;
            (number > 0).then(|| format!("Service Pack {number}"))
        }),
        product_type,
        architecture,
        edition: software.edition,
        basis: Vec::new(),
    }
}

/// The kernel version and the build, and what says so.
fn version(
    software: &SoftwareMarks,
    system: Option<&SystemMarks>,
    architecture: Option<&str>,
    basis: &mut Vec<String>,
) -> (Option<(u64, u64)>, Option<u32>) {
    if let Some(text) = &software.current_version {
        // From Windows 10 on CurrentVersion stays 6.3, and two numbers tell the version.
        let version = if let Some(major) = software.major {
            let minor = software.minor.unwrap_or(0);
            basis.push(format!("SOFTWARE: CurrentMajorVersionNumber={major}, CurrentMinorVersionNumber={minor}"));
            Some((major, minor))
        } else {
            basis.push(format!("SOFTWARE: CurrentVersion={text}"));
            parse_version(text)
        };
        if let Some(build) = software.build {
            basis.push(format!("SOFTWARE: CurrentBuildNumber={build}"));
        }
        if let Some((name, release)) = &software.release {
            basis.push(format!("SOFTWARE: {name}={release}"));
        }
        return (version, software.build);
    }
    let Some(system) = system else { return (None, None) };
    if let Some(core_os) = &system.core_os {
        basis.push(format!("SYSTEM: CoreOS version {core_os} (the build that the installation was made with)"));
        let build = core_os.split('.').nth(2).and_then(|build| build.parse().ok());
        return (parse_version(core_os), build);
    }
    before_vista(system, architecture, basis)
}

/// A SYSTEM hive whose root is named `$$$PROTO.HIV` was made by the setup of 2000, XP or 2003; a `WPA` key (product
/// activation) is there since XP. libyal/winreg-kb; observed on six machines.
fn before_vista(
    system: &SystemMarks,
    architecture: Option<&str>,
    basis: &mut Vec<String>,
) -> (Option<(u64, u64)>, Option<u32>) {
    if system.root_name != "$$$PROTO.HIV" || !system.has_wpa {
        return (None, None);
    }
    let product = system.product_type.as_deref().and_then(ProductType::from_hive);
    let (version, build) = match (product, architecture) {
        (Some(ProductType::Workstation), Some("x86")) => ((5, 1), 2600),
        (Some(_), Some(_)) => ((5, 2), 3790),
        _ => return (None, None),
    };
    basis.push("SYSTEM: root key $$$PROTO.HIV, WPA key (XP or Server 2003)".to_owned());
    if let Some(text) = &system.terminal_server_version {
        // 5.1 on XP x86, 5.2 on XP x64; wrong on later Windows, so it is asked only here.
        if parse_version(text) != Some(version) {
            basis.push(format!("SYSTEM: but Terminal Server\\ProductVersion={text}"));
            return (None, None);
        }
        basis.push(format!("SYSTEM: Terminal Server\\ProductVersion={text}"));
    }
    (Some(version), Some(build))
}

/// Where the hives say different things of which Windows this is: what they say.
fn contradiction(
    software: &SoftwareMarks,
    system: Option<&SystemMarks>,
    version: Option<(u64, u64)>,
) -> Option<String> {
    let (system, (major, minor)) = (system?, version?);
    software.current_version.as_ref()?;
    let says = format!("SOFTWARE of Windows {major}.{minor}");
    if let Some(core_os) = &system.core_os
        && parse_version(core_os).is_some_and(|of_system| of_system != (major, minor))
    {
        return Some(format!("{says}, SYSTEM of Windows {core_os}"));
    }
    if (system.root_name == "$$$PROTO.HIV") != (major < 6) && major > 4 && known_root(&system.root_name) {
        return Some(format!("{says}, SYSTEM with the root key {} of another generation", system.root_name));
    }
    let by_type = system.product_type.as_deref().and_then(ProductType::from_hive)?;
    let by_name = software_product(software)?;
    if (by_type == ProductType::Workstation) != (by_name.0 == ProductType::Workstation) {
        return Some(format!("SOFTWARE with {}, SYSTEM with ProductType={}", by_name.1, by_type.as_str()));
    }
    None
}

/// Root key names that Windows' own setup gives, by generation; `reg save` and tools give others.
fn known_root(name: &str) -> bool {
    name == "$$$PROTO.HIV" || name.starts_with("CMI-CreateHive{") || name.starts_with("CsiTool-CreateHive-{")
}

/// Client or server, as far as SOFTWARE can tell, and what in it says so.
fn software_product(software: &SoftwareMarks) -> Option<(ProductType, String)> {
    if let Some(kind) = &software.installation_type {
        let product = if kind.starts_with("Server") {
            ProductType::Server
        } else if kind == "Client" {
            ProductType::Workstation
        } else {
            return None;
        };
        return Some((product, format!("InstallationType={kind}")));
    }
    let name = software.product_name.as_ref()?;
    let product = if name.contains("Server") {
        ProductType::Server
    } else if name.contains("XP") || name.contains("Professional") || name.contains("Vista") {
        ProductType::Workstation
    } else {
        return None;
    };
    Some((product, format!("ProductName={name}")))
}

fn architecture(software: &SoftwareMarks, system: Option<&SystemMarks>) -> Option<String> {
    let of_system =
        system.and_then(|marks| marks.architecture.as_deref()).map(|name| match name.to_ascii_uppercase().as_str() {
            "AMD64" => "x64".to_owned(),
            other => other.to_ascii_lowercase(),
        });
    let of_software = software.architecture.or(software.has_wow64.then_some("x64")).map(str::to_owned);
    of_system.or(of_software)
}

fn parse_version(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split('.').map(|part| part.trim().parse().ok());
    Some((parts.next()??, parts.next()??))
}
