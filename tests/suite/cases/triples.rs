//! Snapshots: evidence in, report and patch out. Each was reviewed against the `expect.toml` of its case.

use std::collections::BTreeSet;
use std::path::Path;

use super::text::text;
use super::{examined_case, for_each_case};
use crate::fixture;

#[test]
fn every_case_reads_as_it_did() {
    let texts = for_each_case(|name| text(&examined_case(name)));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/cases");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in texts {
            insta::assert_snapshot!(name, text);
        }
    });
}

/// A snapshot whose case is gone says nothing.
#[test]
fn every_snapshot_has_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/snapshots/cases");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let cases: BTreeSet<String> = files.filter_map(|name| Some(name.strip_suffix(".snap")?.to_owned())).collect();
    assert_eq!(cases, fixture::names().unwrap().into_iter().collect());
}

#[test]
fn a_contradiction_between_the_hives_is_named() {
    let text = text(&examined_case("mismatched-pair"));
    assert!(text.contains("SYSTEM: CoreOS version 6.1.7601.17514"), "{text}");
    assert!(text.contains("and SYSTEM knows none of them"), "{text}");
}
