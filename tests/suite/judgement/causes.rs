//! Causes and consequences, the chain, strangers in the groups, and the errors that Windows shows.

use hivemend::baseline::Profile;
use hivemend::examination::Options;
use hivemend::finding::{Finding, Severity, Verdict};
use hivemend::remediation::{Selection, remedy};

use super::{Hives, SET, altered, altered_with, deviating, finding, findings, verdict};
use crate::cases::Examined;

fn causes(examined: &Examined) -> Vec<&str> {
    findings(examined).iter().filter(|finding| finding.is_cause()).map(|finding| finding.id.as_str()).collect()
}

#[test]
fn d8_a_deleted_service_is_one_cause_and_its_values_name_it() {
    let examined = altered("windows-7", |hives| {
        hives.system.create(&format!(r"{SET}\Services")).remove_child("BITS");
    });
    assert_eq!(causes(&examined), ["service-bits"]);
    let cause = finding(&examined, "service-bits");
    assert_eq!((verdict(cause), cause.value.as_ref()), ((Verdict::Absent, Severity::High), None));
    assert!(cause.why.contains("The service's key is missing."), "{}", cause.why);
    assert!(cause.why.contains("Windows shows 0x80070424 (the service does not exist)"), "{}", cause.why);
    let rows: Vec<&Finding> =
        findings(&examined).iter().filter(|finding| finding.cause.as_deref() == Some("service-bits")).collect();
    assert!(rows.len() > 7 && rows.iter().all(|row| row.verdict == Verdict::Absent && row.value.is_some()));
    assert!(rows.iter().any(|row| row.id == "service-bits-parameters/ServiceDll"), "the key below it follows, too");
    let summary = &examined.examination.report.summary;
    assert_eq!((summary.counts.absent, summary.counts.deviates, summary.counts.unexpected), (1, 0, 0));
    assert_eq!(summary.counts.assessed, summary.counts.conforms + 1);
    assert_eq!(examined.exit(), 1);
}

#[test]
fn d8_missing_parameters_are_a_cause_with_their_own_error() {
    let examined = altered("windows-7", |hives| _ = hives.service("BITS").remove_child("Parameters"));
    assert_eq!(causes(&examined), ["service-bits-parameters"]);
    let cause = finding(&examined, "service-bits-parameters");
    assert!(cause.why.contains("0x80070002"), "{}", cause.why);
}

#[test]
fn a_key_that_is_written_anew_is_not_left_by_the_plan() {
    const NOTIFY: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify";
    let examined = altered("windows-xp", |hives| _ = hives.software.create(NOTIFY).remove_child("SensLogn"));
    assert_eq!(causes(&examined), ["winlogon-notify-senslogn"]);
    let plan = remedy(examined.installation(), &Selection::default()).unwrap();
    assert_eq!((plan.edits.len(), plan.left.len()), (17, 0));
}

#[test]
fn a_disabled_service_names_who_depends_on_it_and_they_get_no_finding() {
    let examined = altered("windows-7", |hives| _ = hives.service("EventSystem").set_dword("Start", 4));
    assert_eq!(deviating(&examined), ["service-eventsystem/Start"]);
    let why = &finding(&examined, "service-eventsystem/Start").why;
    assert!(why.contains("Windows shows 0x80070422 (the service is disabled)."), "{why}");
    assert!(
        why.ends_with(
            "BITS and SENS depend on this service: 0x8007042C (a service that it depends on failed to start)."
        ),
        "{why}"
    );
}

#[test]
fn a_service_that_is_not_in_its_group_names_the_error() {
    let examined = altered("windows-7", |hives| {
        let groups = hives.software.create(r"Microsoft\Windows NT\CurrentVersion\SvcHost");
        groups.set_multi_sz("netsvcs", &["SENS", "wuauserv"]);
    });
    let why = &finding(&examined, "svchost-netsvcs/netsvcs").why;
    assert!(why.contains("Windows shows 0x8007043B"), "{why}");
}

#[test]
fn d9_a_driver_in_the_chain_that_is_disabled_names_the_way_to_it() {
    let examined = altered("windows-7", |hives| {
        hives.service("nsiproxy").set_dword("Start", 4);
        hives.service("Bowser").set_dword("Start", 4);
        hives.service("BITS").set_multi_sz("DependOnService", &["RpcSs", "EventSystem", "Ghost"]);
        hives.service("RpcSs").set_multi_sz("DependOnService", &["RpcEptMapper", "DcomLaunch", "Broken"]);
        hives.service("Broken").set_dword("Start", 4);
    });
    let ghost = finding(&examined, "chain/Ghost");
    assert_eq!((verdict(ghost), ghost.value.as_ref()), ((Verdict::Absent, Severity::High), None));
    assert!(
        ghost.why.ends_with(
            "The chain of dependencies: BITS -> Ghost. BITS depends on this service: 0x80070433 \
                                 (a service that it depends on does not exist)."
        ),
        "{}",
        ghost.why
    );
    let broken = finding(&examined, "chain/Broken/Start");
    assert_eq!(verdict(broken), (Verdict::Deviates, Severity::High));
    assert!(
        broken.why.contains("0x8007042C")
            && broken.why.contains("-> RpcSs -> Broken.")
            && !broken.why.contains("0x80070422"),
        "{}",
        broken.why
    );
    assert!(broken.observed.is_some() && broken.remediation.is_none());
    let driver = finding(&examined, "chain/nsiproxy/Start");
    assert_eq!(verdict(driver), (Verdict::Deviates, Severity::Medium), "only what updates need is high");
    assert!(driver.why.contains("nsi -> nsiproxy."), "{}", driver.why);
    assert_eq!(finding(&examined, "chain/Bowser/Start").verdict, Verdict::Deviates);
}

