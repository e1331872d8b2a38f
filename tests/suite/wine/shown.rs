//! The output of `hivemend show --recursive` for whole hives, imported by Wine.

use std::fs;
use std::path::Path;
use std::process::Command;

use hivemend::reg_file::Dialect;

use super::prefix::wine;
use super::{as_stored, wine_stores};
use crate::fixture;
use crate::show::every_kind;
use crate::values::{Values, assert_same, ours, sayable};

/// The text that is printed, and the file that is written.
fn shown(hive: &Path, root: &str) -> [Vec<u8>; 2] {
    let file = hive.with_extension("reg");
    let run = |more: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
        let run = command.args(["show", "--recursive", "--root", root]).arg(hive).args(more).output().unwrap();
        // 3: something cannot be said in that form.
        assert!(matches!(run.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    };
    let text = String::from_utf8(run(&[])).unwrap();
    assert_eq!(run(&[Path::new("--overwrite"), Path::new("--output"), &file]), b"");
    // regedit takes text in UTF-16, with a byte order mark.
    let text = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text, fs::read(file).unwrap()]
}

#[test]
fn wine_stores_every_value_of_a_hive_that_is_shown() {
    let Some(wine) = wine() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut hives = vec![("every kind".to_owned(), every_kind())];
    for case in ["hostile-strings", "windows-10", "windows-2000"] {
        let built = fixture::compile(case).unwrap().hives;
        hives.extend(built.into_iter().map(|(role, hive)| (format!("{role} of {case}"), hive)));
    }
    let mut expected = Vec::new();
    for (name, built) in &hives {
        let hive = folder.path().join(name);
        fs::write(&hive, built.to_bytes()).unwrap();
        let roots = ["text", "file"].map(|form| format!(r"HKEY_LOCAL_MACHINE\SHOWN {name} as {form}"));
        for (index, root) in roots.into_iter().enumerate() {
            wine.import(&shown(&hive, &root)[index]);
            expected.push((root.clone(), sayable(ours(&hive, &root, &[""]), Dialect::Regedit5)));
        }
    }
    let stored = wine.stored();
    for (root, mut expected) in expected {
        let is_known = |(data_type, bytes): &(u32, Vec<u8>)| wine_stores(*data_type, bytes).is_some();
        let below = format!("{root}\\").to_uppercase();
        let mut found: Values = stored.clone();
        found.retain(|(key, _), _| format!("{key}\\").starts_with(&below));
        found.retain(|place, _| expected.get(place).is_none_or(is_known));
        expected.retain(|_, value| is_known(value));
        assert!(expected.len() > 10, "{root}: only {} values", expected.len());
        assert_same(&found, &as_stored(expected), &root);
    }
}
