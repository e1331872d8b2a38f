//! `baseline learn`, and audits with learned baselines: the same hive is clean, and any change to it is detected.

use std::path::Path;

use super::{found, hive, write};
use crate::builder::{Hive, Key};
use crate::command_line::Desk;
use crate::fixture;
use crate::hive_builder::everything;

fn hive_of(case: &str, wanted: &str) -> Hive {
    fixture::compile(case).unwrap().hives.into_iter().find(|(role, _)| *role == wanted).unwrap().1
}

fn system(case: &str) -> Hive {
    hive_of(case, "SYSTEM")
}

/// Learns to `learned.toml`.
fn learn(desk: &Desk, hives: &[&str], key: &str) -> String {
    let mut arguments =
        vec!["baseline", "learn", "--recursive", "--output", "learned.toml", "--overwrite", "--key", key, "--"];
    arguments.extend(hives);
    let output = desk.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(desk.path("learned.toml")).unwrap()
}

const SERVICES: &str = r"CurrentControlSet\Services";
const OWN: [&str; 2] = ["--baseline", "learned.toml"];

#[test]
fn what_was_learned_is_clean_in_the_hive_that_it_was_learned_from() {
    let desk = Desk::with(&[]);
    hive(&desk, "good/SYSTEM", &system("windows-7"));
    let text = learn(&desk, &["good/SYSTEM"], SERVICES);
    assert!(text.contains("id = \"system-services-bits\"\npath = 'CurrentControlSet\\Services\\BITS'"), "{text}");
    assert!(text.contains("Start = { REG_DWORD = 3 }") || text.contains("Start = { REG_DWORD = 2 }"), "{text}");
    assert_eq!(found(&desk, &OWN, "good/SYSTEM"), Vec::<String>::new());
    assert_eq!(desk.code(&["audit", "--baseline", "learned.toml", "--", "good/SYSTEM"]), 0);
    // Learned again from the same hive it is the same file.
    assert_eq!(learn(&desk, &["good/SYSTEM"], SERVICES), text);
}

