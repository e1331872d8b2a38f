//! What was examined: the block above an installation's findings.

use std::io;

use super::page::{Ink, Page};
use super::{data, grouped, word};
use crate::control_set::ControlSets;
use crate::error::Problem;
use crate::hive::State;
use crate::machine::{Machine, SameMachine, Sameness};
use crate::os::Os;
use crate::report::{HiveReport, InstallationReport};

/// The width of `control sets`.
const LABEL: usize = 12;

pub(super) fn write(page: &mut Page<'_>, installation: &InstallationReport) -> io::Result<()> {
    let evidence = format!("{} ({})", data::prose(&installation.evidence), word(&installation.generation));
    page.paragraph(0, &evidence, Ink::Strong)?;
    page.rule()?;
    let mut write = |label: &str, facts: &[String], between: &str| match facts {
        [] => Ok(()),
        facts => page.facts(2, LABEL, label, facts, between),
    };
    write("Windows", &windows(&installation.os), ", ")?;
    let basis: Vec<String> = installation.os.basis.iter().map(|basis| data::prose(basis)).collect();
    write("known by", &basis, "; ")?;
    let against: Vec<String> = installation.os.marks.against.iter().map(|mark| data::prose(mark)).collect();
    write("but", &against, "; ")?;
    write("machine", &machine(&installation.machine), ", ")?;
    if let Some(same) = &installation.same_machine {
        write("one machine", &same_machine(same), "; ")?;
    }
    if let Some(sets) = &installation.control_sets {
        write("control sets", &control_sets(sets), ", ")?;
    }
    if let Some(baseline) = installation.judgement.as_ref().and_then(|judgement| judgement.baseline.as_ref()) {
        write("baseline", &[data::prose(&baseline.id)], "")?;
    }
    for hive in &installation.hives {
        write_hive(page, hive)?;
    }
    Ok(())
}

/// Returns lines such as `Windows XP (Microsoft Windows XP), 5.1.2600, Service Pack 3, WinNT, x86`.
pub(crate) fn windows(os: &Os) -> Vec<String> {
    let mut parts = vec![match os.product_name.as_deref().map(data::prose) {
        Some(product) if product != os.name => format!("{} ({product})", os.name),
        _ => os.name.to_string(),
    }];
    parts.extend(version(os));
    let texts = [&os.service_pack, &os.edition, &os.product_type, &os.architecture];
    parts.extend(texts.into_iter().flatten().map(|text| data::prose(text)));
    if os.forced {
        parts.push("given with --os".to_owned());
    } else if os.is_uncertain() {
        parts.push("uncertain".to_owned());
    }
    parts
}

/// Returns the known part of a version such as `10.0.19045.2965`.
pub(super) fn version(os: &Os) -> Option<String> {
    let mut version = data::prose(os.version.as_deref()?);
    if let Some(build) = os.build {
        version = format!("{version}.{build}");
        if let Some(revision) = os.revision {
            version = format!("{version}.{revision}");
        }
    }
    Some(version)
}

fn machine(machine: &Machine) -> Vec<String> {
    let texts = [&machine.computer_name, &machine.system_root, &machine.time_zone];
    let times = [("installed", machine.installed), ("last shut down", machine.last_shutdown)];
    let texts = texts.into_iter().flatten().map(|text| data::prose(text));
    let times = times.into_iter().filter_map(|(name, time)| Some(format!("{name} {}", time?)));
    texts.chain(times).collect()
}

/// Returns lines such as `proven: both name the network card {...}`.
pub(crate) fn same_machine(same: &SameMachine) -> Vec<String> {
    let state = match same.state {
        Sameness::Proven => "proven",
        Sameness::Unproven => "not proven",
        Sameness::Contradicted => "CONTRADICTED",
    };
    let by: Vec<String> = same.by.iter().map(|by| data::prose(by)).collect();
    vec![if by.is_empty() { state.to_owned() } else { format!("{state}: {}", by.join("; ")) }]
}

pub(crate) fn control_sets(sets: &ControlSets) -> Vec<String> {
    let present: Vec<String> = sets.present.iter().map(ToString::to_string).collect();
    let mut facts = vec![if present.is_empty() { "none".to_owned() } else { present.join(" and ") }];
    let roles = [
        ("current", sets.current),
        ("default", sets.default),
        ("failed", sets.failed.filter(|number| *number != 0)),
        ("last known good", sets.last_known_good),
    ];
    facts.extend(roles.into_iter().filter_map(|(name, number)| Some(format!("{name} {}", number?))));
    facts
}

fn write_hive(page: &mut Page<'_>, hive: &HiveReport) -> io::Result<()> {
    let label = hive.role.as_str();
    page.labelled(2, LABEL, label, &data::prose(&hive.path), Ink::Strong)?;
    let mut facts = vec![format!("{} bytes", grouped(hive.size))];
    facts.extend(hive.format_version.as_ref().map(|version| format!("format {}", data::prose(version))));
    facts.extend(hive.last_written.map(|time| format!("last written {time}")));
    page.facts(2, LABEL, "", &facts, ", ")?;
    for (algorithm, sum) in hive.sums() {
        page.labelled(2, LABEL, &algorithm.to_string(), &data::prose(sum), Ink::Dim)?;
    }
    let state = word(&hive.integrity.state);
    page.labelled(2, LABEL, &state, &logs(hive), state_ink(hive.integrity.state))?;
    for shown in &hive.integrity.problems {
        page.labelled(2, LABEL, "problem", &problem(shown), state_ink(hive.integrity.state))?;
    }
    Ok(())
}

pub(super) fn state_ink(state: State) -> Ink {
    match state {
        State::Clean | State::Recovered => Ink::Good,
        State::Dirty => Ink::Medium,
        State::Damaged => Ink::High,
    }
}

/// Returns the logs beside a hive: `software.LOG (old format, 1,024 bytes): stale`.
pub(crate) fn logs(hive: &HiveReport) -> String {
    if hive.integrity.logs.is_empty() {
        return "no transaction log beside it".to_owned();
    }
    let lines = hive.integrity.logs.iter().map(|log| {
        let name = log.path.rsplit(['/', '!']).next().unwrap_or(&log.path);
        let format = log.format.map_or_else(String::new, |format| format!("{} format, ", word(&format)));
        format!("log {} ({format}{} bytes): {}", data::prose(name), grouped(log.size), word(&log.state))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns a problem: where, what was expected, what was found, what to do.
pub(crate) fn problem(problem: &Problem) -> String {
    data::prose(&problem.to_string())
}
