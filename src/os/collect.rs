//! Converts the contents of the hives to marks that vote.
//!
//! Root key names: libyal/winreg-kb. Kernel version, build and `CoreOS`: observed in real hives.

use super::marks::{SoftwareMarks, SystemMarks};
use super::parse_version;
use super::release::{MULTI_SESSION, OsId, Product, ProductType};
use super::vote::{Claim, Mark};

/// Returns the marks of both hives.
pub(super) fn collect(software: &SoftwareMarks, system: Option<&SystemMarks>) -> Vec<Mark> {
    let mut marks = of_software(software);
    let named = !marks.is_empty();
    let Some(system) = system else {
        marks.extend(product_of_software(software, true));
        return marks;
    };
    marks.extend(of_system(system, named));
    let product_type = system.product_type.as_deref();
    let product = product_type.and_then(ProductType::from_hive);
    if let (Some(product), Some(text)) = (product, product_type) {
        let text = format!("SYSTEM: ProductType={text}");
        // The ProductType of a multi-session client is that of a server.
        let claim = if is_multi_session(software) { Claim::Nothing } else { Claim::Product(product.product()) };
        marks.push(Mark::main(text, 3, claim));
    }
    marks.extend(product_of_software(software, product.is_none()));
    if !marks.iter().any(|mark| names_the_kernel(&mark.claim)) {
        marks.extend(by_generation(system, product));
    }
    marks
}

pub(super) fn names_the_kernel(claim: &Claim) -> bool {
    matches!(claim, Claim::Version(..) | Claim::Base(..) | Claim::Build(_) | Claim::Lab(_))
}

fn is_multi_session(software: &SoftwareMarks) -> bool {
    software.edition.as_ref().is_some_and(|edition| MULTI_SESSION.iter().any(|one| edition.eq_ignore_ascii_case(one)))
}

fn of_software(software: &SoftwareMarks) -> Vec<Mark> {
    let mut marks = Vec::new();
    let text = software.current_version.as_deref();
    let version = text.and_then(parse_version);
    if let Some(major) = software.major {
        // From Windows 10 on, CurrentVersion stays 6.3, and two numbers contain the version.
        let minor = software.minor.unwrap_or(0);
        let text = format!("SOFTWARE: CurrentMajorVersionNumber={major}, CurrentMinorVersionNumber={minor}");
        marks.push(Mark::main(text, 3, Claim::Version(major, minor)));
        if let Some((major, minor)) = version.filter(|version| *version != (6, 3)) {
            let text = format!("SOFTWARE: CurrentVersion={major}.{minor}");
            marks.push(Mark::other(text, 2, Claim::Version(major, minor)));
        }
    } else if let (Some((major, minor)), Some(text)) = (version, text) {
        marks.push(Mark::main(format!("SOFTWARE: CurrentVersion={text}"), 3, Claim::Version(major, minor)));
    }
    if let Some(build) = software.build {
        marks.push(Mark::main(format!("SOFTWARE: CurrentBuildNumber={build}"), 3, Claim::Build(build)));
    }
    // CurrentBuild is "1.511.1 ()" on XP; CurrentBuildNumber is the number on every Windows.
    if let Some(build) = software.second_build.filter(|build| Some(*build) != software.build) {
        marks.push(Mark::other(format!("SOFTWARE: CurrentBuild={build}"), 1, Claim::Build(build)));
    }
    if let Some((name, release)) = &software.release {
        marks.push(Mark::main(format!("SOFTWARE: {name}={release}"), 0, Claim::Nothing));
    }
    if let Some((name, build)) = software.lab {
        marks.push(Mark::other(format!("SOFTWARE: {name}={build}"), 1, Claim::Lab(build)));
    }
    if let Some(edition) = &software.edition {
        let of = |id: &OsId| id.entry().and_then(|windows| windows.edition) == Some(edition.as_str());
        if let Some(id) = OsId::ALL.iter().copied().find(of) {
            marks.push(Mark::main(format!("SOFTWARE: EditionID={edition}"), 3, Claim::Edition(id)));
        }
    }
    let named = software.product_name.as_deref().map(named_in).unwrap_or_default();
    if let Some(name) = software.product_name.as_ref().filter(|_| !named.is_empty()) {
        marks.push(Mark::other(format!("SOFTWARE: ProductName={name}"), 2, Claim::Named(named)));
    }
    marks
}

