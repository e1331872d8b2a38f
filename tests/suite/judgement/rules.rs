//! The rules that a row can state, each in a small baseline of its own.

use hivemend::baseline::{Baseline, Profile, Rule};
use hivemend::finding::{Finding, Remediation, Severity, Verdict};

use super::{judged_by, of, verdict};
use crate::builder::{reg_type, units, utf16le};

/// A key of a baseline; `rows` are its values.
fn key(id: &str, hive: &str, path: &str, more: &str, rows: &str) -> String {
    format!(
        "[[key]]\nid = '{id}'\nhive = '{hive}'\npath = '{path}'\nwhy = 'It matters.'\nsource = 'a test'\n\
         grade = 'confirmed'\n{more}\n[key.values]\n{rows}\n"
    )
}

fn bits(rows: &str) -> String {
    key("service-bits", "SYSTEM", r"CurrentControlSet\Services\BITS", "", rows)
}

/// What the row `name` of BITS says of what `alter` did to its key.
fn bits_with(rows: &str, name: &str, alter: impl FnOnce(&mut crate::builder::Key)) -> Finding {
    let findings = judged_by(&bits(rows), "windows-10", |hives| alter(hives.service("BITS")));
    of(&findings, &format!("service-bits/{name}")).clone()
}

#[test]
fn privileges_must_hold_one_where_they_are_listed() {
    const ROWS: &str = "RequiredPrivileges = { contains = ['SeImpersonatePrivilege'], optional = true }";
    let absent = bits_with(ROWS, "RequiredPrivileges", |bits| _ = bits.remove_value("RequiredPrivileges"));
    assert_eq!(absent.verdict, Verdict::Conforms);
    let lacking = bits_with(ROWS, "RequiredPrivileges", |bits| {
        bits.set_multi_sz("RequiredPrivileges", &["SeTcbPrivilege"]);
    });
    assert_eq!(lacking.verdict, Verdict::Deviates);
    assert!(lacking.why.contains("Missing from the list: SeImpersonatePrivilege."), "{}", lacking.why);
    let Some(Remediation::Set { value, .. }) = &lacking.remediation else { panic!("{:?}", lacking.remediation) };
    assert_eq!(value.as_list().unwrap(), ["SeTcbPrivilege", "SeImpersonatePrivilege"]);
}

#[test]
fn accepted_data_may_depend_on_the_build_and_say_who_accepts_them() {
    const ROWS: &str = r"
ImagePath.REG_EXPAND_SZ = '%SystemRoot%\system32\svchost.exe -k netsvcs'
ImagePath.compare = 'path'
[[key.values.ImagePath.or]]
REG_EXPAND_SZ = '%SystemRoot%\system32\svchost.exe -k netsvcsRedirectionGuard -p'
when = { build-at-least = 19000, build-below = 20000 }
note = 'As Windows has had it since an update.'
source = 'services-19000'
[[key.values.ImagePath.or]]
REG_EXPAND_SZ = '%SystemRoot%\system32\svchost.exe -k other'
when = { build-at-least = 26100 }
";
    let with = |path: &'static str| bits_with(ROWS, "ImagePath", move |bits| _ = bits.set_expand_sz("ImagePath", path));
    let accepted = with(r"%SystemRoot%\system32\svchost.exe -k netsvcsRedirectionGuard -p");
    assert_eq!(accepted.verdict, Verdict::Conforms);
    assert_eq!(accepted.note.as_deref(), Some("As Windows has had it since an update."));
    assert_eq!(accepted.source.title, "services-19000");
    let other = with(r"%SystemRoot%\system32\svchost.exe -k other");
    assert_eq!(other.verdict, Verdict::Deviates);
    assert_eq!(other.expected.data().len(), 2, "what is accepted on this build only");
}

