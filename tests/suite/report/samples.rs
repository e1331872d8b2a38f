//! Sample reports: hives from the builder, audited through the library.

use hivemend::answer::answer;
use hivemend::audit::{Context, audit};
use std::sync::LazyLock;

use hivemend::baseline::{Baseline, Profile, SystemRoot};
use hivemend::control_set::{Choice, ControlSets};
use hivemend::discovery::Generation;
use hivemend::error::Problem;
use hivemend::evidence::{Bytes, sha256_of};
use hivemend::examination::gaps_of;
use hivemend::facts::{Source, observe_all};
use hivemend::finding::{Finding, Location, Severity, Verdict, WrittenBy};
use hivemend::hive::transaction_log::{LogFormat, LogState};
use hivemend::hive::{Hive, LogEntry, LogPart, State};
use hivemend::machine::{Machine, same_machine};
use hivemend::os::{OsId, Pair, identify};
use hivemend::registry::Role;
use hivemend::report::{
    BaselineReference, HiveReport, InstallationReport, Integrity, JudgedGenerations, Judgement, LogReport, Report,
    ReportOptions, SchemaVersion, SourceIntegrity, Summary, Tool,
};

use crate::builder;

const NOTIFY: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";

/// A SOFTWARE hive of Windows XP where everything is as the small baseline has it.
pub(crate) fn software() -> builder::Hive {
    let mut hive = builder::Hive::new("$$$PROTO.HIV");
    let version = hive.root.create(r"Microsoft\Windows NT\CurrentVersion");
    version.set_sz("CurrentVersion", "5.1").set_sz("CurrentBuildNumber", "2600").set_sz("CSDVersion", "Service Pack 3");
    version.set_sz("ProductName", "Microsoft Windows XP").set_sz("SystemRoot", r"C:\WINDOWS");
    version.set_dword("InstallDate", 1_275_530_226);
    hive.root.create("Classes");
    let notify = hive.root.create(NOTIFY);
    notify.set_time(129_884_694_720_000_000);
    hive.last_written = 129_884_694_725_000_000;
    notify.set_sz("DLLName", "WlNotify.dll").set_sz("Logon", "SensLogonEvent").set_sz("Logoff", "SensLogoffEvent");
    notify.set_sz("Shutdown", "SensShutdownEvent").set_dword("MaxWait", 600);
    hive
}

/// A SYSTEM hive that goes with it.
pub(crate) fn system() -> builder::Hive {
    let mut hive = builder::Hive::new("$$$PROTO.HIV");
    hive.root.create("WPA");
    for set in [1, 3] {
        let control = hive.root.create(&format!(r"ControlSet{set:03}\Control"));
        control.create("ProductOptions").set_sz("ProductType", "WinNT");
        control.create(r"Session Manager\Environment").set_sz("PROCESSOR_ARCHITECTURE", "x86");
        control.create(r"ComputerName\ComputerName").set_sz("ComputerName", "FRONTDESK-04");
        control.create("TimeZoneInformation").set_sz("StandardName", "W. Europe Standard Time");
        let services = hive.root.create(&format!(r"ControlSet{set:03}\Services"));
        let bits = services.create("BITS");
        bits.set_dword("Start", 3).set_dword("ErrorControl", 1).set_multi_sz("DependOnService", &["RpcSs"]);
        bits.set_expand_sz("ImagePath", r"%SystemRoot%\system32\svchost.exe -k netsvcs");
        for needed in ["RpcSs", "EventSystem", "Spooler"] {
            services.create(needed).set_dword("Start", 2);
        }
        services.create("SENS").set_dword("Start", 2).set_sz("Description", "Tracks system events.");
    }
    let select = hive.root.create("Select");
    select.set_dword("Current", 1).set_dword("Default", 1).set_dword("Failed", 0).set_dword("LastKnownGood", 3);
    hive
}

/// A pair in which one value of each kind is not as it should be.
pub(crate) fn broken() -> (builder::Hive, builder::Hive) {
    let (mut software, mut system) = (software(), system());
    let notify = software.root.create(NOTIFY);
    notify.set_sz("Shutdown", "SensStopEvent").set_dword("MaxWait", 258).set_sz("StartShell", "SensStartShellEvent");
    notify.remove_value("Logon");
    notify.remove_value("Logoff");
    software.root.create(r"Policies\Microsoft\Windows\WindowsUpdate\AU").set_dword("UseWUServer", 1);
    let services = system.root.create(r"ControlSet001\Services");
    let bits = services.create("BITS");
    bits.set_sz("Start", "3").set_expand_sz("ImagePath", r"C:\Documents and Settings\All Users\svchost.exe -k netsvcs");
    bits.set_multi_sz("DependOnService", &["RpcSs", "Eventsystem", "Spooler"]);
    services.remove_child("SENS");
    (software, system)
}