/// A change in the key of BITS, and what is found.
type Case = (&'static str, fn(&mut Key), &'static [&'static str]);

#[test]
fn any_change_in_what_was_learned_is_found() {
    let desk = Desk::with(&[]);
    let good = system("windows-7");
    hive(&desk, "good/SYSTEM", &good);
    learn(&desk, &["good/SYSTEM"], SERVICES);
    let cases: [Case; 9] = [
        ("other data", |bits| _ = bits.set_dword("Start", 4), &["system-services-bits/Start deviates"]),
        (
            "other letter case in data",
            |bits| _ = bits.set_sz("ObjectName", "localsystem"),
            &["system-services-bits/ObjectName deviates"],
        ),
        (
            "another type",
            |bits| _ = bits.set("Start", 11, &[3, 0, 0, 0, 0, 0, 0, 0]),
            &["system-services-bits/Start deviates"],
        ),
        (
            "another plain type",
            |bits| {
                let path = bits.value("ImagePath").unwrap().data.clone();
                bits.set("ImagePath", 1, &path);
            },
            &["system-services-bits/ImagePath deviates"],
        ),
        (
            "a NUL more",
            |bits| {
                let mut path = bits.value("ImagePath").unwrap().data.clone();
                path.extend([0, 0]);
                bits.set("ImagePath", 2, &path);
            },
            &["system-services-bits/ImagePath deviates"],
        ),
        ("a value removed", |bits| _ = bits.remove_value("Start"), &["system-services-bits/Start absent"]),
        (
            "a value added",
            |bits| _ = bits.set_sz("FailureCommand", "x"),
            &["system-services-bits/FailureCommand unexpected"],
        ),
        ("a default value added", |bits| _ = bits.set_sz("", "x"), &["system-services-bits/ unexpected"]),
        ("a subkey added", |bits| _ = bits.create("Evil"), &[r"system-services-bits\Evil unexpected"]),
    ];
    for (what, change, expected) in cases {
        let mut changed = good.clone();
        change(changed.root.create(r"ControlSet001\Services\BITS"));
        hive(&desk, "changed/SYSTEM", &changed);
        assert_eq!(found(&desk, &OWN, "changed/SYSTEM"), expected, "{what}");
    }
    // Names of keys and values may be in any letter case.
    let mut renamed = good.clone();
    let services = renamed.root.create(r"ControlSet001\Services");
    let mut bits = services.remove_child("BITS").unwrap();
    bits.name = "bits".encode_utf16().collect();
    let start = bits.remove_value("Start").unwrap();
    bits.set("sTART", start.data_type, &start.data);
    services.subkeys.push(bits);
    hive(&desk, "changed/SYSTEM", &renamed);
    assert_eq!(found(&desk, &OWN, "changed/SYSTEM"), Vec::<String>::new());
}

#[test]
fn what_follows_from_a_key_that_is_gone_names_it_as_its_cause() {
    let desk = Desk::with(&[]);
    let good = system("windows-7");
    hive(&desk, "good/SYSTEM", &good);
    learn(&desk, &["good/SYSTEM"], SERVICES);
    let mut changed = good;
    changed.root.create(r"ControlSet001\Services").remove_child("BITS").unwrap();
    hive(&desk, "changed/SYSTEM", &changed);
    let found = found(&desk, &OWN, "changed/SYSTEM");
    assert_eq!(found[0], "system-services-bits absent");
    assert!(
        found.len() > 5 && found[1..].iter().all(|line| line.ends_with("absent, of system-services-bits")),
        "{found:?}"
    );
}

#[test]
fn every_type_and_name_is_learned_as_it_is() {
    let desk = Desk::with(&[]);
    let mut all = hive_of("windows-7", "SOFTWARE");
    let more =
        everything().root.subkeys.into_iter().filter(|key| key.name != "Microsoft".encode_utf16().collect::<Vec<_>>());
    all.root.subkeys.extend(more);
    hive(&desk, "good/SOFTWARE", &all);
    learn(&desk, &["good/SOFTWARE"], "");
    assert_eq!(found(&desk, &OWN, "good/SOFTWARE"), Vec::<String>::new());
    // One byte of each value, and each value gone.
    let mut changed = all.clone();
    let types = changed.root.create("All types");
    let names: Vec<String> = types.values.iter().map(|value| String::from_utf16(&value.name).unwrap()).collect();
    for value in &mut types.values {
        match value.data.first_mut() {
            Some(byte) => *byte ^= 1,
            None => value.data.push(1),
        }
    }
    hive(&desk, "changed/SOFTWARE", &changed);
    let deviating = found(&desk, &OWN, "changed/SOFTWARE");
    assert_eq!(deviating.len(), names.len(), "{deviating:#?}");
    assert!(deviating.iter().all(|line| line.ends_with(" deviates")), "{deviating:#?}");
}

#[test]
fn what_varies_is_accepted_in_each_form_and_what_is_missing_somewhere_is_optional() {
    let desk = Desk::with(&[]);
    let one = system("windows-7");
    let mut two = one.clone();
    // The rules for services that no baseline lists do not follow what was learned.
    let odd = two.root.create(r"ControlSet001\Services\Odd");
    odd.set_dword("Start", 4).set_multi_sz("DependOnService", &["Nowhere"]);
    let services = two.root.create(r"ControlSet001\Services");
    services.create("BITS").set_dword("Start", 2).remove_value("Description");
    services.create(r"New\Parameters").set_sz("ServiceDll", "new.dll");
    hive(&desk, "one/SYSTEM", &one);
    hive(&desk, "two/SYSTEM", &two);
    let text = learn(&desk, &["one/SYSTEM", "two/SYSTEM"], SERVICES);
    let has = |part: &str| assert!(text.contains(part), "{part}\n{text}");
    has("grade = \"confirmed\"");
    has("Start = { REG_DWORD = 3, or = [{ REG_DWORD = 2 }] }");
    has("path = 'CurrentControlSet\\Services\\New'\noptional = true\ngrade = \"single-source\"");
    has("path = 'CurrentControlSet\\Services\\New\\Parameters'\nexpect = \"with-parent\"\ngrade = \"single-source\"");
    let report = String::from_utf8(
        desk.run(&["audit", "--all", "--format", "json", "--baseline", "learned.toml", "--", "one/SYSTEM"]).stdout,
    )
    .unwrap();
    assert!(report.contains("SYSTEM (SHA-256 "), "{report}");
    for evidence in ["one/SYSTEM", "two/SYSTEM"] {
        assert_eq!(found(&desk, &OWN, evidence), Vec::<String>::new(), "{evidence}");
    }
    // The new service without what it always had.
    let mut three = two.clone();
    three.root.create(r"ControlSet001\Services\New").remove_child("Parameters").unwrap();
    three.root.create(r"ControlSet001\Services\BITS").set_dword("Start", 4);
    hive(&desk, "three/SYSTEM", &three);
    assert_eq!(
        found(&desk, &OWN, "three/SYSTEM"),
        [
            "system-services-bits/Start deviates",
            "system-services-new-parameters absent",
            "system-services-new-parameters/ServiceDll absent, of system-services-new-parameters",
        ]
    );
}

#[test]
fn the_control_set_of_a_learned_key_is_the_current_one_of_each_hive() {
    let desk = Desk::with(&[]);
    let good = system("windows-7");
    let mut moved = good.clone();
    let set = moved.root.remove_child("ControlSet001").unwrap();
    moved.root.remove_child("ControlSet002");
    let set = Key { name: "ControlSet003".encode_utf16().collect(), ..set };
    moved.root.subkeys.push(set);
    for name in ["Current", "Default", "LastKnownGood"] {
        moved.root.create("Select").set_dword(name, 3);
    }
    hive(&desk, "good/SYSTEM", &good);
    hive(&desk, "moved/SYSTEM", &moved);
    let text = learn(&desk, &["good/SYSTEM", "moved/SYSTEM"], r"HKLM\SYSTEM\CurrentControlSet\Services");
    assert!(!text.contains("ControlSet00") && !text.contains(" or = "), "{text}");
    assert_eq!(found(&desk, &OWN, "moved/SYSTEM"), Vec::<String>::new());
}

#[test]
fn what_cannot_be_learned_is_refused_with_what_to_do() {
    let desk = Desk::with(&["windows-7"]);
    hive(&desk, "good/SYSTEM", &system("windows-7"));
    let complaint = desk.complaint(2, &["baseline", "learn", "good/SYSTEM", "--key", r"CurrentControlSet\Servces"]);
    assert!(complaint.contains("it has Services"), "{complaint}");
    let config = "evidence/windows-7/Windows/System32/config";
    let both = [format!("{config}/SOFTWARE"), format!("{config}/SYSTEM")];
    let complaint = desk.complaint(2, &["baseline", "learn", &both[0], &both[1], "--key", "x"]);
    assert!(complaint.contains("hives of one role"), "{complaint}");
    write(&desk, "learned.toml", "mine");
    let complaint =
        desk.complaint(2, &["baseline", "learn", "good/SYSTEM", "--key", "Select", "--output", "learned.toml"]);
    assert!(complaint.contains("--output") && Path::new(&desk.path("learned.toml")).exists(), "{complaint}");
}

/// A name that is no text cannot be said in a file: it is named when the baseline is learned, and stays unexpected.
#[test]
fn a_value_whose_name_is_no_text_is_left_out_and_named() {
    let desk = Desk::with(&[]);
    let mut odd = system("windows-7");
    odd.root.create("Select").set_units(&[0xd800], 4, &[1, 0, 0, 0]);
    hive(&desk, "good/SYSTEM", &odd);
    let output = desk.run(&["baseline", "learn", "good/SYSTEM", "--key", "Select"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("whose name is not text"), "{output:?}");
    write(&desk, "learned.toml", &output.stdout);
    assert_eq!(found(&desk, &OWN, "good/SYSTEM"), ["system-select/\u{fffd} unexpected"]);
}

/// What nobody can read may be what nobody should have added: it is a gap, never silence.
#[test]
fn a_value_that_cannot_be_read_in_a_closed_list_is_a_gap() {
    let desk = Desk::with(&[]);
    let good = system("windows-7");
    hive(&desk, "good/SYSTEM", &good);
    learn(&desk, &["good/SYSTEM"], SERVICES);
    let mut odd = good;
    odd.root.create(r"ControlSet001\Services\BITS").set_sz("Extra", "more than four bytes");
    let mut built = odd.build();
    let data = built.value(r"ControlSet001\Services\BITS", "Extra").vk.payload();
    built.put_u32(data + 8, u32::MAX - 7);
    write(&desk, "odd/SYSTEM", &built.bytes);
    assert_eq!(found(&desk, &OWN, "odd/SYSTEM"), [r"system-services-bits\ unreadable"]);
    assert_eq!(desk.code(&["audit", "--baseline", "learned.toml", "--", "odd/SYSTEM"]), 3);
}

/// A symbolic link is expected to stay one, and to lead to the same key.
#[test]
fn a_link_is_expected_where_it_leads() {
    let desk = Desk::with(&[]);
    let target = |hive: &mut Hive, target: &str| {
        let link = hive.root.create(r"ControlSet001\Services\Linked");
        link.flags |= 0x10;
        link.set("SymbolicLinkValue", 6, &target.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    };
    let mut good = system("windows-7");
    target(&mut good, r"\Registry\Machine\System\ControlSet001\Services\BITS");
    hive(&desk, "good/SYSTEM", &good);
    let text = learn(&desk, &["good/SYSTEM"], SERVICES);
    assert!(text.contains(r"link = '\Registry\Machine\System\ControlSet001\Services\BITS'"), "{text}");
    assert_eq!(found(&desk, &OWN, "good/SYSTEM"), Vec::<String>::new());
    target(&mut good, r"\Registry\Machine\System\ControlSet001\Services\Evil");
    hive(&desk, "bad/SYSTEM", &good);
    assert_eq!(found(&desk, &OWN, "bad/SYSTEM"), ["system-services-linked unexpected"]);
}
