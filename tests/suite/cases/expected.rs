//! Reads what `fixtures/README.md` says must come out of each case.

use std::collections::BTreeMap;
use std::path::Path;

/// What a row of the tables expects.
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

#[derive(Debug, Default, Clone)]
pub(super) struct ExpectedFinding {
    pub(super) id: String,
    pub(super) verdict: String,
    pub(super) severity: String,
    pub(super) control_set: Option<u32>,
    pub(super) attack: Option<String>,
    pub(super) says: Option<String>,
    pub(super) notes: Option<String>,
}

/// The rows, by case, in the order of the page.
pub(super) fn read() -> BTreeMap<String, Vec<Expected>> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/README.md")).unwrap();
    let (_, page) = page.split_once("\n## Clean cases\n").unwrap();
    let (clean, broken) = page.split_once("\n## Broken cases\n").unwrap();
    let mut rows: BTreeMap<String, Vec<Expected>> = BTreeMap::new();

    // The prose lists the clean cases, with the id of their Windows where it is another; the table has variants of them.
    let (listed, variants) = clean.split_once("Nothing in them may come out").unwrap();
    for name in listed.split('`').skip(1).step_by(2).chain(variants.lines().filter_map(case_of)) {
        rows.insert(name.to_owned(), vec![Expected::default()]);
    }
    let mut last = String::new();
    for line in broken.lines().filter(|line| line.starts_with("| `") || line.starts_with("| the same")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [case, _, findings, exit] = cells.as_slice() else { panic!("four cells expected: {line}") };
        let mut expected = groups(findings).unwrap_or_else(|message| panic!("{message} in: {line}"));
        expected.exit = exit.parse().unwrap_or_else(|_| panic!("no exit code: {line}"));
        match case_of(line) {
            Some(name) => name.clone_into(&mut last),
            None => expected.all_control_sets = case.contains("`--control-set all`"),
        }
        let known = rows.entry(last.clone()).or_default();
        assert!(known.is_empty() || expected.all_control_sets, "{last} is there twice");
        known.push(expected);
    }
    rows
}

/// The cases in the table of one section.
pub(super) fn section(title: &str) -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/README.md")).unwrap();
    let heading = format!("\n## {title}\n");
    let (_, section) = page.split_once(&heading).unwrap_or_else(|| panic!("no section {title}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    section.lines().filter_map(case_of).map(str::to_owned).collect()
}

fn case_of(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split('`').next()
}

/// The cell of findings: groups with `;` between them.
fn groups(cell: &str) -> Result<Expected, String> {
    let mut expected = Expected::default();
    for group in cell.split("; ").filter(|group| *group != "none") {
        match group.split_once(' ') {
            Some(("os", id)) => expected.os = Some(id.trim_matches('`').to_owned()),
            None if group == "uncertain" => expected.uncertain = true,
            None if group == "contradicted" => expected.contradicted = true,
            Some(("no", "control set")) => expected.no_control_set = true,
            Some(("no", "baseline")) => expected.no_baseline = true,
            Some(("hive-missing", role)) => expected.missing = Some(role.to_owned()),
            Some(("dirty", role)) => expected.dirty = Some(role.to_owned()),
            _ => findings(group, &mut expected)?,
        }
    }
    Ok(expected)
}

/// `key/A`, `/B` deviates, medium, set 2, T1547.004, says "..."; or `key/*` absent (17); or `key/A` shown.
fn findings(group: &str, expected: &mut Expected) -> Result<(), String> {
    let (ids, rest) = group.rsplit_once('`').ok_or_else(|| format!("no id in {group:?}"))?;
    let ids: Vec<&str> = ids.split('`').skip(1).step_by(2).collect();
    let mut key = String::new();
    let mut full = Vec::new();
    for id in ids {
        if let Some(value) = id.strip_prefix('/') {
            full.push(format!("{key}/{value}"));
        } else {
            id.split('/').next().unwrap_or_default().clone_into(&mut key);
            full.push(id.to_owned());
        }
    }
    let rest = rest.trim();
    if rest == "shown" {
        expected.shown.extend(full);
        return Ok(());
    }
    if let [id] = full.as_slice()
        && let Some(key) = id.strip_suffix("/*")
    {
        let count = rest.strip_prefix("absent (").and_then(|rest| rest.strip_suffix(')')?.parse().ok());
        expected.missing_keys.push((key.to_owned(), count.ok_or_else(|| format!("{rest:?}: no count"))?));
        return Ok(());
    }
    let mut words = rest.split(", ");
    let mut finding = ExpectedFinding { verdict: words.next().unwrap_or_default().to_owned(), ..Default::default() };
    for word in words {
        if ["info", "low", "medium", "high", "critical"].contains(&word) {
            word.clone_into(&mut finding.severity);
        } else if let Some(number) = word.strip_prefix("set ") {
            finding.control_set = Some(number.parse().map_err(|_| format!("{word:?}"))?);
        } else if let Some(said) = word.strip_prefix("says ") {
            finding.says = Some(said.trim_matches('"').to_owned());
        } else if let Some(note) = word.strip_prefix("notes ") {
            finding.notes = Some(note.trim_matches('"').to_owned());
        } else if word.starts_with('T') {
            finding.attack = Some(word.to_owned());
        } else {
            return Err(format!("{word:?} is not understood"));
        }
    }
    if !["deviates", "absent", "unexpected"].contains(&finding.verdict.as_str()) || finding.severity.is_empty() {
        return Err(format!("a verdict and a severity expected, found {rest:?}"));
    }
    expected.findings.extend(full.into_iter().map(|id| ExpectedFinding { id, ..finding.clone() }));
    Ok(())
}
