//! Compares each case with the `expect.toml` beside it.

use std::collections::BTreeSet;

use hivemend::control_set::Choice;
use hivemend::error::Code;
use hivemend::examination::Options;
use hivemend::finding::{Finding, Reason, Verdict};
use hivemend::hive::State;
use hivemend::os::OsId;

use super::expected::{Expected, Kind, of_kind, read};
use super::{Examined, clean_cases, examined, examined_case};
use crate::fixture;

/// A case is found by its name, in the folder of its Windows; and what is clean is called so.
#[test]
fn every_case_lies_where_its_name_says() {
    let all = read();
    for (name, folder) in all.keys().map(|name| (name, fixture::folder_of(name).unwrap())) {
        let group = folder.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let windows = os_in_name(name);
        assert!(group == windows || group == "other", "{name} is a case of {windows:?}, and lies in {group}");
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        for file in files {
            assert!(["SOFTWARE.reg", "SYSTEM.reg", "expect.toml"].contains(&file.as_str()), "{name}: {file}");
        }
    }
    let clean = |rows: &[Expected]| rows.iter().all(Expected::is_clean);
    let without_findings: BTreeSet<&String> =
        all.iter().filter(|(_, rows)| clean(rows)).map(|(name, _)| name).collect();
    let clean = of_kind(Kind::Clean);
    assert!(clean.len() > 40, "only {} clean cases", clean.len());
    assert!(clean.iter().all(|name| without_findings.contains(name)), "{clean:?} and {without_findings:?}");
}

#[test]
fn every_case_comes_out_as_its_file_says() {
    let rows = read();
    let results = super::for_each_case(|name| {
        let mut wrong = Vec::new();
        for expected in &rows[name] {
            let control_set = if expected.all_control_sets { Choice::All } else { Choice::Current };
            let case = fixture::compile(name).unwrap_or_else(|message| panic!("{message}"));
            let examined = examined(case, &Options { control_set, ..Options::default() });
            wrong.extend(differences(&examined, expected).into_iter().map(|line| format!("{name}: {line}")));
        }
        wrong
    });
    let wrong: Vec<String> = results.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Clean cases are clean in every control set, also in those that Windows would not start from.
#[test]
fn clean_cases_are_clean_in_every_control_set() {
    for name in clean_cases() {
        let case = fixture::compile(&name).unwrap();
        let examined = examined(case, &Options { control_set: Choice::All, ..Options::default() });
        let findings = &examined.installation().judgement.as_ref().unwrap().findings;
        let found: Vec<&Finding> = findings.iter().filter(|found| found.is_deviation()).collect();
        assert_eq!((examined.exit(), found), (0, vec![]), "{name}");
    }
}

/// What does not come out as expected, a line each.
fn differences(examined: &Examined, expected: &Expected) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, found: String, wanted: String| {
        if found != wanted {
            wrong.push(format!("{what}: expected {wanted}, found {found}"));
        }
    };
    let installation = examined.installation();
    let judgement = installation.judgement.as_ref().unwrap();
    let os = expected.os.clone().unwrap_or_else(|| os_in_name(&examined.case.name));
    check("os", installation.os.id.to_string(), os);
    check("exit", examined.exit().to_string(), expected.exit.to_string());
    check("no baseline", judgement.baseline.is_none().to_string(), expected.no_baseline.to_string());
    if !expected.no_baseline {
        check("uncertain", installation.os.is_uncertain().to_string(), expected.uncertain.to_string());
    }
    let gaps = &examined.examination.report.summary.gaps;
    let has = |code| gaps.iter().any(|gap| gap.code == code).to_string();
    check("contradicted", has(Code::HivesContradict), expected.contradicted.to_string());
    check("no control set", has(Code::ControlSetMissing), expected.no_control_set.to_string());
    let state = |role: &str| {
        let hive = installation.hives.iter().find(|hive| hive.role.as_str() == role);
        hive.map(|hive| hive.integrity.state == State::Dirty)
    };
    for role in fixture::ROLES {
        let dirty = expected.dirty.as_deref() == Some(role);
        let wanted = (expected.missing.as_deref() != Some(role)).then_some(dirty);
        check(&format!("{role} dirty"), format!("{:?}", state(role)), format!("{wanted:?}"));
    }

    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for finding in &expected.findings {
        let set = finding.control_set.map(|set| format!(" in set {set}")).unwrap_or_default();
        wanted.insert(format!("{} {} {}{set}", finding.id, finding.verdict, finding.severity));
    }
    for (key, count) in &expected.missing_keys {
        let ids = values_of_key(&examined.case.name, key);
        check(&format!("values of {key}"), ids.len().to_string(), count.to_string());
        // The key itself is the cause, unless a key above it is missing too.
        let above = |other: &str| key.strip_prefix(other).is_some_and(|rest| rest == "-parameters");
        if !expected.missing_keys.iter().any(|(other, _)| above(other)) {
            let rank = |severity: &str| ["low", "medium", "high"].iter().position(|known| *known == severity);
            let worst = ids.iter().map(|id| severity_when_gone(id)).max_by_key(|severity| rank(severity));
            wanted.insert(format!("{key} absent {}", worst.unwrap()));
        }
        wanted.extend(ids.into_iter().map(|id| format!("{id} absent {}", severity_when_gone(&id))));
    }
    let names_set = |id: &str| expected.findings.iter().any(|wanted| wanted.id == id && wanted.control_set.is_some());
    let found: BTreeSet<String> = judgement
        .findings
        .iter()
        .filter(|finding| finding.is_deviation() || finding.verdict == Verdict::Unreadable)
        .map(|finding| {
            let set = finding.control_set.filter(|_| names_set(&finding.id));
            let set = set.map(|set| format!(" in set {set}")).unwrap_or_default();
            format!("{} {} {}{set}", finding.id, word(&finding.verdict.kind()), word(&finding.severity))
        })
        .collect();
    check("findings", format!("{:#?}", found.difference(&wanted)), format!("{:#?}", wanted.difference(&found)));

    let of = |id: &str| judgement.findings.iter().filter(move |finding| finding.id == id).collect::<Vec<_>>();
    for wanted in &expected.findings {
        for finding in of(&wanted.id).into_iter().filter(|finding| finding.is_deviation()) {
            if let Some(attack) = &wanted.attack {
                check("attack", finding.attack.contains(attack).to_string(), "true".to_owned());
            }
            if let Some(says) = &wanted.says {
                check(&format!("says {says:?}"), finding.why.contains(says.as_str()).to_string(), "true".to_owned());
            }
        }
    }
    // The times of a key that has such a note are told at each of its findings; here those that deviate count.
    let bears_note = |finding: &&Finding| finding.key_last_written_note.is_some() && finding.is_deviation();
    let wanted_notes = expected.findings.iter().filter(|wanted| wanted.notes.is_some()).count();
    check("notes", judgement.findings.iter().filter(bears_note).count().to_string(), wanted_notes.to_string());
    for wanted in &expected.findings {
        let Some(note) = &wanted.notes else { continue };
        for finding in of(&wanted.id) {
            let found = finding.key_last_written_note.as_deref().unwrap_or_default();
            check(&format!("notes {note:?}"), found.contains(note.as_str()).to_string(), "true".to_owned());
        }
    }
    for id in &expected.shown {
        let is_shown = |finding: &&Finding| {
            finding.verdict == Verdict::NotAssessed(Reason::Informational) && finding.observed.is_some()
        };
        check(&format!("{id} shown"), of(id).iter().any(is_shown).to_string(), "true".to_owned());
    }
    // What was not assessed is what the missing hive would have told, and nothing else.
    for finding in &judgement.findings {
        let is_missing = finding.hive.is_some_and(|role| Some(role.as_str()) == expected.missing.as_deref());
        check(
            &format!("{} missing with its hive", finding.id),
            (finding.verdict == Verdict::NotAssessed(Reason::HiveMissing)).to_string(),
            is_missing.to_string(),
        );
        check(
            &format!("{} os-unknown", finding.id),
            (finding.verdict == Verdict::NotAssessed(Reason::OsUnknown)).to_string(),
            "false".into(),
        );
    }
    wrong
}

