//! Reads the expected results of each case: `expect.toml` beside its hives. `fixtures/README.md` describes the file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::fixture;

/// What a case is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Nothing is wrong, in any control set.
    Clean,
    /// Something is wrong, or cannot be judged.
    Broken,
    /// Something is wrong, and hidden.
    Evasion,
    /// Somebody chose a setting that works and is worth a word.
    Healthy,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    kind: Kind,
    what: String,
    os: Option<String>,
    exit: u8,
    #[serde(default)]
    no_baseline: bool,
    #[serde(default)]
    uncertain: bool,
    #[serde(default)]
    contradicted: bool,
    #[serde(default)]
    no_control_set: bool,
    missing_hive: Option<String>,
    dirty: Option<String>,
    #[serde(default)]
    finding: Vec<ExpectedFinding>,
    #[serde(default)]
    missing_key: Vec<MissingKey>,
    #[serde(default)]
    shown: Vec<String>,
    all_control_sets: Option<AllControlSets>,
}

/// What comes out with `--control-set all`, where that is something else.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AllControlSets {
    exit: u8,
    #[serde(default)]
    finding: Vec<ExpectedFinding>,
}

/// A whole key that is gone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct MissingKey {
    id: String,
    values: usize,
}

/// What one audit of a case must come to.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// `--control-set all` rather than the current one.
    pub(super) all_control_sets: bool,
    /// The Windows, where the case's name does not tell.
    pub(super) os: Option<String>,
    /// There is no baseline, and so no finding.
    pub(super) no_baseline: bool,
    /// The marks of the Windows contradict each other, or its build is not in the list.
    pub(super) uncertain: bool,
    /// The hives are not of one machine.
    pub(super) contradicted: bool,
    /// A control set that counts is not there.
    pub(super) no_control_set: bool,
    /// The role of the hive that is not there.
    pub(super) missing: Option<String>,
    /// The role of the hive that is dirty.
    pub(super) dirty: Option<String>,
    /// The findings that are no mere `conforms`.
    pub(super) findings: Vec<ExpectedFinding>,
    /// Whole keys that are gone: the key's id, and how many values are missing.
    pub(super) missing_keys: Vec<(String, usize)>,
    /// Values that are shown and not judged.
    pub(super) shown: Vec<String>,
    /// The exit code.
    pub(super) exit: u8,
}

impl Expected {
    /// Whether nothing is found, and nothing is worth a word.
    pub(super) fn is_clean(&self) -> bool {
        self.exit == 0 && self.findings.is_empty() && self.shown.is_empty()
    }
}

/// A finding that must come out.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ExpectedFinding {
    pub(super) id: String,
    pub(super) verdict: String,
    pub(super) severity: String,
    pub(super) control_set: Option<u32>,
    pub(super) attack: Option<String>,
    pub(super) says: Option<String>,
    pub(super) notes: Option<String>,
}

fn file(case: &str) -> File {
    let path = fixture::folder_of(case).unwrap_or_else(|message| panic!("{message}")).join("expect.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(!file.what.is_empty(), "{}: nobody knows what the case is for", path.display());
    for finding in file.finding.iter().chain(file.all_control_sets.iter().flat_map(|all| &all.finding)) {
        let known = |word: &str, words: &[&str]| assert!(words.contains(&word), "{}: {word:?}", path.display());
        known(&finding.verdict, &["deviates", "absent", "unexpected"]);
        known(&finding.severity, &["info", "low", "medium", "high", "critical"]);
    }
    file
}

/// What must come out, by case: of an audit, and of one with `--control-set all` where that is something else.
pub(super) fn read() -> BTreeMap<String, Vec<Expected>> {
    let names = fixture::names().unwrap();
    names.into_iter().map(|name| (name.clone(), expected(file(&name)))).collect()
}

/// The cases of that kind.
pub(super) fn of_kind(kind: Kind) -> Vec<String> {
    let mut names = fixture::names().unwrap();
    names.retain(|name| file(name).kind == kind);
    names
}

fn expected(file: File) -> Vec<Expected> {
    let all = file.all_control_sets.map(|all| Expected {
        all_control_sets: true,
        os: file.os.clone(),
        findings: all.finding,
        exit: all.exit,
        ..Expected::default()
    });
    let current = Expected {
        all_control_sets: false,
        os: file.os,
        no_baseline: file.no_baseline,
        uncertain: file.uncertain,
        contradicted: file.contradicted,
        no_control_set: file.no_control_set,
        missing: file.missing_hive,
        dirty: file.dirty,
        findings: file.finding,
        missing_keys: file.missing_key.into_iter().map(|key| (key.id, key.values)).collect(),
        shown: file.shown,
        exit: file.exit,
    };
    [Some(current), all].into_iter().flatten().collect()
}
