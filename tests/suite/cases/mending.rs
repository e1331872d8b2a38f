//! Patch, audit, rollback: the patch corrects what the plan claims, and the rollback restores the original data.

use std::collections::BTreeMap;

use hivemend::examination::Options;
use hivemend::finding::Verdict;
use hivemend::reg_file::{self, CodePage, Dialect, Document, Operation, ReadOptions, Reason, Refusal};
use hivemend::remediation::{PatchOptions, Plan, patch_files};

use super::{Examined, examined, examined_case, for_each_case};
use crate::apply::apply;
use crate::builder::{Key, units, utf16le};
use crate::fixture::{Case, root_of};

/// Every value of a hive: key path in upper case and value name to type and bytes. Keys without values are left out:
/// a key that the patch makes stays, empty, after the rollback.
type Values = BTreeMap<(String, String), (u32, Vec<u8>)>;

/// Text that no code page has is refused in REGEDIT4, all of a patch at once.
const BEYOND_A_CODE_PAGE: &str = "hostile-strings";
/// A text of an odd number of bytes is refused there, too.
const HALF_A_CHARACTER: &str = "windows-7-servicedll-odd-length";

#[test]
fn every_patch_mends_what_it_claims_and_its_rollback_takes_it_back() {
    let patched = for_each_case(|name| {
        let before = examined_case(name);
        match before.plan() {
            Ok(plan) if !plan.edits.is_empty() => {
                for dialect in [Dialect::Regedit5, Dialect::Regedit4(CodePage::default()), Dialect::Hivex] {
                    match documents(&plan, dialect) {
                        Ok(files) => check(&before, &plan, dialect, &files),
                        Err(refusal) => {
                            let half = (HALF_A_CHARACTER, Reason::OddText);
                            let known = [(BEYOND_A_CODE_PAGE, Reason::NotInCodePage(CodePage::default())), half];
                            assert!(known.contains(&(name, refusal.reason)), "{name}: {refusal:?}");
                        }
                    }
                }
                1
            }
            _ => 0,
        }
    });
    let count: usize = patched.iter().map(|(_, count)| count).sum();
    assert!(count > 35, "only {count} cases with a patch");
}

fn check(before: &Examined, plan: &Plan, dialect: Dialect, files: &[(String, Document)]) {
    let name = &before.case.name;
    let patched = carry_out(&before.case, files, ".reg");
    let twice = carry_out(&patched, files, ".reg");
    assert_eq!(all_values(&twice), all_values(&patched), "{name}: the patch is not idempotent");

    let after = examined(patched.clone(), &Options::default());
    let left: Vec<&str> = plan.left.iter().map(|left| left.finding.as_str()).collect();
    for finding in &after.installation().judgement.as_ref().unwrap().findings {
        let claimed =
            plan.edits.iter().any(|edit| edit.finding == finding.id && edit.control_set == finding.control_set);
        assert!(!claimed || finding.verdict == Verdict::Conforms, "{name}: {} is not mended", finding.id);
        assert!(!finding.is_deviation() || left.contains(&finding.id.as_str()), "{name}: {} is new", finding.id);
    }
    // A value that a closed list does not name leaves no finding behind; that none deviates is all there is to see.
    let again = after.plan().unwrap();
    assert_eq!(again.edits, [], "{name}: a second plan has something to do");

    let rolled_back = carry_out(&patched, files, ".rollback.reg");
    let (mut was, mut is) = (all_values(&before.case), all_values(&rolled_back));
    if dialect != Dialect::Hivex {
        for edit in plan.edits.iter().filter(|edit| !edit.regedit_restores) {
            let place = (format!("{}\\{}", edit.hive, edit.key).to_uppercase(), edit.value.clone());
            assert!(was.remove(&place).is_some() && is.remove(&place).is_some(), "{name}: {place:?}");
        }
    }
    assert_eq!(is, was, "{name}: the rollback by {dialect:?} does not give the first state back");
}

/// The plan's files as their importer carries them out.
fn documents(plan: &Plan, dialect: Dialect) -> Result<Vec<(String, Document)>, Refusal> {
    let files = patch_files(plan, &PatchOptions { dialect, ..PatchOptions::default() })?;
    let read = |bytes: &[u8]| {
        let options = ReadOptions { importer: dialect.importer(), code_page: dialect.code_page() };
        let reading = reg_file::parse_with(bytes, &options);
        assert!(reading.is_established() || plan.edits.iter().any(|edit| !edit.regedit_restores));
        reading.effect
    };
    Ok(files.into_iter().map(|file| (file.name, read(&file.bytes))).collect())
}

/// The case with `<role><suffix>` carried out on each hive.
fn carry_out(case: &Case, files: &[(String, Document)], suffix: &str) -> Case {
    let mut case = case.clone();
    for (role, hive) in &mut case.hives {
        if let Some((_, document)) = files.iter().find(|(name, _)| *name == format!("{role}{suffix}")) {
            apply(document, &root_of(role), &mut hive.root, hive.last_written).unwrap();
        }
    }
    case
}

fn all_values(case: &Case) -> Values {
    let mut values = Values::new();
    for (role, hive) in &case.hives {
        collect(role, &hive.root, &mut values);
    }
    values
}

fn collect(path: &str, key: &Key, values: &mut Values) {
    for value in &key.values {
        let place = (path.to_uppercase(), String::from_utf16_lossy(&value.name));
        assert!(values.insert(place, (value.data_type, value.data.clone())).is_none(), "{path}: a name twice");
    }
    for subkey in &key.subkeys {
        collect(&format!("{path}\\{}", String::from_utf16_lossy(&subkey.name)), subkey, values);
    }
}

/// The first command of the README: one value is wrong, and the patch is that value.
#[test]
fn the_patch_of_one_wrong_value_is_that_value() {
    let plan = examined_case("windows-xp-senslogn-shutdown-wrong").plan().unwrap();
    let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\SensLogn";
    let files = documents(&plan, Dialect::Regedit5).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["SOFTWARE.reg", "SOFTWARE.rollback.reg"]);
    for ((_, document), function) in files.iter().zip(["SensShutdownEvent", "SensStopEvent"]) {
        let operations: Vec<&Operation> = document.operations.iter().map(|entry| &entry.operation).collect();
        let set = Operation::SetValue {
            key: key.into(),
            name: units("Shutdown"),
            data_type: 1,
            bytes: utf16le(&units(&format!("{function}\0"))),
        };
        assert_eq!(operations, [&Operation::CreateKey { key: key.into() }, &set]);
    }
}
