//! `explain`: every printed id is explained; an unknown one is refused with a suggestion.

use hivemend::baseline::{BUILT_IN, Baseline, BuiltIn};
use hivemend::explain::explain;

use crate::command_line::Desk;

fn explained(id: &str) -> String {
    let mut page = Vec::new();
    explain(id, &[], &mut page).unwrap_or_else(|error| panic!("{id}: {error}")).unwrap();
    String::from_utf8(page).unwrap()
}

#[test]
fn every_id_of_every_baseline_is_explained() {
    for baseline in BUILT_IN.iter().map(BuiltIn::read).map(|read: Result<&Baseline, _>| read.unwrap()) {
        for key in &baseline.keys {
            assert!(explained(&key.id).contains("\nBy hand\n"), "{}", key.id);
            for value in &key.values {
                let page = explained(&format!("{}/{}", key.id, value.name));
                let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(page.contains("\nExpected\n") && words.contains(&baseline.name), "{}: {page}", baseline.id);
            }
        }
        for step in &baseline.steps {
            assert!(explained(&step.id).contains("A manual step"), "{}", step.id);
        }
    }
}

#[test]
fn every_finding_of_a_fixture_is_explained() {
    let desk = Desk::with(&[
        "windows-xp-senslogn-shutdown-wrong",
        "windows-7-real-current-control-set",
        "windows-7-setup-marks",
    ]);
    let report = desk.json(&["audit", "evidence", "--all", "--format", "json"]);
    let mut seen = 0;
    for installation in report["installations"].as_array().unwrap() {
        for finding in installation["findings"].as_array().unwrap() {
            explained(finding["id"].as_str().unwrap());
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
    // What the rules for services that no baseline lists say.
    assert!(explained("chain/LanmanWorkstation/Start").contains(r"Services\LanmanWorkstation"));
    assert!(explained("group-members/Themes/ServiceDll").contains("sc qc"));
}

#[test]
fn an_unknown_id_is_refused_with_the_nearest() {
    let desk = Desk::with(&[]);
    insta::assert_snapshot!(desk.complaint(2, &["explain", "service-bist/Start"]), @r#"hivemend: error: explain: invalid value "service-bist/Start". Name a finding, a key or a step as `audit` prints it; did you mean "service-bits/Start"?"#);
    insta::assert_snapshot!(desk.complaint(2, &["explain", "x"]), @r#"hivemend: error: explain: invalid value "x". Name a finding, a key or a step as `audit` prints it"#);
}

#[test]
fn a_row_of_a_users_file_is_explained_too() {
    let desk = Desk::with(&[]);
    let text = "[[key]]\nid = \"own-key\"\nhive = \"SYSTEM\"\npath = 'A'\nwhy = \"x\"\nsource = \"a source\"\n[key.values]\n\"\".REG_SZ = \"d\"\n";
    std::fs::write(desk.path("mine.toml"), text).unwrap();
    let output = desk.run(&["explain", "own-key/", "--baseline", "mine.toml"]);
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"
    own-key/
      SYSTEM: A, value (Default)

    Why
      x

    Facts
      Windows: mine
      severity: medium
      profile: kb968001, chain, persistence

    Expected
      REG_SZ "d"
        single-source on mine
          a source

    By hand
      running Windows:  reg query "HKLM\SYSTEM\A" /ve
      a hive:           hivemend show SYSTEM 'A'
    "#);
}