#[test]
fn data_that_deviate_may_matter_less_or_more_than_the_row() {
    const ROWS: &str = "
Start = { REG_DWORD = 2, but = [{ REG_DWORD = 3, severity = 'info', why = 'The owner may.' }, { REG_DWORD = 4, severity = 'high', why = 'It is disabled.', source = 'KB' }] }";
    let with = |start| {
        let finding = bits_with(ROWS, "Start", move |bits| _ = bits.set_dword("Start", start));
        (finding.verdict, finding.severity, finding.why, finding.source.title)
    };
    let told = |severity, why: &str, source: &str| (Verdict::Deviates, severity, why.to_owned(), source.to_owned());
    assert_eq!(with(3), told(Severity::Info, "The owner may.", "a test"));
    assert_eq!(
        with(4),
        told(Severity::High, "It is disabled. Windows shows 0x80070422 (the service is disabled).", "KB")
    );
    assert_eq!(with(1), told(Severity::Medium, "It matters.", "a test"));
}

#[test]
fn failure_actions_that_run_a_program_deviate_and_are_left_alone() {
    const ROWS: &str = "FailureActions = { lacks-action = ['run-command'], optional = true, severity = 'high' }";
    let with = |kind: u32| {
        bits_with(ROWS, "FailureActions", move |bits| {
            let data = [86_400, 0, 0, 1, 20, kind, 60_000];
            bits.set_binary("FailureActions", &data.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        })
    };
    assert_eq!(with(1).verdict, Verdict::Conforms);
    let runs = with(3);
    assert_eq!((verdict(&runs), runs.remediation), ((Verdict::Deviates, Severity::High), None));
}

#[test]
fn a_descriptor_that_lets_users_configure_a_service_deviates_and_is_never_written() {
    let rows = "Security = { dacl-denies = { to = { S-1-1-0 = 'Everyone', S-1-5-11 = 'Authenticated Users', \
                S-1-5-32-545 = 'Users' }, rights = ['SERVICE_CHANGE_CONFIG', 'WRITE_DAC', 'WRITE_OWNER', \
                'GENERIC_WRITE', 'GENERIC_ALL'] }, optional = true, severity = 'high' }";
    let baseline = key("security", "SYSTEM", r"CurrentControlSet\Services\BITS\Security", "optional = true", rows);
    let with = |mask: u8| {
        let findings = judged_by(&baseline, "windows-10", |hives| {
            let mut data = vec![1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
            data.extend([2, 0, 28, 0, 1, 0, 0, 0]);
            data.extend([0, 0, 20, 0, mask, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0]);
            hives.service(r"BITS\Security").set_binary("Security", &data);
        });
        of(&findings, "security/Security").clone()
    };
    assert_eq!(with(0x14).verdict, Verdict::Conforms);
    let open = with(0x16);
    assert_eq!((verdict(&open), &open.remediation), ((Verdict::Deviates, Severity::High), &None));
    assert!(
        open.why.ends_with("The descriptor grants Authenticated Users (S-1-5-11) SERVICE_CHANGE_CONFIG."),
        "{}",
        open.why
    );
}

#[test]
fn code_lies_in_windows_own_folders_whatever_the_drive_of_setup_was() {
    const PERFORMANCE: &str = "Library = { under = 'system32', optional = true, severity = 'high' }";
    let baseline =
        key("performance", "SYSTEM", r"CurrentControlSet\Services\BITS\Performance", "optional = true", PERFORMANCE);
    let with = |path: &'static str| {
        let findings = judged_by(&baseline, "windows-10", move |hives| {
            hives.service(r"BITS\Performance").set_sz("Library", path);
        });
        verdict(of(&findings, "performance/Library"))
    };
    for own in [r"X:\Windows\System32\bitsperf.dll", r"C:\Windows\System32\bitsperf.dll", "bitsperf.dll"] {
        assert_eq!(with(own).0, Verdict::Conforms, "{own}");
    }
    for other in [r"C:\ProgramData\x.dll", r"X:\Windows\Temp\x.dll", r"X:\Windows\System32\..\x.dll", r"D:\x.dll"] {
        assert_eq!(with(other), (Verdict::Deviates, Severity::Critical), "{other}");
    }
}

const PACKAGES: &str = "
DLLName.under = 'system32'
DLLName.severity = 'high'
DLLName.optional = true
DLLName.attack = ['T1547.004']
DLLName.known.crypt32chain = { data = ['crypt32.dll'], of = 'Windows' }
DLLName.known.igfxcui = { data = ['igfxdev.dll', 'igfxsrvc.dll'], of = 'Intel graphics' }
";

#[test]
fn d9_notify_packages_are_known_unknown_or_from_elsewhere() {
    const NOTIFY: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify";
    let baseline = key("notify", "SOFTWARE", NOTIFY, "each-subkey = {}\nprofile = ['persistence']", PACKAGES);
    let findings = judged_by(&baseline, "windows-xp", |hives| {
        let mut package = |name: &str, library: &str| {
            hives.software.create(&format!(r"{NOTIFY}\{name}")).set_sz("DLLName", library);
        };
        package("crypt32chain", "crypt32.dll");
        package("igfxcui", r"C:\Windows\system32\igfxdev.dll");
        package("Mystery", "mystery.dll");
        package("Evil", r"C:\ProgramData\evil.dll");
        package("CRYPT32CHAIN2", "x.dll");
        package("silent", "");
    });
    let of = |name: &str| of(&findings, &format!("notify/{name}/DLLName"));
    assert_eq!(
        (of("crypt32chain").verdict, of("crypt32chain").note.as_deref()),
        (Verdict::Conforms, Some("Belongs to Windows."))
    );
    assert_eq!(of("igfxcui").note.as_deref(), Some("Belongs to Intel graphics."));
    assert_eq!(verdict(of("Mystery")), (Verdict::Unexpected, Severity::Info));
    assert_eq!(verdict(of("Evil")), (Verdict::Deviates, Severity::Critical));
    assert_eq!(of("Evil").attack, ["T1547.004"]);
    assert!(findings.iter().all(|finding| finding.remediation.is_none()));
}

#[test]
fn a_known_package_with_another_library_deviates() {
    const NOTIFY: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify";
    let baseline = key("notify", "SOFTWARE", NOTIFY, "each-subkey = {}", PACKAGES);
    let findings = judged_by(&baseline, "windows-xp", |hives| {
        hives.software.create(&format!(r"{NOTIFY}\crypt32chain")).set_sz("DLLName", "crypto32.dll");
        let hidden = utf16le(&units("crypt32.dll\0evil\0"));
        hives.software.create(&format!(r"{NOTIFY}\igfxcui")).set("DLLName", reg_type::SZ, &hidden);
    });
    assert_eq!(verdict(of(&findings, "notify/crypt32chain/DLLName")), (Verdict::Deviates, Severity::High));
    assert_eq!(of(&findings, "notify/igfxcui/DLLName").verdict, Verdict::Deviates);
}

fn rpc() -> String {
    let row = |other: &str, group: &str| {
        format!(
            "ImagePath = {{ REG_EXPAND_SZ = '%SystemRoot%\\system32\\svchost.exe -k {group} -p', compare = 'path', \
             severity = 'high', same-as = {{ row = '{other}/ImagePath', in = 'quotes' }} }}"
        )
    };
    let rpcss = row("service-rpceptmapper", "rpcss");
    let mapper = row("service-rpcss", "RPCSS");
    key("service-rpcss", "SYSTEM", r"CurrentControlSet\Services\RpcSs", "", &rpcss)
        + &key("service-rpceptmapper", "SYSTEM", r"CurrentControlSet\Services\RpcEptMapper", "", &mapper)
}

#[test]
fn rpcss_and_its_mapper_are_quoted_alike_or_the_quoted_one_deviates() {
    const QUOTED: &str = "\"%SystemRoot%\\system32\\svchost.exe\" -k rpcss -p";
    let both = judged_by(&rpc(), "windows-10", |hives| {
        hives.service("RpcSs").set_expand_sz("ImagePath", QUOTED);
        hives.service("RpcEptMapper").set_expand_sz("ImagePath", QUOTED);
    });
    assert!(both.iter().all(|finding| finding.verdict == Verdict::Conforms && finding.note.is_some()));
    let one =
        judged_by(&rpc(), "windows-10", |hives| _ = hives.service("RpcEptMapper").set_expand_sz("ImagePath", QUOTED));
    assert_eq!(of(&one, "service-rpcss/ImagePath").verdict, Verdict::Conforms);
    let quoted = of(&one, "service-rpceptmapper/ImagePath");
    assert_eq!(verdict(quoted), (Verdict::Deviates, Severity::High));
    assert!(quoted.why.contains("but not in service-rpcss/ImagePath"), "{}", quoted.why);
    let Some(Remediation::Set { value, .. }) = &quoted.remediation else { panic!() };
    assert!(value.as_text().unwrap().starts_with("%SystemRoot%"));
}

const SVCHOST: &str = r"Microsoft\Windows NT\CurrentVersion\SvcHost";

fn groups() -> String {
    let sens = r"
ImagePath.REG_EXPAND_SZ = '%SystemRoot%\system32\svchost.exe -k netsvcs -p'
ImagePath.or = ['%SystemRoot%\system32\svchost.exe -k netsvcsRedirectionGuard -p']
ImagePath.compare = 'path'
";
    key("service-sens", "SYSTEM", r"CurrentControlSet\Services\SENS", "", sens)
        + &key("svchost-netsvcs", "SOFTWARE", SVCHOST, "severity = 'high'", "netsvcs = { members = ['BITS', 'SENS'] }")
}

#[test]
fn a_service_belongs_to_the_group_that_its_image_path_names() {
    let guarded = |list: &'static [&'static str]| {
        judged_by(&groups(), "windows-10", move |hives| {
            let path = r"%SystemRoot%\system32\svchost.exe -k netsvcsRedirectionGuard -p";
            hives.service("SENS").set_expand_sz("ImagePath", path);
            let groups = hives.software.create(SVCHOST);
            groups.set_multi_sz("netsvcs", &["BITS"]).set_multi_sz("netsvcsRedirectionGuard", list);
        })
    };
    let right = guarded(&["lfsvc", "SENS"]);
    assert!(right.iter().all(|finding| finding.verdict == Verdict::Conforms), "{right:#?}");
    let wrong = guarded(&["lfsvc"]);
    assert_eq!(of(&wrong, "svchost-netsvcs/netsvcs").verdict, Verdict::Conforms);
    let group = of(&wrong, "svchost-netsvcs/netsvcsRedirectionGuard");
    assert_eq!(verdict(group), (Verdict::Deviates, Severity::High));
    assert!(group.why.contains("Missing from the list: SENS."), "{}", group.why);
    assert_eq!(group.remediation, None);
}