/// A pair full of what attacks terminals and eyes.
pub(crate) fn hostile() -> (builder::Hive, builder::Hive) {
    let (mut software, mut system) = (software(), system());
    let version = software.root.create(r"Microsoft\Windows NT\CurrentVersion");
    version.set_sz("ProductName", "Windows\u{1b}]0;owned\u{7} XP\u{202e}");
    let notify = software.root.create(NOTIFY);
    notify.set_sz("DLLName", "C:\\Users\\\u{202e}lld.yfitoNlW").set_sz("Logon", "SensLogonEvent ");
    notify.set_sz("Logoff", "SensLog\u{43e}ffEvent").set_sz("Shutdown", "SensShutdownEvent\0evil");
    notify.set_sz("\u{1b}[2J\u{9b}31m\n\u{200b}", &"日本語".repeat(120));
    notify.set_sz(&"name".repeat(200), "x");
    let control = system.root.create(r"ControlSet001\Control");
    control.create(r"ComputerName\ComputerName").set_sz("ComputerName", "FRONT\u{1b}[8mDESK\r\n");
    let bits = system.root.create(r"ControlSet001\Services\BITS");
    bits.set_multi_sz("DependOnService", &["RpcSs", "", "Evil, Inc"]).set_binary("Start", &[0x5a; 3000]);
    (software, system)
}

/// The report of one installation: its hives audited by the small baseline, or only listed.
pub(crate) struct Sample {
    pub(crate) evidence: &'static str,
    pub(crate) generation: Generation,
    pub(crate) software: Option<builder::Hive>,
    pub(crate) system: Option<builder::Hive>,
    /// Of another Windows than the small one is for, or of none that there is one for.
    pub(crate) baseline: Option<&'static Baseline>,
    pub(crate) judge: bool,
}

impl Sample {
    pub(crate) fn of((software, system): (builder::Hive, builder::Hive)) -> Self {
        Self {
            evidence: "mnt/WINDOWS/system32/config",
            generation: Generation::Live,
            software: Some(software),
            system: Some(system),
            baseline: Some(small_baseline()),
            judge: true,
        }
    }

    pub(crate) fn examine(self) -> InstallationReport {
        let open = |hive: &Option<builder::Hive>| {
            hive.as_ref().map(|hive| Hive::from_bytes(Bytes::Read(hive.to_bytes())).unwrap().as_it_lies())
        };
        let (software, system) = (open(&self.software), open(&self.system));
        let (software_tree, system_tree) = (software.as_ref().map(Hive::tree), system.as_ref().map(Hive::tree));
        let minor = system.as_ref().map(|hive| hive.base_block().minor);
        let (os, _) = identify(Pair { software: software_tree.as_ref(), system: system_tree.as_ref().zip(minor) });
        let control_sets = system_tree.as_ref().map(|tree| ControlSets::read(tree).unwrap());
        let chosen = control_sets.as_ref().map_or_else(Vec::new, |sets| sets.chosen(Choice::Current).unwrap());
        let machine = Machine::read(software_tree.as_ref(), system_tree.as_ref(), chosen.first().copied());
        let baseline = self.baseline;
        let findings = baseline.map_or_else(Vec::new, |baseline| {
            let source = |tree| match tree {
                Some(tree) => Source::Tree(tree),
                None => Source::Missing,
            };
            let facts =
                observe_all(baseline, source(software_tree.as_ref()), source(system_tree.as_ref()), &chosen, false);
            let root = SystemRoot::new(machine.system_root.as_deref());
            audit(baseline, &facts, &Context { os: &os, root, setup_phase: false, profiles: &Profile::ALL })
        });
        let baseline =
            baseline.map(|baseline| BaselineReference { id: baseline.id.clone(), sha256: baseline.sha256.clone() });
        let hives = [(Role::Software, "software", &software), (Role::System, "system", &system)];
        let hives = hives.into_iter().filter_map(|(role, name, hive)| Some((role, name, hive.as_ref()?)));
        InstallationReport {
            id: self.evidence.replace('/', "-"),
            label: None,
            gaps: Vec::new(),
            evidence: self.evidence.to_owned(),
            generation: self.generation,
            lies_in: self.generation,
            same_machine: software_tree
                .as_ref()
                .zip(system_tree.as_ref())
                .map(|(software, system)| same_machine(software, system, &machine, None)),
            machine,
            os,
            control_sets,
            hives: hives.map(|(role, name, hive)| describe(role, &format!("{}/{name}", self.evidence), hive)).collect(),
            judgement: self.judge.then(|| Judgement {
                answer: baseline.is_some().then(|| answer(&findings.iter().collect::<Vec<_>>(), true)),
                baseline,
                findings,
                ..Judgement::default()
            }),
            warnings: Vec::new(),
        }
    }
}

