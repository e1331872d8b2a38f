//! Reads any bytes as a SYSTEM and a SOFTWARE hive of any Windows: identifies, observes, and judges them.
#![no_main]

use hivemend::audit::{Context, audit};
use hivemend::baseline::{Baseline, Profile, SystemRoot};
use hivemend::control_set::{Choice, ControlSets};
use hivemend::evidence::Bytes;
use hivemend::facts::{Source, observe_all};
use hivemend::hive::Hive;
use hivemend::machine::Machine;
use hivemend::os::{OsId, Pair, identify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses the Windows if the hive does not state it.
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let Ok(file) = Hive::from_bytes(Bytes::Read(bytes.to_vec())) else { return };
    let hive = file.as_it_lies();
    let tree = hive.tree();
    let (os, _) = identify(Pair { software: Some(&tree), system: Some((&tree, hive.base_block().minor)) });
    let known: Vec<OsId> = OsId::ALL.iter().copied().filter(|id| id.has_baseline()).collect();
    let id = if os.id.has_baseline() { os.id } else { known[usize::from(choice) % known.len()] };
    let baseline = Baseline::of(id).unwrap().unwrap();
    let sets = ControlSets::read(&tree).ok().and_then(|sets| sets.chosen(Choice::All).ok()).unwrap_or_default();
    let machine = Machine::read(Some(&tree), Some(&tree), sets.first().copied());
    let facts = observe_all(baseline, Source::Tree(&tree), Source::Tree(&tree), &sets[..sets.len().min(3)], true);
    let context = Context {
        os: &os,
        root: SystemRoot::new(machine.system_root.as_deref()),
        setup_phase: false,
        profiles: &Profile::ALL,
    };
    let findings = audit(baseline, &facts, &context);
    assert!(!findings.is_empty());
});
