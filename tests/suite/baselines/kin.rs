//! Rows that are carried over from another Windows agree with that Windows, or a file states the difference.

use std::collections::BTreeMap;

use hivemend::baseline::{Baseline, Basis, Rule};
use hivemend::finding::Grade;

use super::baselines;

/// What each row expects, whoever vouches for it.
fn rules(baseline: &Baseline) -> BTreeMap<String, (String, &Basis)> {
    let mut rules = BTreeMap::new();
    for key in &baseline.keys {
        let place = format!(
            "{:?} {} {} {:?} {} {}",
            key.presence, key.role, key.path, key.each_subkey, key.closed, key.recreate
        );
        rules.insert(key.id.clone(), (place, &key.basis));
        for value in key.values.iter().filter(|value| !matches!(value.rule, Rule::Unknown(_))) {
            rules.insert(
                format!("{}/{}", key.id, value.name),
                (format!("{:?} {}", value.rule, value.optional), &value.basis),
            );
        }
    }
    for step in &baseline.steps {
        rules.insert(step.id.clone(), (step.advice.clone(), &step.basis));
    }
    rules
}

/// Rows without a source that are not as their kin has them, each stated by the file of its own Windows or of one on
/// the way. A new line here is a judgement without a source: give it one, or say `unknown`.
#[test]
fn an_inferred_row_is_as_its_kin_has_it() {
    let baselines = baselines();
    let of: BTreeMap<&str, BTreeMap<String, (String, &Basis)>> =
        baselines.iter().map(|baseline| (baseline.id.as_str(), rules(baseline))).collect();
    let mut different = Vec::new();
    let mut compared = 0;
    for (id, rows) in &of {
        for (row, (rule, basis)) in rows.iter().filter(|(_, (_, basis))| basis.grade == Grade::Inferred) {
            let kin = basis.kinship.as_deref().unwrap();
            let of_kin = of[kin].get(row).map(|(rule, _)| rule);
            compared += 1;
            if of_kin != Some(rule) {
                let stated = basis.stated_in.as_deref().unwrap();
                different.push(format!(
                    "{id}: {row}, {} {kin}, stated in {stated}",
                    if of_kin.is_some() { "unlike" } else { "not in" }
                ));
            }
        }
    }
    assert!(compared > 300, "{compared}");
    insta::assert_snapshot!(different.join("\n"));
}
