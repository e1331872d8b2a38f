//! Who may write a key: compares our reading of security descriptors with that of Samba (`python3-samba`), and checks
//! what the plan and the header of a patch state about it. Ignored if Samba or the corpus is missing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hivemend::hive::{Hive, Key};
use hivemend::security::{Descriptor, KEY_CREATE_SUB_KEY, KEY_SET_VALUE};
use serde_json::Value;

use crate::agreement::{from_hex, script};
use crate::builder::{Entry, descriptor};
use crate::harness;
use crate::real_hives::corpus;

mod plans;

const ADMINISTRATOR: [&str; 6] = ["S-1-5-32-544", "S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-4", "S-1-2-0"];
const SYSTEM: [&str; 4] = ["S-1-5-18", "S-1-5-32-544", "S-1-1-0", "S-1-5-11"];

/// What Samba prints; `None` where it is not installed.
fn sambas(arguments: &[&str], stdin: &str) -> Option<String> {
    let mut child = script("read_descriptors.py")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let text = stdin.to_owned();
    let writer = std::thread::spawn(move || _ = pipe.write_all(text.as_bytes()));
    let run = child.wait_with_output().unwrap();
    writer.join().unwrap();
    if run.status.code() == Some(77) {
        harness::lacks_program("Samba (python3-samba)");
        return None;
    }
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(String::from_utf8(run.stdout).unwrap())
}

/// The same line as the script prints.
fn described(hex: &str) -> String {
    let descriptor = Descriptor::decode(&from_hex(hex)).unwrap();
    let owner = descriptor.owner.as_ref().map_or("None", |owner| owner.as_str());
    let listed = descriptor.access_list.as_ref().map_or_else(
        || "none".to_owned(),
        |list| {
            let entries = list.iter().map(|entry| {
                let sign = if entry.allows { '+' } else { '-' };
                format!("{sign}{:x}:{}", entry.mask, entry.sid.as_str())
            });
            entries.collect::<Vec<_>>().join(" ")
        },
    );
    let holders: [&[&str]; 2] = [&ADMINISTRATOR, &SYSTEM];
    let verdicts: String = holders
        .iter()
        .flat_map(|holder| [KEY_SET_VALUE, KEY_CREATE_SUB_KEY].map(|right| descriptor.grants(holder, right)))
        .map(|granted| if granted { '1' } else { '0' })
        .collect();
    format!("sd\t{hex}\t{owner}\t{listed}\t{verdicts}")
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// The descriptors of a key and of all keys below it, by path.
fn gather(key: &Key<'_, '_>, found: &mut BTreeMap<String, String>) {
    found.insert(key.path().to_owned(), hex(key.security().unwrap().unwrap()));
    let (subkeys, problems) = key.subkeys();
    assert_eq!(problems, []);
    for subkey in &subkeys {
        gather(subkey, found);
    }
}

#[test]
fn every_key_of_real_hives_has_the_descriptor_that_samba_reads() {
    let Some(corpus) = corpus() else { return };
    let mut keys = 0;
    for (path, key) in [
        ("xp-sp3-x86/system", ""),
        ("xp-sp3-x86/software", r"Microsoft\Windows NT"),
        ("win7-sp1-x86/SYSTEM", ""),
        ("win7-sp1-x86/SOFTWARE", r"Microsoft\Windows NT"),
        ("win81-x64-dirty-no-logs/SYSTEM", ""),
        ("win10-1709-x64-dirty-with-logs/SYSTEM", r"ControlSet001\Services"),
    ] {
        let file = corpus.join(path);
        let Some(text) = sambas(&[file.to_str().unwrap(), key], "") else { return };
        let hive = Hive::open(&file, true).unwrap().unwrap().as_it_lies();
        let tree = hive.tree();
        let mut ours = BTreeMap::new();
        gather(&tree.key(key).unwrap().unwrap(), &mut ours);
        let mut theirs = BTreeMap::new();
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>().as_slice() {
                ["key", path, hex] => _ = theirs.insert((*path).to_owned(), (*hex).to_owned()),
                ["sd", hex, ..] => assert_eq!(described(hex), line, "{path}"),
                _ => panic!("{line}"),
            }
        }
        keys += ours.len();
        assert_eq!(ours.len(), theirs.len(), "{path}");
        // Letter case and letters beyond ASCII are the business of other tests.
        let folded = |map: &BTreeMap<String, String>| -> Vec<(String, String)> {
            let mut all: Vec<_> = map.iter().map(|(path, hex)| (path.to_lowercase(), hex.clone())).collect();
            all.sort();
            all
        };
        assert!(folded(&ours) == folded(&theirs), "{path}: other descriptors");
    }
    assert!(keys > 40_000, "only {keys} keys");
}

/// The keys of row E5: Administrators may read them and no more.
#[test]
fn keys_that_administrators_may_only_read_on_real_machines() {
    let Some(corpus) = corpus() else { return };
    for path in ["win7-sp1-x86/SYSTEM", "win81-x64-dirty-no-logs/SYSTEM", "win10-1709-x64-dirty-with-logs/SYSTEM"] {
        let hive = Hive::open(&corpus.join(path), true).unwrap().unwrap().as_it_lies();
        let tree = hive.tree();
        let may_write = |key: &str, holder: &[&str]| {
            let key = tree.key(&format!(r"ControlSet001\Services\{key}")).unwrap().unwrap();
            Descriptor::decode(key.security().unwrap().unwrap()).unwrap().grants(holder, KEY_SET_VALUE)
        };
        for key in [r"BITS\Parameters", "RpcSs", r"RpcSs\Parameters", "DcomLaunch", r"DcomLaunch\Parameters"] {
            assert!(!may_write(key, &ADMINISTRATOR) && may_write(key, &SYSTEM), "{path}: {key}");
        }
        for key in ["BITS", "wuauserv", "EventSystem"] {
            assert!(may_write(key, &ADMINISTRATOR), "{path}: {key}");
        }
    }
}

/// Random lists: allowed and denied, for few trustees and few rights, so that entries meet.
#[test]
fn random_descriptors_are_judged_as_samba_does() {
    let sids = ["S-1-5-18", "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0", "S-1-5-11", "S-1-5-19", "S-1-3-0"];
    let masks = [2, 4, 6, 1, 0x20019, 0x000f_003f, 0x4000_0000, 0x1000_0000, 0x8000_0000];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut lines: Vec<String> = Vec::new();
    for _ in 0..2_000 {
        let entries: Vec<Entry<'_>> = (0..random(6))
            .map(|_| Entry { allows: random(3) > 0, mask: masks[random(9)], sid: sids[random(7)] })
            .collect();
        lines.push(hex(&descriptor(sids[random(7)], &entries)));
    }
    lines.sort();
    lines.dedup();
    let Some(text) = sambas(&[], &lines.join("\n")) else { return };
    assert_eq!(text.lines().count(), lines.len());
    let mut verdicts = BTreeMap::<String, usize>::new();
    for (line, hex) in text.lines().zip(&lines) {
        assert_eq!(described(hex), line);
        *verdicts.entry(line.rsplit('\t').next().unwrap().to_owned()).or_default() += 1;
    }
    assert!(verdicts.len() > 8, "{verdicts:?}");
}
