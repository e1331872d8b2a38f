//! Measures the parts of an audit, and a whole audit, on a generated pair of hives. If `HIVEMEND_CORPUS` names a folder
//! of real hives, also on a real pair. `benches/peers.sh` measures the whole program.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::arithmetic_side_effects,
    reason = "a benchmark that cannot run may panic; criterion makes a function without a comment"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use hive_fixtures::builder::{Key, units};
use hive_fixtures::fixture;
use hivemend::baseline::{Baseline, BuiltIn};
use hivemend::evidence::hash::Hashes;
use hivemend::evidence::sha256;
use hivemend::examination::{Options, examine};
use hivemend::hive::{self, Hive};
use hivemend::os::{Pair, identify};

/// The Windows of both pairs.
const WINDOWS: &str = "windows-8.1";

criterion_group!(benches, pairs, baselines);
criterion_main!(benches);

fn pairs(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the made pair");
    make_pair(folder.path());
    pair(&mut criterion.benchmark_group("made"), folder.path());
    match std::env::var_os("HIVEMEND_CORPUS") {
        Some(corpus) => {
            let folder = PathBuf::from(corpus).join("win81-x64-dirty-no-logs");
            pair(&mut criterion.benchmark_group("real"), &folder);
        }
        None => eprintln!("the real pair is skipped: HIVEMEND_CORPUS is not set"),
    }
}

fn pair(group: &mut BenchmarkGroup<'_, WallTime>, folder: &Path) {
    let paths = [folder.join("SOFTWARE"), folder.join("SYSTEM")];
    let open = || paths.each_ref().map(|path| Hive::open(path, true).unwrap().expect("a hive").as_it_lies());
    group.bench_function("open and tell the role", |bench| bench.iter(|| open().map(|hive| hive::role(&hive.tree()))));

    let hives = open();
    let [_, system] = &hives;
    let minor = system.base_block().minor;
    // Trees keep the names that they have read, so each round has its own tree.
    group.bench_function("identify the Windows", |bench| {
        bench.iter(|| {
            let [software, system] = hives.each_ref().map(Hive::tree);
            let (os, _) = identify(Pair { software: Some(&software), system: Some((&system, minor)) });
            assert_eq!(os.id.as_str(), WINDOWS);
        });
    });
    let service = r"ControlSet001\Services\BITS";
    group.bench_function("look a service up", |bench| {
        bench.iter(|| system.tree().key(service).unwrap().expect("the service").last_written());
    });
    let tree = system.tree();
    group.bench_function("look a service up again", |bench| {
        bench.iter(|| tree.key(service).unwrap().expect("the service").last_written());
    });

    let evidence = [folder.to_owned()];
    for (name, hash) in [("audit without hashing", false), ("audit", true)] {
        let options = Options { hash: hash.then(Hashes::default), ..Options::default() };
        group.bench_function(name, |bench| bench.iter(|| examine(black_box(&evidence), &options).unwrap().failed));
    }
    group.bench_function("hash", |bench| bench.iter(|| paths.each_ref().map(|path| sha256(path).unwrap())));
    group.bench_function("audit without mapping or hashing", |bench| {
        let options = Options { hash: None, map: false, ..Options::default() };
        bench.iter(|| examine(black_box(&evidence), &options).unwrap().failed);
    });
}

fn baselines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("baseline");
    let built_in: &BuiltIn = hivemend::baseline::BUILT_IN.iter().find(|one| one.id == WINDOWS).expect("it is built in");
    group.bench_function("from TOML", |bench| {
        bench.iter(|| Baseline::parse(WINDOWS, black_box(built_in.text)).unwrap());
    });
}

/// Writes the clean case of the fixtures at the size of a Windows in use: with 100,000 more keys in SOFTWARE and 600
/// more services in SYSTEM.
fn make_pair(folder: &Path) {
    for (role, mut hive) in fixture::compile(WINDOWS).expect("the case is there").hives {
        if role == "SOFTWARE" {
            let classes = (0..100).map(|number| filled(&format!("Vendor{number:03}"), "Product", 1_000, 2));
            hive.root.create("Microsoft").subkeys.extend(classes);
        } else {
            let services = filled("", "Driver", 600, 6);
            hive.root.create(r"ControlSet001\Services").subkeys.extend(services.subkeys);
        }
        std::fs::write(folder.join(role), hive.to_bytes()).expect("the folder can be written");
    }
}

/// Returns a key with `subkeys` subkeys and `values` values in each.
fn filled(name: &str, prefix: &str, subkeys: u32, values: u32) -> Key {
    let mut key = Key::new(name);
    for number in 0..subkeys {
        let mut subkey = Key::from_units(&units(&format!("{prefix} {number:05}")));
        for value in 0..values {
            subkey.set_dword(&format!("Value{value}"), number);
        }
        key.subkeys.push(subkey);
    }
    key
}