/// Returns the Windows that a ProductName names. The longest name in it counts: "Windows 8.1 Pro" is not Windows 8.
fn named_in(product_name: &str) -> Vec<OsId> {
    let plain = product_name.replace("(R)", " ").replace("(TM)", " ").replace(['\u{ae}', '\u{2122}'], " ");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = OsId::ALL.iter().copied().flat_map(|id| {
        let also = id.entry().and_then(|windows| windows.also_named);
        [Some(id.name()), also].into_iter().flatten().map(move |name| (name, id))
    });
    let held: Vec<(&str, OsId)> = names.filter(|(name, _)| plain.contains(name)).collect();
    let longest = held.iter().map(|(name, _)| name.len()).max();
    held.into_iter().filter(|(name, _)| Some(name.len()) == longest).map(|(_, id)| id).collect()
}

/// Returns marks on whether this is a client or a server, from SOFTWARE.
fn product_of_software(software: &SoftwareMarks, main: bool) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut mark = |text: String, weight, product| {
        marks.push(Mark { main, ..Mark::other(text, weight, Claim::Product(product)) });
    };
    if is_multi_session(software) {
        let edition = software.edition.as_deref().unwrap_or_default();
        let text = format!("SOFTWARE: EditionID={edition} (multi-session, a client)");
        return vec![Mark::main(text, 4, Claim::Product(Product::Client))];
    }
    if let Some(kind) = &software.installation_type {
        let text = format!("SOFTWARE: InstallationType={kind}");
        match kind.as_str() {
            "Client" => mark(text, 3, Product::Client),
            kind if kind.starts_with("Server") => mark(text, 3, Product::Server),
            _ => {}
        }
    } else if let Some(name) = &software.product_name {
        let text = format!("SOFTWARE: ProductName={name}");
        if name.contains("Server") {
            mark(text, 1, Product::Server);
        } else if name.contains("XP") || name.contains("Professional") || name.contains("Vista") {
            mark(text, 1, Product::Client);
        }
    }
    if let Some(edition) = software.edition.as_ref().filter(|edition| edition.starts_with("Server")) {
        marks.push(Mark::other(format!("SOFTWARE: EditionID={edition}"), 2, Claim::Product(Product::Server)));
    }
    marks
}

/// Returns the marks in SYSTEM on the version. `named` states whether SOFTWARE also names it.
fn of_system(system: &SystemMarks, named: bool) -> Vec<Mark> {
    let mut marks = Vec::new();
    if let Some(core_os) = &system.core_os
        && let Some((major, minor)) = parse_version(core_os)
    {
        let build = core_os.split('.').nth(2).and_then(|build| build.parse().ok());
        let claim = build.map_or(Claim::Version(major, minor), |build| Claim::Base(major, minor, build));
        let text = format!("SYSTEM: CoreOS version {core_os} (the build that the installation was made with)");
        marks.push(Mark { main: !named, ..Mark::other(text, 3, claim) });
    }
    let root = &system.root_name;
    let of_setup = if root == "$$$PROTO.HIV" {
        Some(Claim::Before(6, 0))
    } else {
        let later = ["CMI-CreateHive{", "CsiTool-CreateHive-{"];
        later.iter().any(|start| root.starts_with(start)).then_some(Claim::Since(6, 0))
    };
    marks.extend(of_setup.map(|claim| Mark::other(format!("SYSTEM: root key {root}"), 2, claim)));
    marks
}

