//! Oddities of judged keys themselves, whatever their values: names that hide, and impossible times.

use std::collections::BTreeSet;

use super::blank;
use super::judge::Judge;
use super::scene::Scene;
use crate::baseline::{Basis, Presence};
use crate::control_set::key_name;
use crate::facts::{KeyState, OddName, Oddness};
use crate::finding::{Expected, Finding, Grade, Severity, Source, Verdict};
use crate::hive::OddTime;
use crate::registry::{Name, Role};

/// Adds a finding for each name that hides: `names/Services/BITS`, `names/Services/BITS/Start`.
pub(super) fn names(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let first = findings.len();
    for (role, control_set, odd) in &scene.facts.odd_names {
        let set = control_set.map(key_name).unwrap_or_default();
        let parent = odd.parent.strip_prefix(&set).filter(|_| !set.is_empty()).unwrap_or(&odd.parent);
        let parts = ["names"].into_iter().chain(parent.split('\\')).chain([odd.like.as_str()]);
        let id = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        let (severity, sentence) = said(odd);
        // One finding covers everything that hides behind one name.
        let known = findings.iter_mut().skip(first).find(|known| known.id == id && known.control_set == *control_set);
        if let Some(known) = known {
            known.severity = known.severity.max(severity);
            known.why = format!("{} {sentence}", known.why);
            continue;
        }
        let key = if odd.is_value || odd.like.is_empty() { odd.parent.clone() } else { below(odd) };
        findings.push(Finding {
            hive: Some(*role),
            control_set: *control_set,
            key: Some(key),
            ..blank(id, Verdict::Unexpected, Expected::Absent, &basis(sentence, severity))
        });
    }
}

fn below(odd: &OddName) -> String {
    [odd.parent.as_str(), &odd.like].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\\")
}

fn said(odd: &OddName) -> (Severity, String) {
    let kind = if odd.is_value { "value" } else { "key" };
    // Quotes show a blank at the end.
    let name = format!("\"{}\"", odd.name.escape_default());
    match odd.oddness {
        Oddness::Twin => (
            Severity::High,
            format!(
                "There is a second {kind} {name} in the same key. Windows never creates two of one name. It uses the \
                 first that its lookup finds; this report judges the first in the list."
            ),
        ),
        Oddness::Nul => (
            Severity::High,
            format!(
                "The {kind} {name} has a NUL in its name. Programs that read the registry through Win32, such as \
                 regedit, cannot open it."
            ),
        ),
        Oddness::LookAlike => {
            (Severity::Medium, format!("The {kind} {name} looks like {}; to Windows it is another {kind}.", odd.like))
        }
    }
}

fn basis(why: String, severity: Severity) -> Basis {
    Basis {
        why,
        source: Source {
            title: "MITRE ATT&CK T1036.004 and T1112; Sysinternals, Hidden Registry Keys (RegHide); none in the real \
                    hives that were read"
                .to_owned(),
            url: Some("https://attack.mitre.org/techniques/T1112/".to_owned()),
        },
        grade: Grade::Confirmed,
        kinship: None,
        stated_in: None,
        severity,
        attack: vec!["T1112".to_owned(), "T1036.004".to_owned()],
    }
}

/// Adds a finding for each judged key whose time of last write cannot be right.
pub(super) fn times(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut told: BTreeSet<(Role, Option<u32>, Name)> = BTreeSet::new();
    for (index, facts) in &scene.facts.keys {
        let Some(key) = scene.baseline.keys.get(*index) else { continue };
        let (KeyState::Present(_), Some(odd)) = (&facts.state, facts.odd_time) else { continue };
        // A key that should not exist has a finding, which states the time. Nothing depends on a link's own time.
        let has_finding = key.presence == Presence::Absent || facts.link.is_some();
        let holds = key.when.holds(scene.context.os) != Some(false);
        // The finding's note gives the times.
        let odd = match odd {
            OddTime::Missing => "the time is not set",
            OddTime::BeforeWindowsNt => "the time is earlier than the first Windows NT",
            OddTime::NoDate(_) => "the time is past the year 9999",
            // A clock that was set back also causes this, so only the notes mention it.
            OddTime::AfterHive(_) => continue,
        };
        if has_finding || !holds || !told.insert((key.role, facts.control_set, facts.path.as_str().into())) {
            continue;
        }
        let place = Judge { key, facts, scene: *scene }.place(None, Verdict::Deviates, Expected::Rule, &key.basis);
        findings.push(Finding {
            severity: Severity::Low,
            grade: Grade::Confirmed,
            why: format!("Windows sets the time of a key at each change. Here {odd}."),
            source: Source {
                title:
                    "Microsoft: RegQueryInfoKey, lpftLastWriteTime; no such time in the healthy hives that were read"
                        .to_owned(),
                url: Some("https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regqueryinfokeyw".to_owned()),
            },
            attack: vec!["T1070.006".to_owned()],
            ..place
        });
    }
}