#[test]
fn a_service_with_a_wrong_image_path_belongs_to_its_usual_group() {
    let findings = judged_by(&groups(), "windows-10", |hives| {
        hives.service("SENS").set_expand_sz("ImagePath", r"%SystemRoot%\system32\svchost.exe -k imgsvc");
        hives.software.create(SVCHOST).set_multi_sz("netsvcs", &["BITS"]);
    });
    let group = of(&findings, "svchost-netsvcs/netsvcs");
    assert_eq!(verdict(group), (Verdict::Deviates, Severity::High));
    let Some(Remediation::Set { value, .. }) = &group.remediation else { panic!() };
    assert_eq!(value.as_list().unwrap(), ["BITS", "SENS"], "a list is only ever appended to");
    assert_eq!(findings.len(), 2);
}

#[test]
fn profiles_leave_out_what_nobody_asked_for() {
    let rows = "Start = { REG_DWORD = 2 }\nFailureCommand = { expect = 'absent', profile = ['persistence', 'chain'] }";
    let text = format!("id = 'test'\nname = 'Test'\napplies-to = []\n{}", bits(rows));
    let with = |profiles: &[Profile]| {
        let baseline = Baseline::parse("test", &text).unwrap();
        let baseline = baseline.with_profiles(profiles);
        let names = baseline.keys.iter().flat_map(|key| &key.values).map(|value| value.name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(with(&[Profile::Kb968001]), ["Start"]);
    assert_eq!(with(&[Profile::Chain]), ["FailureCommand"]);
    assert_eq!(with(&Profile::ALL), ["Start", "FailureCommand"]);
    assert!(with(&[]).is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (rows, told) in [
        ("A = { contains = ['x'], members = ['x'] }", "needs exactly one of"),
        ("A = { under = 'system32', known = { x = { data = ['x'], of = 'y' } } }", "known needs under"),
        ("A = { or = [1], informational = true }", "or needs a first datum"),
        ("A = { REG_DWORD = 1, or = [{ REG_DWORD = 2, severity = 'low' }] }", "`or` has no severity"),
        ("A = { REG_DWORD = 1, but = [{ REG_DWORD = 2, why = 'x' }] }", "`but` has a severity and a why"),
        ("A = { REG_DWORD = 1, same-as = { row = 'x', in = 'quotes' } }", "is not a row"),
        ("A = { under = 'program-files' }", "unknown variant"),
        ("A = { lacks-action = ['explode'] }", "unknown variant"),
    ] {
        let text = format!("id = 'test'\nname = 'Test'\napplies-to = []\n{}", bits(rows));
        let error = Baseline::parse("test", &text).unwrap_err().to_string();
        assert!(error.contains(told), "{rows}: {error}");
    }
    let text = format!("id = 'test'\nname = 'Test'\napplies-to = []\n{}", bits("A = { members = ['x'] }"));
    assert!(matches!(Baseline::parse("test", &text).unwrap().keys[0].values[0].rule, Rule::Members(_)));
}

#[test]
fn a_wrong_image_path_in_another_accepted_group_is_mended_within_that_group() {
    let findings = judged_by(&groups(), "windows-10", |hives| {
        let path = r"%SystemRoot%\Temp\svchost.exe -k netsvcsRedirectionGuard -p";
        hives.service("SENS").set_expand_sz("ImagePath", path);
    });
    let path = of(&findings, "service-sens/ImagePath");
    assert_eq!(path.verdict, Verdict::Deviates);
    let Some(Remediation::Set { value, .. }) = &path.remediation else { panic!() };
    assert_eq!(value.as_text().unwrap(), r"%SystemRoot%\system32\svchost.exe -k netsvcsRedirectionGuard -p");
}

#[test]
fn one_value_that_two_keys_name_has_one_finding() {
    const SENSLOGN: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";
    const NOTIFY: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify";
    let row = "DLLName = { REG_SZ = 'WlNotify.dll', compare = 'path', severity = 'high', attack = ['T1547.004'] }";
    let baseline = key("senslogn", "SOFTWARE", SENSLOGN, "others = 'unexpected'", row)
        + &key("more", "SOFTWARE", SENSLOGN, "", "Odd = { expect = 'absent', severity = 'high' }")
        + &key(
            "packages",
            "SOFTWARE",
            NOTIFY,
            "each-subkey = {}",
            "DLLName = { under = 'system32', severity = 'high', attack = ['T1546'] }",
        );
    let findings = judged_by(&baseline, "windows-xp", |hives| {
        let package = hives.software.create(SENSLOGN);
        package.values.clear();
        package.set_sz("DllName", r"C:\ProgramData\x.dll").set_sz("odd", "x");
    });
    let of_value = |name: &str| {
        let named = |finding: &&Finding| {
            finding.key.as_deref().is_some_and(|key| key.ends_with("SensLogn"))
                && finding.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(name))
        };
        findings.iter().filter(named).collect::<Vec<_>>()
    };
    let [library] = of_value("DLLName")[..] else { panic!("{findings:#?}") };
    assert_eq!((library.id.as_str(), verdict(library)), ("senslogn/DLLName", (Verdict::Deviates, Severity::Critical)));
    assert_eq!(library.attack, ["T1547.004", "T1546"]);
    let [odd] = of_value("Odd")[..] else { panic!("{findings:#?}") };
    assert_eq!((odd.id.as_str(), verdict(odd)), ("more/Odd", (Verdict::Unexpected, Severity::High)));
}