fn describe(role: Role, path: &str, hive: &Hive) -> HiveReport {
    let base_block = hive.base_block();
    HiveReport {
        role,
        path: path.to_owned(),
        size: hive.size(),
        sha256: Some(sha256_of(path.as_bytes())),
        md5: None,
        sha1: None,
        format_version: Some(format!("{}.{}", base_block.major, base_block.minor)),
        last_written: Some(base_block.last_written),
        container: None,
        source_integrity: SourceIntegrity::Unprotected,
        integrity: Integrity {
            state: State::Clean,
            primary_sequence: Some(base_block.primary_sequence),
            secondary_sequence: Some(base_block.secondary_sequence),
            checksum_valid: Some(base_block.checksum_valid()),
            logs: vec![LogReport {
                path: format!("{path}.LOG"),
                size: 1024,
                sha256: None,
                md5: None,
                sha1: None,
                format: Some(LogFormat::Old),
                state: LogState::Stale,
            }],
            replay: None,
            coverage: None,
            problems: Vec::new(),
        },
    }
}

/// A place with everything that one can have.
pub(crate) fn located() -> Location {
    let entry = |log: &str, part, sequence, offset| Some(LogEntry { log: log.to_owned(), part, sequence, offset });
    Location {
        nk: Some(0x1024),
        vk: Some(0x2044),
        data: Some(0x3004),
        segments: Some(vec![0x3004, 0x7004, 0xb004]),
        written_by: WrittenBy {
            nk: entry("case/software.LOG1", LogPart::Entry, 4, Some(0x424)),
            vk: entry("case/software.LOG1", LogPart::Entry, 4, None),
            data: entry("case/\u{202e}.LOG", LogPart::DirtyVector, 7, Some(0x1004)),
        },
        past_end: true,
    }
}

/// Makes a SYSTEM hive a dirty one, and says why, as an examination does.
pub(crate) fn dirty(installation: &mut InstallationReport) {
    let integrity = &mut installation.hives.last_mut().unwrap().integrity;
    integrity.state = State::Dirty;
    integrity.primary_sequence = Some(2);
    integrity.logs[0].state = LogState::NotReplayed;
    integrity.problems.push(
        Problem::at(4, "equal sequence numbers and a correct checksum (a clean hive)", "2 and 1")
            .advise("its transaction logs were not replayed: their changes are missing here"),
    );
}

pub(crate) fn small_baseline() -> &'static Baseline {
    static SMALL: LazyLock<Baseline> =
        LazyLock::new(|| Baseline::parse("small", include_str!("baseline.toml")).unwrap());
    &SMALL
}

/// The whole report, with every finding that `keep` keeps.
pub(crate) fn report(installations: Vec<InstallationReport>, keep: fn(&Finding) -> bool) -> Report {
    let mut installations = installations;
    let mut summary = Summary { installations: installations.len(), ..Summary::default() };
    let mut gaps = Vec::new();
    for installation in &mut installations {
        installation.gaps = gaps_of(installation);
        installation.gaps.sort();
        gaps.extend(installation.gaps.iter().cloned());
        if let Some(judgement) = &mut installation.judgement {
            for finding in &judgement.findings {
                summary.counts.count(finding);
                judgement.counts.count(finding);
            }
            judgement.findings.retain(keep);
        }
    }
    summary.close(gaps);
    Report {
        schema_version: SchemaVersion,
        tool: Tool { name: "hivemend".into(), version: "0.1.0".into() },
        options: ReportOptions {
            os: None::<OsId>,
            replay: false,
            control_set: Choice::Current,
            generations: JudgedGenerations::Live,
            profiles: Profile::ALL.to_vec(),
            fail_on: Severity::Low,
            all: false,
        },
        shadow_copies: vec![],
        sources: Vec::new(),
        problems: Vec::new(),
        installations,
        summary,
    }
}

/// As without `--all`.
pub(crate) fn without_conforming(finding: &Finding) -> bool {
    finding.verdict != Verdict::Conforms
}
