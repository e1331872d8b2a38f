//! Another form with the same effect conforms, with a note. Data that only look the same do not.

use hivemend::finding::{Severity, Verdict};

use super::{altered, deviating, finding, verdict};
use crate::builder::{reg_type, units, utf16le};

/// The note of a finding that conforms.
fn note(case: &str, id: &str, alter: impl FnOnce(&mut super::Hives<'_>)) -> String {
    let examined = altered(case, alter);
    let finding = finding(&examined, id);
    assert_eq!(finding.verdict, Verdict::Conforms, "{id}: {}", finding.why);
    assert_eq!(deviating(&examined), Vec::<&str>::new());
    finding.note.clone().unwrap_or_else(|| panic!("{id} has no note"))
}

#[test]
fn d1_the_same_program_quoted_or_by_its_drive_conforms_with_a_note() {
    for path in [
        "\"%SystemRoot%\\System32\\svchost.exe\" -k netsvcs -p",
        r"%SystemDrive%\Windows\system32\svchost.exe -k netsvcs -p",
        "\"C:\\Windows\\System32\\svchost.exe\" -k netsvcs -p",
    ] {
        let note = note("windows-10", "service-bits/ImagePath", |hives| {
            hives.service("BITS").set_expand_sz("ImagePath", path);
        });
        assert!(note.contains("Quotes around") || note.contains("same folder"), "{path}: {note}");
    }
}

#[test]
fn d1_the_kernels_spelling_is_a_finding_with_a_true_sentence() {
    let examined = altered("windows-10", |hives| {
        hives.service("BITS").set_expand_sz("ImagePath", r"\??\C:\Windows\System32\svchost.exe -k netsvcs -p");
    });
    let finding = finding(&examined, "service-bits/ImagePath");
    assert_eq!(verdict(finding), (Verdict::Deviates, Severity::High));
    assert!(finding.why.contains(r"as the kernel spells paths (\??\)"), "{}", finding.why);
    assert!(!finding.why.contains("leads out"), "{}", finding.why);
}

#[test]
fn d1_what_climbs_or_has_stray_quotes_or_two_extensions_is_never_the_same() {
    for path in [
        r"%SystemRoot%\system32\..\system32\svchost.exe -k netsvcs -p",
        "\"%SystemRoot%\\system32\\svchost.exe -k netsvcs -p",
        r"%SystemRoot%\system32\svchost.exe.exe -k netsvcs -p",
    ] {
        let examined = altered("windows-10", |hives| {
            hives.service("BITS").set_expand_sz("ImagePath", path);
        });
        assert_eq!(finding(&examined, "service-bits/ImagePath").verdict, Verdict::Deviates, "{path}");
    }
}

#[test]
fn d2_data_that_mean_no_value_conform_with_a_note() {
    let set = |value: &'static str, alter: fn(&mut crate::builder::Key, &str)| {
        note("windows-10", &format!("service-sens/{value}"), |hives| alter(hives.service("SENS"), value))
    };
    assert!(set("DelayedAutoStart", |key, name| _ = key.set_dword(name, 0)).contains("not delayed"));
    assert!(set("FailureCommand", |key, name| _ = key.set_sz(name, "")).contains("no program runs"));
    let dcom = |value: &str, alter: fn(&mut crate::builder::Key, &str)| {
        note("windows-10", &format!("service-dcomlaunch/{value}"), |hives| alter(hives.service("DcomLaunch"), value))
    };
    assert!(dcom("DependOnService", |key, name| _ = key.set_multi_sz(name, &[])).contains("depends on no other"));
    let bits = note("windows-10", "service-bits/Group", |hives| {
        hives.service("BITS").set_sz("Group", "");
    });
    assert!(bits.contains("no load-order group"));
}

#[test]
fn d2_data_that_mean_something_still_deviate() {
    let examined = altered("windows-10", |hives| {
        hives.service("SENS").set_dword("DelayedAutoStart", 1).set_sz("FailureCommand", " ");
    });
    assert_eq!(deviating(&examined), ["service-sens/DelayedAutoStart", "service-sens/FailureCommand"]);
}