/// The longest id of a Windows that the case's name begins with.
fn os_in_name(case: &str) -> String {
    let ids = OsId::ALL.iter().map(ToString::to_string);
    ids.filter(|id| case.starts_with(id.as_str())).max_by_key(String::len).unwrap_or_default()
}

/// The ids of what is judged, and there, in that key in the clean case of the same Windows.
fn values_of_key(case: &str, key: &str) -> Vec<String> {
    let clean = examined_case(&os_in_name(case));
    let findings = &clean.installation().judgement.as_ref().unwrap().findings;
    let in_key = findings.iter().filter(|finding| finding.id.split('/').next() == Some(key));
    let may_be_missing =
        |finding: &&Finding| matches!(finding.value.as_deref(), Some("RequiredPrivileges" | "FailureActions"));
    let there = in_key
        .filter(|finding| finding.verdict == Verdict::Conforms && finding.observed.is_some())
        .filter(|finding| !may_be_missing(finding));
    there.map(|finding| finding.id.clone()).collect()
}

/// As `fixtures/README.md` says of a whole key that is gone.
fn severity_when_gone(id: &str) -> &'static str {
    let (key, value) = id.split_once('/').unwrap();
    match value {
        "DLLName" | "ServiceDll" | "ServiceMain" | "ImagePath" | "ObjectName" => "high",
        "Start" | "DependOnService" => "medium",
        _ if key == "winlogon-notify-senslogn" => "medium",
        _ => "low",
    }
}

/// A value of an enumeration as reports spell it.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap_or("null").to_owned()
}
