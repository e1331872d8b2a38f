//! A case as text: its report, and its patch and rollback.

use std::fmt::Write as _;

use hivemend::finding::{Datum, Finding, Reason, Remediation, Verdict};
use hivemend::machine::Sameness;
use hivemend::reg_file;
use hivemend::registry::{Decoded, RegistryValue};
use hivemend::remediation::{PatchOptions, patch_files};

use super::Examined;
use super::expectations::word;

/// Everything in one text, for a snapshot. Hashes and paths are left out: they say nothing about the judgement.
pub(super) fn text(examined: &Examined) -> String {
    let mut text = String::new();
    let installation = examined.installation();
    let os = &installation.os;
    writeln!(text, "os: {} ({})", os.id, os.basis.join("; ")).unwrap();
    if os.is_uncertain() {
        writeln!(text, "uncertain: {}", os.marks.against.join("; ")).unwrap();
    }
    if let Some(same) = installation.same_machine.as_ref().filter(|same| same.state != Sameness::Unproven) {
        writeln!(text, "same machine: {} ({})", word(&same.state), same.by.join("; ")).unwrap();
    }
    for hive in &installation.hives {
        let problems: Vec<String> = hive.integrity.problems.iter().map(ToString::to_string).collect();
        writeln!(text, "{}: {} {}", hive.role, word(&hive.integrity.state), problems.join("; ")).unwrap();
    }
    for problem in &examined.examination.report.problems {
        writeln!(text, "problem: expected {}, found {}", problem.expected, problem.found).unwrap();
    }
    writeln!(text, "exit: {}", examined.exit()).unwrap();
    let summary = &examined.examination.report.summary;
    let highest = summary.counts.highest_severity.map_or_else(|| "none".to_owned(), |severity| word(&severity));
    let counts = [
        ("conforms", summary.counts.conforms),
        ("deviates", summary.counts.deviates),
        ("absent", summary.counts.absent),
        ("unexpected", summary.counts.unexpected),
        ("unreadable", summary.counts.unreadable),
        ("not assessed", summary.counts.not_assessed),
    ];
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    writeln!(text, "summary: {}; highest severity {highest}; complete {}", counts.join(", "), summary.complete)
        .unwrap();
    for finding in installation.judgement.iter().flat_map(|judgement| &judgement.findings) {
        write_finding(&mut text, finding);
    }
    write_plan(&mut text, examined);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

fn write_finding(text: &mut String, finding: &Finding) {
    if matches!(finding.verdict, Verdict::Conforms | Verdict::NotAssessed(Reason::RunTime)) {
        return;
    }
    if let Verdict::NotAssessed(reason) = finding.verdict {
        // Shown, or not to be told: a line is enough.
        let observed = finding.observed.as_ref().map(|observed| datum(&observed.datum));
        if observed.is_some() || reason != Reason::Informational {
            writeln!(text, "{}: {} {}", finding.id, word(&reason), observed.unwrap_or_default()).unwrap();
        }
        return;
    }
    let head = [word(&finding.verdict.kind()), word(&finding.severity), word(&finding.grade)].join(" ");
    writeln!(text, "\n{}: {head} {}", finding.id, finding.attack.join(" ")).unwrap();
    let hive = finding.hive.map(|role| role.to_string()).unwrap_or_default();
    let key = finding.key.as_deref().unwrap_or_default();
    let time = finding.key_last_written.map(|time| format!(" (written {time})")).unwrap_or_default();
    writeln!(text, "  {hive} {key}{time}").unwrap();
    if let Some(note) = &finding.key_last_written_note {
        writeln!(text, "  note: {note}").unwrap();
    }
    let expected: Vec<String> = finding.expected.data().iter().map(datum).collect();
    writeln!(text, "  expected {}", if expected.is_empty() { "nothing".to_owned() } else { expected.join(" or ") })
        .unwrap();
    match &finding.observed {
        Some(observed) if observed.datum.data.is_some() => {
            writeln!(text, "  observed {}", datum(&observed.datum)).unwrap();
        }
        Some(observed) => {
            let data_type = observed.datum.data_type;
            let raw = RegistryValue { data_type, bytes: observed.raw.clone() }.raw_hex();
            writeln!(text, "  observed {data_type} raw {raw}").unwrap();
        }
        None => writeln!(text, "  observed nothing").unwrap(),
    }
    writeln!(text, "  {}", finding.why).unwrap();
    match &finding.remediation {
        Some(Remediation::Set { datum: wanted, .. }) => writeln!(text, "  set {}", datum(wanted)).unwrap(),
        Some(Remediation::DeleteValue) => writeln!(text, "  delete").unwrap(),
        None => {}
    }
}

fn datum(datum: &Datum) -> String {
    let data = match &datum.data {
        Some(Decoded::Text(text)) => format!("{text:?}"),
        Some(Decoded::List(list)) => format!("{list:?}"),
        Some(Decoded::Number(number)) => format!("{number:#x}"),
        None => "?".to_owned(),
    };
    format!("{} {data}", datum.data_type)
}

/// The patch files decoded, and what the plan leaves undone.
fn write_plan(text: &mut String, examined: &Examined) {
    let plan = match examined.plan() {
        Ok(plan) => plan,
        Err(reason) => {
            let (_, reason) = reason.split_once(": ").unwrap();
            writeln!(text, "\nno patch: {reason}").unwrap();
            return;
        }
    };
    for left in &plan.left {
        writeln!(text, "\nleft {}: {}", left.finding, left.reason).unwrap();
    }
    for limit in &plan.rollback_limits {
        writeln!(text, "\nlimit: {limit}").unwrap();
    }
    for file in patch_files(&plan, &PatchOptions::default()).unwrap() {
        writeln!(text, "\n==> {}", file.name).unwrap();
        assert_eq!(&file.bytes[..2], [0xff, 0xfe], "regedit's encoding");
        let units: Vec<u16> =
            file.bytes[2..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let decoded = String::from_utf16(&units).unwrap();
        // regedit alters what it cannot restore; then the plan says so.
        let alters = plan.edits.iter().any(|edit| !edit.regedit_restores);
        let diagnostics = reg_file::parse(&file.bytes).diagnostics;
        assert!(diagnostics.is_empty() || alters, "{}: {diagnostics:?}", file.name);
        for line in decoded.split("\r\n").filter(|line| !line.contains(", SHA-256 ")) {
            writeln!(text, "{line}").unwrap();
        }
    }
}