/// Returns the marks in SYSTEM that distinguish Windows versions if neither hive names a version.
fn by_generation(system: &SystemMarks, product: Option<ProductType>) -> Vec<Mark> {
    if system.root_name == "$$$PROTO.HIV" {
        return before_vista(system, product);
    }
    let mut marks = Vec::new();
    let root = &system.root_name;
    if let Some((_, claim)) = [("CsiTool-CreateHive-{", Claim::Since(6, 2)), ("ROOT", Claim::Since(6, 2))]
        .into_iter()
        .find(|(start, _)| root.starts_with(start))
    {
        marks.push(Mark::hint(format!("SYSTEM: root key {root}"), claim));
    }
    let introduced = [
        ("nsi", 6, 0),
        ("nsiproxy", 6, 0),
        ("RpcEptMapper", 6, 1),
        ("BrokerInfrastructure", 6, 2),
        ("SystemEventsBroker", 6, 2),
        ("UsoSvc", 10, 0),
        ("CoreMessagingRegistrar", 10, 0),
    ];
    let is_there = |name: &str| system.services.contains(&name);
    // A hive without any of these services is not from a whole Windows, so their absence proves nothing.
    if marks.is_empty() && !introduced.iter().any(|(name, ..)| is_there(name)) {
        return marks;
    }
    for (name, major, minor) in introduced {
        marks.push(if is_there(name) {
            Mark::hint(format!("SYSTEM: service {name} (since NT {major}.{minor})"), Claim::Since(major, minor))
        } else {
            Mark::hint(format!("SYSTEM: no service {name} (since NT {major}.{minor})"), Claim::Before(major, minor))
        });
    }
    marks
}

/// Returns the marks of a Windows before Vista. The setup of 2000, XP, and 2003 makes a SYSTEM hive whose root is named
/// `$$$PROTO.HIV`; a `WPA` key (product activation) exists since XP. libyal/winreg-kb; observed on six machines.
fn before_vista(system: &SystemMarks, product: Option<ProductType>) -> Vec<Mark> {
    let mut marks = Vec::new();
    let architecture = system.architecture.as_deref();
    let Some(product) = product.filter(|_| architecture.is_some()) else { return marks };
    if system.has_wpa {
        let is_x86 = architecture == Some("x86");
        let claim = match product.product() {
            Product::Client if is_x86 => Claim::Version(5, 1),
            _ => Claim::Version(5, 2),
        };
        marks.push(Mark::main("SYSTEM: root key $$$PROTO.HIV, WPA key (XP or Server 2003)".to_owned(), 2, claim));
    } else {
        marks.push(Mark::hint("SYSTEM: root key $$$PROTO.HIV, no WPA key".to_owned(), Claim::Version(5, 0)));
    }
    // 5.1 on XP x86, 5.2 on XP x64. It is wrong on later Windows, so it is read only here.
    if let Some(text) = &system.terminal_server_version
        && let Some((major, minor)) = parse_version(text)
    {
        let text = format!("SYSTEM: Terminal Server\\ProductVersion={text}");
        marks.push(Mark::main(text, 2, Claim::Version(major, minor)));
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_name_names_the_windows_with_the_longest_name_in_it() {
        let named = |text| named_in(text).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(named("Windows 8.1 Enterprise Evaluation"), "windows-8.1");
        assert_eq!(named("Windows 10 Pro"), "windows-10 windows-11");
        assert_eq!(named("Microsoft Windows XP"), "windows-xp windows-xp-x64");
        assert_eq!(named("Windows Server (R) 2008 Standard"), "windows-server-2008");
        assert_eq!(named("Windows Server\u{ae} 2008 R2 Standard"), "windows-server-2008-r2");
        assert_eq!(named("Windows (TM) Vista Business"), "windows-vista");
        assert_eq!(named("Hyper-V"), "");
    }
}