#[test]
fn d9_wmi_disabled_on_windows_2000_stops_bits() {
    let examined = altered("windows-2000", |hives| _ = hives.service("Wmi").set_dword("Start", 4));
    assert_eq!(verdict(finding(&examined, "chain/Wmi/Start")), (Verdict::Deviates, Severity::High));
}

#[test]
fn d9_a_group_that_a_service_depends_on_must_have_a_member_that_can_start() {
    let with = |start: u32| {
        altered("windows-7", move |hives| {
            hives.service("BITS").set_multi_sz("DependOnGroup", &["Odd group"]);
            hives.service("Member").set_sz("Group", "ODD GROUP").set_dword("Start", start);
            hives.service("Other").set_sz("Group", "Odd group").set_dword("Start", 4);
        })
    };
    assert_eq!(deviating(&with(3)), Vec::<&str>::new());
    let none = with(4);
    let group = finding(&none, "chain/BITS/DependOnGroup");
    assert_eq!(verdict(group), (Verdict::Deviates, Severity::High));
    assert!(group.why.contains("No service of the group Odd group can start."), "{}", group.why);
}

#[test]
fn a_chain_that_runs_in_a_circle_or_very_deep_ends() {
    let examined = altered("windows-7", |hives| {
        hives.service("BITS").set_multi_sz("DependOnService", &["RpcSs", "EventSystem", "L0"]);
        for number in 0..300 {
            let next = format!("L{}", (number + 1) % 300);
            let name = format!("L{number}");
            hives.service(&name).set_dword("Start", 3).set_multi_sz("DependOnService", &[&next, "bits"]);
        }
        hives.service("L250").set_dword("Start", 4);
    });
    let deep = finding(&examined, "chain/L250/Start");
    assert!(deep.why.contains("BITS -> L0 -> L1 -> L2 -> ... -> L247 -> L248 -> L249 -> L250."), "{}", deep.why);
}

const STRANGER: &str = r"C:\ProgramData\helper.dll";

fn stranger(hives: &mut Hives<'_>, key: &str) {
    let groups = hives.software.create(r"Microsoft\Windows NT\CurrentVersion\SvcHost");
    groups.set_multi_sz("netsvcs", &["SENS", "wuauserv", "BITS", "Helper", "Missing", "Schedule"]);
    hives.service("Helper").set_dword("Start", 2);
    hives.service(key).set_expand_sz("ServiceDll", STRANGER);
    hives.service(r"Schedule\Parameters").set_expand_sz("ServiceDll", r"%systemroot%\system32\schedsvc.dll");
}

#[test]
fn d9_a_stranger_in_a_group_whose_library_lies_elsewhere_is_high() {
    for key in [r"Helper\Parameters", "Helper"] {
        let examined = altered("windows-7", |hives| stranger(hives, key));
        assert_eq!(deviating(&examined), ["group-members/Helper/ServiceDll"], "{key}");
        let found = finding(&examined, "group-members/Helper/ServiceDll");
        assert_eq!(verdict(found), (Verdict::Unexpected, Severity::High));
        assert!(found.why.contains(&format!("its library is {STRANGER}")), "{}", found.why);
        assert!(found.key.as_ref().unwrap().ends_with(key));
        assert!(found.remediation.is_none() && found.attack.contains(&"T1543.003".to_owned()));
    }
}

#[test]
fn profiles_choose_what_is_looked_for() {
    let with = |profiles: &[Profile]| {
        let options = Options { profiles: profiles.to_vec(), ..Options::default() };
        let examined = altered_with("windows-7", &options, |hives| {
            stranger(hives, r"Helper\Parameters");
            hives.service("Bowser").set_dword("Start", 4);
            hives.service("SENS").set_dword("Start", 4);
        });
        deviating(&examined).join(" ")
    };
    assert_eq!(with(&[Profile::Kb968001]), "service-sens/Start");
    assert_eq!(with(&[Profile::Chain]), "chain/SENS/Start chain/Bowser/Start");
    assert_eq!(with(&[Profile::Persistence]), "group-members/Helper/ServiceDll");
}

#[test]
fn the_same_deviation_in_the_control_set_to_fall_back_to_stands_beside_it() {
    let examined = altered("windows-7", |hives| {
        for set in [1, 2] {
            hives.system.create(&format!(r"ControlSet00{set}\Services\SENS")).set_dword("Start", 4);
        }
        hives.service("BITS").set_dword("Start", 4);
        hives.system.create(r"ControlSet002\Services\EventSystem").set_dword("Start", 4);
    });
    assert_eq!(deviating(&examined), ["service-bits/Start", "service-sens/Start"]);
    assert_eq!(finding(&examined, "service-sens/Start").also_in, [r"ControlSet002\Services\SENS"]);
    assert_eq!(finding(&examined, "service-bits/Start").also_in, Vec::<String>::new());
}

#[test]
fn more_dependencies_than_are_followed_are_a_gap() {
    let names: Vec<String> = (0..70_000).map(|number| format!("S{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let examined = altered("windows-7", |hives| _ = hives.service("wuauserv").set_multi_sz("DependOnService", &names));
    assert_eq!(finding(&examined, "chain").verdict, Verdict::Unreadable);
    assert_eq!(examined.exit(), 3);
}
