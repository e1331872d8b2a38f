//! Detects oddities of a SYSTEM hive as a whole, for any Windows. No baseline states these findings, and they appear
//! only if something is odd.

use crate::audit::blank;
use crate::baseline::Basis;
use crate::finding::{Datum, Expected, Finding, Grade, Severity, Source, Verdict};
use crate::hive::Tree;
use crate::machine::Machine;
use crate::registry::{FileTime, RegistryValue, Role};

/// Two days, in units of 100 ns: the longest time that setup takes, with restarts.
const SETUP_TAKES: u64 = 2 * 24 * 60 * 60 * 10_000_000;

/// The values of the `Setup` key, and whether setup is in progress. Its values: Microsoft, "Enable and Disable the
/// Built-in Administrator Account" and the setup of Windows; 0, 0 and an empty `CmdLine` on every real hive of a
/// finished Windows, except that XP leaves a `CmdLine`.
#[derive(Clone)]
pub(super) struct SetupMarks {
    in_progress: Option<RegistryValue>,
    setup_type: Option<RegistryValue>,
    command: Option<String>,
    /// Whether the Windows has been used since its installation.
    finished: bool,
}

impl SetupMarks {
    /// Reads the values. `written` is the time of the last write to SYSTEM, according to its base block.
    pub(super) fn read(system: &Tree<'_>, machine: &Machine, written: Option<FileTime>) -> Self {
        let key = system.key("Setup").ok().flatten();
        let value = |name| key.as_ref().and_then(|key| key.value(name).ok().flatten());
        let marked = |name| value(name).filter(|value| value.as_number().is_some_and(|number| number != 0));
        let used = machine.last_shutdown.into_iter().chain(written).max();
        let finished = machine
            .installed
            .zip(used)
            .is_some_and(|(installed, used)| used.0 > installed.0.saturating_add(SETUP_TAKES));
        let command = value("CmdLine").as_ref().and_then(crate::os::lenient_text);
        Self { in_progress: marked("SystemSetupInProgress"), setup_type: marked("SetupType"), command, finished }
    }

    /// Returns whether setup was in progress when the hive was written: all marks and the dates must agree.
    pub(super) fn is_setup_phase(&self) -> bool {
        self.in_progress.is_some() && self.setup_type.is_some() && self.command.is_some() && !self.finished
    }

    fn findings(&self) -> Vec<Finding> {
        if self.is_setup_phase() {
            return Vec::new();
        }
        let command = self.command.as_deref().unwrap_or("no command");
        let marks = [
            (
                "SystemSetupInProgress",
                &self.in_progress,
                Severity::Medium,
                "The hive states that setup is in progress, but the other marks of setup, or the dates, contradict \
                 it. Services behave differently during setup."
                    .to_owned(),
            ),
            (
                "SetupType",
                &self.setup_type,
                Severity::High,
                format!("Windows runs CmdLine as SYSTEM at its next start, before anybody signs in: {command}."),
            ),
        ];
        let odd =
            marks.into_iter().filter_map(|(name, value, severity, why)| Some((name, value.as_ref()?, severity, why)));
        odd.map(|(name, value, severity, why)| Finding {
            key: Some("Setup".to_owned()),
            value: Some(name.to_owned()),
            observed: Some(value.into()),
            ..odd_finding(
                &format!("setup-state/{name}"),
                Verdict::Deviates,
                Expected::OneOf(vec![Datum::from(&RegistryValue::dword(0))]),
                severity,
                why,
                "0 in every real hive of a finished Windows",
            )
        })
        .collect()
    }
}

/// Returns the findings on oddities in SYSTEM.
pub(super) fn findings(system: &Tree<'_>, setup: &SetupMarks) -> Vec<Finding> {
    let mut findings = setup.findings();
    let real = system.root().and_then(|root| root.subkey("CurrentControlSet")).ok().flatten();
    if let Some(key) = real {
        let why = "CurrentControlSet is a link that Windows creates in memory at each start; it is never in a hive \
                   file. Tools that read ControlSetNNN do not see the content of a key of that name, and tools that \
                   read that key do not see ControlSetNNN."
            .to_owned();
        findings.push(Finding {
            key: Some(key.path().to_owned()),
            key_last_written: Some(key.last_written()),
            key_last_written_note: key.odd_time().map(|odd| odd.to_string()),
            ..odd_finding(
                "current-control-set",
                Verdict::Unexpected,
                Expected::Absent,
                Severity::High,
                why,
                "Microsoft Knowledge Base Q102984; in no real hive",
            )
        });
    }
    findings
}

fn odd_finding(
    id: &str,
    verdict: Verdict,
    expected: Expected,
    severity: Severity,
    why: String,
    source: &str,
) -> Finding {
    let basis = Basis {
        why,
        source: Source { title: source.to_owned(), url: None },
        grade: Grade::Confirmed,
        kinship: None,
        stated_in: None,
        severity,
        attack: Vec::new(),
    };
    Finding { hive: Some(Role::System), ..blank(id.to_owned(), verdict, expected, &basis) }
}
