//! Other changes, of any kind and anywhere: each is reported. Without the hives from before they cannot be detected.

use std::fs;

use hivemend::verification::applied::Checked;
use hivemend::verification::{Asked, Kind, MOST_DIFFERENCES, MOST_SHOWN, Standing};

use super::{Bench, tree};
use crate::builder::Key;
use crate::damage::Seeded;
use crate::fixture::Case;

const SENS: &str = r"ControlSet001\Services\SENS";

/// What is told of a change of SYSTEM beside the patch: kind, key, value, what of it.
fn told(change: impl FnOnce(&mut Key)) -> Vec<(Kind, String, Option<String>, Vec<&'static str>)> {
    let bench = Bench::xp();
    let mut case = bench.patched();
    change(tree(&mut case, "SYSTEM"));
    let [by_plan, whole] = bench.check(&case, Asked::Applied);
    assert_eq!(by_plan.outcome(), Standing::Clean);
    assert_eq!(whole.outcome() == Standing::Clean, whole.unexplained.is_empty());
    whole.unexplained.into_iter().map(|found| (found.kind, found.key, found.value, found.changed)).collect()
}

fn value(kind: Kind, name: &str, changed: &[&'static str]) -> Vec<(Kind, String, Option<String>, Vec<&'static str>)> {
    vec![(kind, SENS.to_owned(), Some(name.to_owned()), changed.to_vec())]
}

fn key(kind: Kind, path: &str, changed: &[&'static str]) -> Vec<(Kind, String, Option<String>, Vec<&'static str>)> {
    vec![(kind, path.to_owned(), None, changed.to_vec())]
}

#[test]
fn each_kind_of_change_is_named() {
    assert_eq!(told(|_| ()), []);
    let more = told(|root| _ = root.create(SENS).set_dword("One edit more", 1));
    assert_eq!(more, value(Kind::ValueAdded, "One edit more", &[]));
    assert_eq!(
        told(|root| {
            let data = &mut root.create(SENS).values.iter_mut().find(|value| value.data.len() > 8).unwrap().data;
            data[4] ^= 1;
        })
        .first()
        .map(|(kind, _, _, changed)| (*kind, changed.clone())),
        Some((Kind::ValueChanged, vec!["data"]))
    );
    let retyped = told(|root| {
        let start = root.create(SENS).value("Start").unwrap().data.clone();
        root.create(SENS).set("Start", 3, &start);
    });
    assert_eq!(retyped, value(Kind::ValueChanged, "Start", &["type"]));
    let gone = told(|root| _ = root.create(SENS).remove_value("Start"));
    assert_eq!(gone, value(Kind::ValueRemoved, "Start", &[]));
    let spelled = told(|root| {
        let start = root.create(SENS).values.iter_mut().find(|value| value.name == units("Start")).unwrap();
        start.name = units("START");
    });
    assert_eq!(spelled, value(Kind::ValueChanged, "START", &["name"]));
    let twice = told(|root| {
        let twin = root.create(SENS).value("Start").unwrap().clone();
        root.create(SENS).values.push(twin);
    });
    assert_eq!(twice, value(Kind::ValueAdded, "Start", &[]));
    let made = told(|root| _ = root.create(SENS).create_child(&units("Made")));
    assert_eq!(made, key(Kind::KeyAdded, &format!("{SENS}\\Made"), &[]));
    let respelled = told(|root| root.create(SENS).name = units("sens"));
    assert_eq!(respelled, key(Kind::KeyChanged, r"ControlSet001\Services\sens", &["name"]));
    let classed = told(|root| root.create(SENS).class = Some(units("a class")));
    assert_eq!(classed, key(Kind::KeyChanged, SENS, &["class"]));
    let linked = told(|root| root.create(SENS).flags |= 0x10);
    assert_eq!(linked, key(Kind::KeyChanged, SENS, &["link"]));
    let unguarded = told(|root| root.create(SENS).lacks_security = true);
    assert_eq!(unguarded, key(Kind::KeyChanged, SENS, &["security"]));
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[test]
fn a_key_that_is_gone_is_named_with_all_that_was_in_it() {
    let bench = Bench::xp();
    let mut case = bench.patched();
    let sens = tree(&mut case, "SYSTEM").create(r"ControlSet001\Services").remove_child("SENS").unwrap();
    let count = |key: &Key| key.values.len() + key.subkeys.iter().map(|below| 1 + below.values.len()).sum::<usize>();
    let [_, whole] = bench.check(&case, Asked::Applied);
    assert_eq!(whole.unexplained.len(), 1 + count(&sens));
    assert!(whole.unexplained.iter().all(|found| matches!(found.kind, Kind::KeyRemoved | Kind::ValueRemoved)));
    assert!(whole.unexplained.iter().all(|found| found.key.starts_with(SENS) && found.after.is_none()));
    let start = whole.unexplained.iter().find(|found| found.value.as_deref() == Some("Start")).unwrap();
    assert_eq!(start.before.as_ref().unwrap().observed.raw, sens.value("Start").unwrap().data);
}

#[test]
fn another_descriptor_is_named_at_each_key_that_has_it() {
    let bench = Bench::xp();
    let patched = bench.patched();
    let now = bench.path("now");
    let mut keys = 0;
    for path in patched.write(&now).unwrap() {
        let (role, hive) = patched.hives.iter().find(|(role, _)| path.ends_with(role)).unwrap();
        if *role == "SYSTEM" {
            let mut built = hive.build();
            keys = built.keys.len();
            // Behind signature, links, count and size.
            let at = built.security.payload() + 20;
            let control = built.bytes[at + 2];
            built.put(at + 2, &[control ^ 1]);
            fs::write(path, &built.bytes).unwrap();
        }
    }
    let checked = bench.check_folder(&now, &[bench.path("first")], Asked::Applied).unwrap();
    assert_eq!(checked.unexplained.len(), keys);
    assert!(checked.unexplained.iter().all(|found| found.changed == ["security"]));
    assert_eq!(checked.outcome(), Standing::NotClean);
}

/// What importers do that changes no data.
#[test]
fn times_orders_and_sequence_numbers_are_no_change() {
    let bench = Bench::xp();
    let mut case = bench.patched();
    for (_, hive) in &mut case.hives {
        (hive.primary_sequence, hive.secondary_sequence) = (77, 77);
        hive.last_written += 1;
    }
    let bits = tree(&mut case, "SYSTEM").create(r"ControlSet001\Services\BITS");
    bits.values.reverse();
    bits.last_written += 5;
    let services = tree(&mut case, "SYSTEM").create(r"ControlSet001\Services");
    services.subkeys.reverse();
    services.keep_order = true;
    let [_, whole] = bench.check(&case, Asked::Applied);
    assert_eq!((whole.outcome(), whole.unexplained.len()), (Standing::Clean, 0));
    let keys: Vec<&str> = whole.retimed.iter().map(|retimed| retimed.key.as_str()).collect();
    assert_eq!(keys, [r"ControlSet001\Services\BITS"]);
    let touched = whole.keys.iter().find(|key| key.key.ends_with("BITS")).unwrap();
    assert_eq!(touched.now.unwrap().0 - touched.before.unwrap().0, 5);
}

#[test]
fn so_many_changes_are_listed_and_the_rest_is_counted() {
    let bench = Bench::xp();
    let mut case = bench.patched();
    let key = tree(&mut case, "SYSTEM").create(r"ControlSet001\Services\New");
    (0..MOST_DIFFERENCES).for_each(|number| _ = key.set_dword(&number.to_string(), 1));
    key.set_binary("long", &vec![7; 2 * MOST_SHOWN]);
    let [_, whole] = bench.check(&case, Asked::Applied);
    assert_eq!((whole.unexplained.len(), whole.unexplained_more), (MOST_DIFFERENCES, 2));
    let mut case = bench.patched();
    tree(&mut case, "SYSTEM").set_binary("long", &vec![7; 2 * MOST_SHOWN]);
    let [_, whole] = bench.check(&case, Asked::Applied);
    let content = whole.unexplained[0].after.as_ref().unwrap();
    assert_eq!((content.size, content.observed.raw.len()), (2 * MOST_SHOWN, MOST_SHOWN));
}

/// Every byte of a hive may be wrong on purpose: there is a report, and no change is taken for none.
#[test]
fn a_damaged_hive_is_compared_without_a_panic_and_never_passes_with_other_data() {
    let bench = Bench::xp();
    let patched = bench.patched();
    let now = bench.path("now");
    let paths = patched.write(&now).unwrap();
    let software = paths.iter().find(|path| path.ends_with("SOFTWARE")).unwrap();
    let good = fs::read(software).unwrap();
    let values = |checked: &Checked| checked.hives.iter().map(|hive| hive.compared_values).sum::<u64>();
    let whole = bench.check_folder(&now, &[bench.path("first")], Asked::Applied).unwrap();
    let mut random = Seeded(0x5eed);
    let mut passed = 0;
    for _ in 0..60 {
        let mut bytes = good.clone();
        let at = 4096 + random.below(bytes.len() - 4096);
        bytes[at] ^= 1 << random.below(8);
        fs::write(software, &bytes).unwrap();
        let Ok(checked) = bench.check_folder(&now, &[bench.path("first")], Asked::Applied) else { continue };
        if checked.outcome() == Standing::Clean {
            passed += 1;
            assert_eq!(values(&checked), values(&whole));
        }
    }
    assert!(passed < 60, "no flip of a bit was seen");
}

/// Two hives of one plan, of which one was touched elsewhere.
#[test]
fn the_hive_without_edits_is_compared_too() {
    let bench = Bench::of("windows-xp-senslogn-shutdown-wrong", |_| ());
    let mut case: Case = bench.patched();
    tree(&mut case, "SYSTEM").create(SENS).set_dword("Start", 4);
    let [by_plan, whole] = bench.check(&case, Asked::Applied);
    assert_eq!((by_plan.outcome(), whole.outcome()), (Standing::Clean, Standing::NotClean));
    assert_eq!(by_plan.hives.iter().map(|hive| hive.same_file).collect::<Vec<_>>(), [Some(false), Some(false)]);
}
