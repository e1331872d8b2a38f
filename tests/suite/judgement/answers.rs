//! The answer: what stops updates, since when at the latest, and how well that is confirmed.

use super::{altered, answer_of};

#[test]
fn a_disabled_service_is_what_stops_updates_and_since_when() {
    let examined = altered("windows-7", |hives| _ = hives.service("BITS").set_dword("Start", 4));
    insta::assert_snapshot!(answer_of(&examined));
}

#[test]
fn a_service_without_a_key_is_named_once() {
    let examined =
        altered("windows-10", |hives| _ = hives.system.create(r"ControlSet001\Services").remove_child("SENS"));
    insta::assert_snapshot!(answer_of(&examined));
}

#[test]
fn foreign_code_does_not_stop_updates_and_is_said_apart() {
    let examined = altered("windows-7", |hives| {
        hives.service(r"BITS\Parameters").set_expand_sz("ServiceDll", r"C:\ProgramData\qmgr.dll");
        hives.service("wuauserv").set_dword("Start", 4);
    });
    insta::assert_snapshot!(answer_of(&examined));
}

#[test]
fn what_the_owner_chose_is_named_as_that() {
    let examined = altered("windows-10", |hives| {
        hives.software.create(r"Policies\Microsoft\Windows\WindowsUpdate").set_dword("DisableWindowsUpdateAccess", 1);
    });
    insta::assert_snapshot!(answer_of(&examined));
}

#[test]
fn a_clean_windows_says_on_what_that_rests() {
    let examined = altered("windows-11", |_| ());
    insta::assert_snapshot!(answer_of(&examined));
}

#[test]
fn a_program_that_winlogon_starts_does_not_stop_updates() {
    let examined = altered("windows-7", |hives| {
        let key = hives.software.create(r"Microsoft\Windows NT\CurrentVersion\Winlogon");
        key.set_sz("Shell", r"C:\Users\Public\shell.exe");
    });
    insta::assert_snapshot!(answer_of(&examined));
}
