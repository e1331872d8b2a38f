//! The packs in the documentation: only data, checked, and tested on hives from text.

use hivemend::check;
use hivemend::reg_file;

use super::{found, hive};
use crate::apply::apply;
use crate::command_line::Desk;
use crate::fixture::{self, root_of};

/// Remote Desktop as it is on a Windows 10 that accepts connections.
const HEALTHY: &str = r#"Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Terminal Server]
"fDenyTSConnections"=dword:00000000
"TSUserEnabled"=dword:00000000

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp]
"fEnableWinStation"=dword:00000001
"fLogonDisabled"=dword:00000000

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\RDPDR]
"Start"=dword:00000003
"Type"=dword:00000001

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\TermService]
"DependOnService"=hex(7):52,00,50,00,43,00,53,00,53,00,00,00,00,00
"ImagePath"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,00,5c,00,53,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,73,00,76,00,63,00,68,00,6f,00,73,00,74,00,2e,00,65,00,78,00,65,00,20,00,2d,00,6b,00,20,00,4e,00,65,00,74,00,77,00,6f,00,72,00,6b,00,53,00,65,00,72,00,76,00,69,00,63,00,65,00,00,00
"ObjectName"="NT Authority\\NetworkService"
"Start"=dword:00000003
"Type"=dword:00000020

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\TermService\Parameters]
"ServiceDll"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,00,5c,00,53,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,74,00,65,00,72,00,6d,00,73,00,72,00,76,00,2e,00,64,00,6c,00,6c,00,00,00

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\SessionEnv]
"DependOnService"=hex(7):52,00,50,00,43,00,53,00,53,00,00,00,4c,00,61,00,6e,00,6d,00,61,00,6e,00,57,00,6f,00,72,00,6b,00,73,00,74,00,61,00,74,00,69,00,6f,00,6e,00,00,00,00,00
"ImagePath"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,00,5c,00,53,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,73,00,76,00,63,00,68,00,6f,00,73,00,74,00,2e,00,65,00,78,00,65,00,20,00,2d,00,6b,00,20,00,6e,00,65,00,74,00,73,00,76,00,63,00,73,00,20,00,2d,00,70,00,00,00
"ObjectName"="localSystem"
"Start"=dword:00000003

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\UmRdpService]
"DependOnService"=hex(7):54,00,65,00,72,00,6d,00,53,00,65,00,72,00,76,00,69,00,63,00,65,00,00,00,52,00,44,00,50,00,44,00,52,00,00,00,00,00
"ImagePath"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,00,5c,00,53,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,73,00,76,00,63,00,68,00,6f,00,73,00,74,00,2e,00,65,00,78,00,65,00,20,00,2d,00,6b,00,20,00,4c,00,6f,00,63,00,61,00,6c,00,53,00,79,00,73,00,74,00,65,00,6d,00,4e,00,65,00,74,00,77,00,6f,00,72,00,6b,00,52,00,65,00,73,00,74,00,72,00,69,00,63,00,74,00,65,00,64,00,00,00
"ObjectName"="localSystem"
"Start"=dword:00000003

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\UmRdpService\Parameters]
"ServiceDll"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,00,5c,00,53,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,75,00,6d,00,72,00,64,00,70,00,2e,00,64,00,6c,00,6c,00,00,00
"#;

/// TermService disabled and run from elsewhere, logons refused, the port redirector gone.
const BROKEN: &str = r#"Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Terminal Server]
"fDenyTSConnections"=dword:00000001

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp]
"fLogonDisabled"=dword:00000001

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\TermService]
"ObjectName"="LocalSystem"
"Start"=dword:00000004
"Type"=dword:00000010

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\TermService\Parameters]
"ServiceDll"="C:\\Program Files\\RDP Wrapper\\rdpwrap.dll"

[-HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\UmRdpService]
"#;

const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/packs/remote-desktop.toml");

/// A Windows 10 with these changes, one after the other, as `evidence` on a desk.
fn machine(changes: &[&str]) -> Desk {
    let desk = Desk::with(&[]);
    for (role, mut made) in fixture::compile("windows-10").unwrap().hives {
        if role == "SYSTEM" {
            for text in changes {
                let document = reg_file::parse_text(text).into_document().unwrap();
                apply(&document, &root_of(role), &mut made.root, 130_000_000_000_000_000).unwrap();
            }
        }
        hive(&desk, &format!("evidence/{role}"), &made);
    }
    desk
}

#[test]
fn every_pack_passes_the_check() {
    let checked = check::check(std::path::Path::new(PACK)).unwrap();
    assert_eq!(checked.diagnostics, []);
}

#[test]
fn a_machine_that_accepts_remote_desktop_is_clean() {
    let desk = machine(&[HEALTHY]);
    assert_eq!(found(&desk, &["--extend", PACK], "evidence"), Vec::<String>::new());
    assert_eq!(desk.code(&["audit", "--extend", PACK, "--", "evidence"]), 0);
    let report = desk.json(&["audit", "--all", "--format", "json", "--extend", PACK, "--", "evidence"]);
    assert_eq!(report["installations"][0]["extended_by"][0]["id"], "remote-desktop");
    assert!(report.to_string().contains("\"service-termservice/Start\""));
}

#[test]
fn what_keeps_remote_desktop_down_is_found_and_mended() {
    let desk = machine(&[HEALTHY, BROKEN]);
    let report = desk.json(&["audit", "--all", "--format", "json", "--extend", PACK, "--", "evidence"]);
    let mut lines = Vec::new();
    for finding in report["installations"][0]["findings"].as_array().unwrap() {
        let text = |field: &str| finding[field].as_str().unwrap_or("-").to_owned();
        let own =
            text("id").contains("remote-desktop") || text("id").contains("rdp") || text("id").contains("termservice");
        if own && (text("verdict") != "conforms" || text("note") != "-") {
            lines.push(format!("{} {} {} {}", text("id"), text("verdict"), text("severity"), text("grade")));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
    let output = desk.run(&["audit", "--extend", PACK, "--patch", "patch", "--", "evidence"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let patch = std::fs::read_dir(desk.path("patch")).unwrap().next().unwrap().unwrap().path().join("SYSTEM.reg");
    let patch = String::from_utf16_lossy(
        &std::fs::read(patch)
            .unwrap()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u16::from_le_bytes(*pair))
            .collect::<Vec<_>>(),
    );
    assert!(patch.contains(r"Services\TermService]") && patch.contains("\"Start\"=dword:00000003"), "{patch}");
    // The owner's choice is left alone.
    assert!(!patch.contains("fDenyTSConnections"), "{patch}");
}