#[test]
fn d3_no_account_and_the_other_name_of_local_system_conform_with_a_note() {
    let absent = note("windows-10", "service-bits/ObjectName", |hives| {
        hives.service("BITS").remove_value("ObjectName");
    });
    assert!(absent.contains("runs as LocalSystem"));
    let other = note("windows-10", "service-bits/ObjectName", |hives| {
        hives.service("BITS").set_sz("ObjectName", r".\LocalSystem");
    });
    assert!(other.contains("same account"));
}

#[test]
fn d3_a_service_of_another_account_without_one_deviates() {
    let examined = altered("windows-10", |hives| {
        hives.service("RpcSs").remove_value("ObjectName");
        hives.service("EventSystem").set_sz("ObjectName", r".\LocalSystem");
    });
    assert_eq!(deviating(&examined), ["service-eventsystem/ObjectName", "service-rpcss/ObjectName"]);
}

#[test]
fn d4_an_absolute_path_as_reg_sz_conforms_and_a_variable_in_one_does_not() {
    let plain = note("windows-10", "service-bits/ImagePath", |hives| {
        hives.service("BITS").set_sz("ImagePath", r"C:\Windows\System32\svchost.exe -k netsvcs -p");
    });
    assert!(plain.contains("REG_SZ instead of REG_EXPAND_SZ"));
    let examined = altered("windows-10", |hives| {
        hives.service("BITS").set_sz("ImagePath", r"%SystemRoot%\System32\svchost.exe -k netsvcs -p");
    });
    assert_eq!(deviating(&examined), ["service-bits/ImagePath"]);
}

#[test]
fn d4_the_full_path_of_the_same_library_conforms() {
    const NOTIFY: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";
    let full = note("windows-xp", "winlogon-notify-senslogn/DLLName", |hives| {
        hives.software.create(NOTIFY).set_expand_sz("DLLName", r"%SystemRoot%\system32\WlNotify.dll");
    });
    assert!(full.contains("looks up in System32"));
    for other in [r"%SystemRoot%\WlNotify.dll", r"%SystemRoot%\system32\..\WlNotify.dll", r"C:\WlNotify.dll"] {
        let examined = altered("windows-xp", |hives| {
            hives.software.create(NOTIFY).set_expand_sz("DLLName", other);
        });
        assert_eq!(deviating(&examined), ["winlogon-notify-senslogn/DLLName"], "{other}");
    }
}

#[test]
fn d4_nuls_at_the_end_conform_and_what_hides_behind_one_does_not() {
    let text = |text: &str| utf16le(&units(text));
    let nuls = note("windows-10", "service-bits-parameters/ServiceDll", |hives| {
        let data = text("%SystemRoot%\\System32\\qmgr.dll\0\0\0");
        hives.service(r"BITS\Parameters").set("ServiceDll", reg_type::EXPAND_SZ, &data);
    });
    assert!(nuls.contains("NUL"));
    let examined = altered("windows-10", |hives| {
        let data = text("%SystemRoot%\\System32\\qmgr.dll\0evil\0\0");
        hives.service(r"BITS\Parameters").set("ServiceDll", reg_type::EXPAND_SZ, &data);
    });
    assert_eq!(deviating(&examined), ["service-bits-parameters/ServiceDll"]);
}

#[test]
fn d10_a_dash_from_microsofts_page_is_named() {
    let says = |path: &str| {
        let examined = altered("windows-10", |hives| {
            hives.service("BITS").set_expand_sz("ImagePath", path);
        });
        let finding = finding(&examined, "service-bits/ImagePath");
        assert_eq!(finding.verdict, Verdict::Deviates);
        finding.why.clone()
    };
    let dash = says("%SystemRoot%\\system32\\svchost.exe \u{2013}k netsvcs -p");
    assert!(dash.contains("U+2013 (EN DASH), which looks like -"), "{dash}");
    let blank = says("%SystemRoot%\\system32\\svchost.exe\u{a0}-k netsvcs -p");
    assert!(blank.contains("U+00A0 (NO-BREAK SPACE)"), "{blank}");
    let unseen = says("%SystemRoot%\\system32\\svchost.exe -k net\u{200b}svcs -p");
    assert!(unseen.contains("U+200B (ZERO WIDTH SPACE), an invisible character"), "{unseen}");
    let letter = says("%SystemRoot%\\system32\\svch\u{43e}st.exe -k netsvcs -p");
    assert!(letter.contains("U+043E (CYRILLIC SMALL LETTER O)"), "{letter}");
}
