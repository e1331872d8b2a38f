//! A patch of ours, verified as its header states: it corrects everything that it should, and nothing else.

use std::fs;

use hivemend::finding::Severity;
use hivemend::reg_file::{CodePage, Dialect, Importer};
use hivemend::remediation::{PatchFile, PatchOptions, Target};
use hivemend::verification::{Importing, Mounts, Patch, Verified, verify};

use super::proof::{Case, OPTIONS};
use crate::command_line::Desk;
use crate::fixture;

const DIALECTS: [Dialect; 3] = [Dialect::Regedit5, Dialect::Regedit4(CodePage::WINDOWS_1252), Dialect::Hivex];

/// The patches of a case as `verify` sees them, with nothing said about who imports them.
fn verified(case: &Case, files: &[PatchFile], is_rollback: bool) -> Verified {
    let root = |role: &str| format!(r"HKEY_LOCAL_MACHINE\{role}");
    let mounts = Mounts { software_root: root("SOFTWARE"), system_root: root("SYSTEM") };
    let read = |file: &PatchFile| Patch::read(file.name.as_str(), &file.bytes, &Importing::default()).unwrap();
    let patches: Vec<Patch> = files.iter().filter(|file| file.is_rollback == is_rollback).map(read).collect();
    for patch in &patches {
        let summary = patch.summary();
        assert_eq!((summary.dropped, &summary.contradictions[..]), (0, &[][..]), "{:?}", summary.first);
    }
    verify(case.examination.installations.first().unwrap(), &patches, &mounts, &OPTIONS).unwrap()
}

#[test]
fn every_patch_of_a_fixture_is_clean_to_its_own_importer() {
    let (mut clean, mut all) = (0, 0);
    for name in fixture::names().unwrap() {
        let Some(case) = Case::of(&name) else { continue };
        for dialect in DIALECTS {
            let written = PatchOptions { dialect, ..PatchOptions::default() };
            if let Err(refusal) = hivemend::remediation::patch_files(&case.plan, &written) {
                let known = ["hostile-strings", "windows-7-servicedll-odd-length"].contains(&name.as_str());
                assert!(known && dialect.code_page().is_some(), "{name}: {dialect:?}: {refusal}");
                continue;
            }
            let files = case.files(&written);
            assert!(files.iter().all(|file| header_stands_first(file, dialect)), "{name}: {dialect:?}");
            let verified = verified(&case, &files, false);
            let what = format!("{name}: {dialect:?}: {:?} {:?}", verified.stopped, verified.harm);
            assert!(verified.refused.is_none() && !verified.exceeds() && verified.broken.is_empty(), "{what}");
            let is_left = |change: &hivemend::verification::Change| {
                case.plan
                    .left
                    .iter()
                    .any(|left| left.finding == change.finding && left.control_set == change.control_set)
            };
            assert!(verified.left.iter().all(is_left), "{what}: {:?}", verified.left);
            all += 1;
            clean += usize::from(!verified.fails(Severity::Low) && !verified.is_incomplete());
        }
    }
    assert!(clean > 100 && all > 150, "{clean} of {all} are clean");
}

/// Whether the comments stand before the first key.
fn header_stands_first(file: &PatchFile, dialect: Dialect) -> bool {
    let text = match dialect {
        Dialect::Regedit5 => {
            let units: Vec<u16> = file.bytes.as_chunks().0.iter().map(|&unit| u16::from_le_bytes(unit)).collect();
            String::from_utf16(&units).unwrap()
        }
        _ => String::from_utf8_lossy(&file.bytes).into_owned(),
    };
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with([';', '['])).collect();
    let keys = lines.iter().skip_while(|line| line.starts_with(';'));
    lines[0].starts_with("; Written by hivemend")
        && keys.clone().count() > 0
        && keys.clone().all(|line| line.starts_with('['))
}

/// By the program: 0 where the plan leaves nothing, 2 for another Windows, in every form.
#[test]
fn patches_of_some_fixtures_are_clean_to_the_program() {
    let cases = [
        "windows-xp-senslogn-missing",
        "windows-7-svchost-lacks-bits",
        "windows-10-dependency-missing",
        "windows-7-failure-command-added",
    ];
    let desk = Desk::with(&cases);
    for name in cases {
        let evidence = format!("evidence/{name}");
        for (dialect, target) in
            [("regedit5", "offline"), ("regedit5", "live"), ("regedit4", "live"), ("hivex", "offline")]
        {
            let out = format!("{name}-{dialect}-{target}");
            let arguments = ["audit", &evidence, "--patch", &out, "--dialect", dialect, "--target", target];
            assert_eq!(desk.code(&arguments), 1, "{out}");
            let folder = fs::read_dir(desk.path(&out)).unwrap().next().unwrap().unwrap().path();
            let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().display().to_string());
            let is_patch = |path: &String| path.contains(".reg") && !path.contains("rollback");
            let mut patches: Vec<String> = files.filter(is_patch).collect();
            patches.sort();
            let verify = |evidence: &str| {
                let paths = patches.iter().map(String::as_str);
                desk.code(&["verify"].into_iter().chain(paths).chain([evidence]).collect::<Vec<_>>())
            };
            assert_eq!(verify(&evidence), 0, "{out}");
            let other = if name.starts_with("windows-7") { cases[0] } else { cases[1] };
            assert_eq!(verify(&format!("evidence/{other}")), 2, "{out}");
        }
    }
}

#[test]
fn the_importer_of_a_dialect_is_in_its_header() {
    let case = Case::of("windows-xp-senslogn-shutdown-wrong").unwrap();
    for dialect in DIALECTS {
        for file in case.files(&PatchOptions { dialect, ..PatchOptions::default() }) {
            let patch = Patch::read("x.reg", &file.bytes, &Importing::default()).unwrap();
            assert_eq!((patch.reading.importer, patch.target), (dialect.importer(), Target::Offline));
            let is_hivex = patch.reading.importer == Importer::Hivexregedit;
            assert_eq!(is_hivex, dialect == Dialect::Hivex);
        }
    }
}
