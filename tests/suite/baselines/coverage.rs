//! A fixture covers every expectation: in a clean fixture it is met, and in an altered one it is not. Otherwise a wrong
//! expectation could stay unnoticed.

use std::collections::{BTreeMap, BTreeSet};

use hivemend::baseline::{Baseline, Presence, Rule};
use hivemend::examination::Options;
use hivemend::finding::{Finding, Verdict};

use super::baselines;
use crate::cases::{Examined, clean_cases, examined, examined_case};
use crate::fixture::Case;

/// The clean cases, examined, by the id of their baseline.
fn clean() -> BTreeMap<String, Vec<Examined>> {
    let mut clean: BTreeMap<String, Vec<Examined>> = BTreeMap::new();
    for name in clean_cases() {
        let examined = examined_case(&name);
        // Another Windows' baseline judges it: that has fixtures of its own.
        if examined.installation().os.judged_by.is_some() {
            continue;
        }
        clean.entry(examined.installation().os.id.to_string()).or_default().push(examined);
    }
    clean
}

/// The row that a finding is of: without the subkey, where the row is about every subkey of a key.
fn row(finding: &Finding) -> String {
    let parts: Vec<&str> = finding.id.split('/').collect();
    match (parts.as_slice(), &finding.value) {
        ([key, _, ..], Some(value)) if parts.len() > 2 => format!("{key}/{value}"),
        _ => finding.id.clone(),
    }
}

fn findings(examined: &Examined) -> &[Finding] {
    &examined.installation().judgement.as_ref().unwrap().findings
}

/// The ids of the judged expectations of a baseline: whether they ask for something to be there, and may do without.
fn judged(baseline: &Baseline) -> BTreeMap<String, (bool, bool)> {
    let mut ids = BTreeMap::new();
    for key in &baseline.keys {
        if key.presence == Presence::Absent {
            ids.insert(key.id.clone(), (false, false));
        }
        let optional = key.presence == Presence::Optional;
        for value in &key.values {
            let wants = match value.rule {
                Rule::Absent => false,
                Rule::Informational | Rule::Unknown(_) => continue,
                _ => true,
            };
            ids.insert(format!("{}/{}", key.id, value.name), (wants, optional || value.optional));
        }
    }
    ids
}

#[test]
fn every_expectation_is_met_by_a_clean_fixture() {
    let clean = clean();
    let mut unmet = Vec::new();
    for baseline in baselines() {
        let of_windows = &clean[&baseline.id];
        for (id, (wants, may_be_missing)) in judged(&baseline) {
            let met = of_windows.iter().flat_map(findings).filter(|finding| row(finding) == id).any(|finding| {
                // Content with an absence because the whole key is missing would be content with nothing.
                let looked = finding.observed.is_some() == wants
                    && (wants || finding.value.is_none() || finding.key_last_written.is_some());
                finding.verdict == Verdict::Conforms && (looked || may_be_missing)
            });
            if !met {
                unmet.push(format!("{}: {id}", baseline.id));
            }
        }
    }
    assert!(unmet.is_empty(), "no clean fixture meets\n{}", unmet.join("\n"));
}

#[test]
fn every_expectation_is_hit_by_a_fixture_that_is_altered() {
    let mut missed = Vec::new();
    for (os, cases) in clean() {
        let baseline = baselines().into_iter().find(|baseline| baseline.id == os).unwrap();
        let mut hit: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for clean in &cases {
            for (how, alter) in [("taken away", take_away as Alteration), ("changed", change)] {
                let mut case = clean.case.clone();
                findings(clean)
                    .iter()
                    .filter(|finding| finding.key.is_some())
                    .for_each(|finding| alter(&mut case, finding));
                let altered = examined(case, &Options::default());
                // What means the same as no value is noticed by its note.
                let noticed = |finding: &&Finding| finding.is_deviation() || finding.note.is_some();
                let deviating = findings(&altered).iter().filter(noticed);
                hit.entry(how).or_default().extend(deviating.map(row));
            }
        }
        for (id, (wants, may_be_missing)) in judged(&baseline) {
            let missed_in = |how: &str| (!hit[how].contains(&id)).then(|| format!("{os}: {id}, {how}"));
            missed.extend(missed_in("changed"));
            missed.extend(missed_in("taken away").filter(|_| wants && !may_be_missing));
        }
    }
    assert!(missed.is_empty(), "nobody noticed\n{}", missed.join("\n"));
}

type Alteration = fn(&mut Case, &Finding);

fn take_away(case: &mut Case, finding: &Finding) {
    if let (Some(value), Some(_)) = (&finding.value, &finding.observed) {
        key_of(case, finding).remove_value(value);
    }
}

/// Gives the value, or the key, a value that no Windows has.
fn change(case: &mut Case, finding: &Finding) {
    if finding.verdict == Verdict::Conforms {
        key_of(case, finding).set_binary(finding.value.as_deref().unwrap_or_default(), b"changed");
    }
}

fn key_of<'a>(case: &'a mut Case, finding: &Finding) -> &'a mut crate::builder::Key {
    let role = finding.hive.unwrap();
    let (_, hive) = case.hives.iter_mut().find(|(name, _)| *name == role.as_str()).unwrap();
    hive.root.create(finding.key.as_deref().unwrap())
}
