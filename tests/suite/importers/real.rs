//! Copies of real hives are altered, audited, patched, and rolled back. Nothing of them is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use hivemend::examination::Options;

use super::{audited_keys, deviations, exported, is_installed, mend_and_roll_back, merge};
use crate::cases::examine_folder;
use crate::real_hives::corpus;

/// Copies a pair, has hivexregedit break it as the texts say, and holds the audit to exactly these findings.
fn broken_and_mended(test: &str, pair: [&str; 2], software: &str, system: &str, findings: &[&str]) {
    let Some(corpus) = corpus() else { return };
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let hives: BTreeMap<&str, PathBuf> = ["SOFTWARE", "SYSTEM"]
        .into_iter()
        .zip(pair)
        .map(|(role, path)| {
            let copy = folder.path().join(role);
            fs::write(&copy, fs::read(corpus.join(path)).unwrap()).unwrap();
            (role, copy)
        })
        .collect();
    let healthy = examine_folder(folder.path(), &Options::default());
    assert_eq!(deviations(&healthy), BTreeSet::new());
    let header = "Windows Registry Editor Version 5.00\n\n";
    for (role, text) in [("SOFTWARE", software), ("SYSTEM", system)] {
        merge(format!("{header}{text}").as_bytes(), role, &hives[role]);
    }
    let found = deviations(&examine_folder(folder.path(), &Options::default()));
    assert_eq!(found, findings.iter().map(|id| (*id).to_owned()).collect());
    mend_and_roll_back(test, folder.path(), &hives, &audited_keys(&healthy));
}

#[test]
fn an_xp_that_was_broken_is_found_out_mended_and_rolled_back() {
    let software = r#"[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn]
"Shutdown"="SensStopEvent"
"MaxWait"=dword:00000102
"Logon"=-
"Unlock"=dword:00000001
"StopShell"="SensStopShellEvent"
"#;
    let system = r#"[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\BITS]
"Start"=dword:00000004
"DependOnService"=hex(7):00,00
"FailureCommand"="C:\\WINDOWS\\Temp\\a.exe"

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\SENS\Parameters]
"ServiceDll"=hex(2):43,00,3a,00,5c,00,61,00,2e,00,64,00,6c,00,6c,00,00,00
"#;
    broken_and_mended(
        "an_xp_that_was_broken_is_found_out_mended_and_rolled_back",
        ["xp-sp3-x86/software", "xp-sp3-x86/system"],
        software,
        system,
        &[
            "service-bits/DependOnService",
            "service-bits/FailureCommand",
            "service-bits/Start",
            "service-sens-parameters/ServiceDll",
            "winlogon-notify-senslogn/Logon",
            "winlogon-notify-senslogn/MaxWait",
            "winlogon-notify-senslogn/Shutdown",
            "winlogon-notify-senslogn/StopShell",
            "winlogon-notify-senslogn/Unlock",
        ],
    );
}

#[test]
fn a_windows_7_that_was_broken_is_found_out_mended_and_rolled_back() {
    let test = "a_windows_7_that_was_broken_is_found_out_mended_and_rolled_back";
    let Some(corpus) = corpus() else { return };
    if !is_installed() {
        return;
    }
    // Its own list of netsvcs, without BITS.
    let svchost = r"Microsoft\Windows NT\CurrentVersion\Svchost";
    let values = exported("SOFTWARE", &corpus.join("win7-sp1-x86/SOFTWARE"), svchost);
    let netsvcs: Vec<u16> = "netsvcs".encode_utf16().collect();
    let (_, (_, bytes)) = values.into_iter().find(|((_, name), _)| *name == netsvcs).unwrap();
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let list = String::from_utf16(&units).unwrap();
    let without = list.replace("\0BITS\0", "\0");
    assert_ne!(list, without);
    let hex: Vec<String> =
        without.encode_utf16().flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect();
    let software = format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\{svchost}]\n\"netsvcs\"=hex(7):{}\n", hex.join(","));
    let system = "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\BITS]\n\"Start\"=dword:00000004\n";
    broken_and_mended(
        test,
        ["win7-sp1-x86/SOFTWARE", "win7-sp1-x86/SYSTEM"],
        &software,
        system,
        &["service-bits/Start", "svchost-netsvcs/netsvcs"],
    );
}
