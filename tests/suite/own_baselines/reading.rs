//! Users' files: whole ones, and ones that state the differences from a built-in baseline.

use super::{found, write};
use crate::command_line::Desk;

fn shown(desk: &Desk, name: &str) -> String {
    let output = desk.run(&["baseline", "show", name]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_printed_baseline_is_a_file_that_prints_the_same() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    for id in ["windows-2000", "windows-7", "windows-10"] {
        let text = shown(&desk, id);
        write(&desk, "mine.toml", &text);
        assert_eq!(shown(&desk, "mine.toml"), text, "{id}");
    }
    write(&desk, "mine.toml", shown(&desk, "windows-7"));
    let by_file = found(&desk, &["--baseline", "mine.toml"], "evidence");
    assert_eq!(by_file, found(&desk, &[], "evidence"));
    assert!(by_file.contains(&"service-bits/Start deviates".to_owned()), "{by_file:?}");
    let report = desk.json(&["audit", "evidence", "--format", "json"]);
    let own = desk.json(&["audit", "evidence", "--format", "json", "--baseline", "mine.toml"]);
    assert_eq!(report["installations"][0]["baseline"], own["installations"][0]["baseline"]);
    assert_eq!(own["installations"][0]["extended_by"], serde_json::json!([]));
}

const HOUSE: &str = r#"
id = "house-7"
like = "windows-7"
drop = ["service-bits/Group"]

[defaults]
source = "IT department, rule 12"

[change.service-bits.values]
Start = { REG_DWORD = 4, why = "Our machines download nothing by themselves." }

[[key]]
template = "service"
name = "AppIDSvc"
why = "@for-sens"
[key.values]
Start = { REG_DWORD = 2 }
"#;

#[test]
fn a_file_says_only_what_differs_from_a_built_in_baseline() {
    let desk = Desk::with(&["windows-7", "windows-7-bits-disabled"]);
    write(&desk, "house.toml", HOUSE);
    let text = shown(&desk, "house.toml");
    let built_in = shown(&desk, "windows-7");
    let row = |text: &str, name: &str| {
        let (_, row) = text.split_once(&format!("[key.values.{name}]\n")).unwrap();
        row.split("\n\n").next().unwrap().to_owned()
    };
    // What is new has the file's source and its own grade; what is not keeps what the built-in sources gave it.
    assert!(row(&text, "Start").contains("REG_DWORD = 4") && row(&text, "Start").contains("rule 12"), "{text}");
    assert!(row(&text, "Start").contains("grade = \"single-source\""), "{text}");
    assert_eq!(row(&text, "ImagePath"), row(&built_in, "ImagePath"));
    assert!(text.contains("id = \"service-appidsvc\"") && text.contains("T1489"), "{text}");
    let by_house = found(&desk, &["--baseline", "house.toml"], "evidence/windows-7");
    assert!(by_house.contains(&"service-bits/Start deviates".to_owned()), "{by_house:?}");
    assert!(by_house.contains(&"service-appidsvc/Start absent, of service-appidsvc".to_owned()), "{by_house:?}");
}

#[test]
fn a_file_beside_the_built_in_baselines_adds_its_rows_and_may_not_repeat_theirs() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let pack = |id: &str, service: &str, more: &str| {
        format!(
            "id = \"pack\"\n{more}\n[[key]]\nid = \"{id}\"\nhive = \"SYSTEM\"\npath = 'CurrentControlSet\\Services\\{service}'\n\
             why = \"A pack.\"\nsource = \"a source\"\n[key.values]\nStart.REG_DWORD = 2\n"
        )
    };
    write(&desk, "pack.toml", pack("pack-spooler", "Spooler", ""));
    let both = found(&desk, &["--extend", "pack.toml"], "evidence");
    assert_eq!(
        both,
        ["service-bits/Start deviates", "pack-spooler absent", "pack-spooler/Start absent, of pack-spooler"]
    );
    let report = desk.json(&["audit", "evidence", "--format", "json", "--extend", "pack.toml"]);
    assert_eq!(report["installations"][0]["baseline"]["id"], "windows-7");
    assert_eq!(report["installations"][0]["extended_by"][0]["id"], "pack");
    // For another Windows only.
    write(&desk, "pack.toml", pack("pack-spooler", "Spooler", "applies-to = [\"windows-10\"]"));
    assert_eq!(found(&desk, &["--extend", "pack.toml"], "evidence"), ["service-bits/Start deviates"]);
    // One id, one value: one expectation.
    write(&desk, "pack.toml", pack("service-bits", "Spooler", ""));
    let complaint = desk.complaint(2, &["audit", "evidence", "--extend", "pack.toml"]);
    assert!(complaint.contains("baseline pack both have the id service-bits"), "{complaint}");
    write(&desk, "pack.toml", pack("pack-bits", "bits", ""));
    let complaint = desk.complaint(2, &["audit", "evidence", "--extend", "pack.toml"]);
    assert!(complaint.contains("pack-bits/Start of baseline pack and service-bits/Start of baseline"), "{complaint}");
}

#[test]
fn a_file_judges_a_windows_that_has_no_built_in_baseline() {
    let desk = Desk::with(&["windows-nt4"]);
    write(
        &desk,
        "mine.toml",
        "[[key]]\nid = \"select\"\nhive = \"SYSTEM\"\npath = 'Select'\nwhy = \"x\"\nsource = \"a source\"\n[key.values]\nCurrent.REG_DWORD = 1\n",
    );
    assert_eq!(desk.code(&["audit", "evidence"]), 3);
    assert_eq!(desk.code(&["audit", "evidence", "--baseline", "mine.toml"]), 0);
}

#[test]
fn what_a_file_gets_wrong_is_refused_before_any_work() {
    let desk = Desk::with(&["windows-7"]);
    let cases = [
        ("like = \"windos-7\"", "not a built-in baseline; did you mean \"windows-7\"?"),
        ("[[key]]\nid = \"x\"\nhive = \"SYSTEM\"\npath = 'x'\nwhy = \"x\"\nexpect = \"absent\"", "x: no source"),
        ("like = \"windows-7\"\n[change.service-bits.values]\nStart.REG_DWORD = 4", "service-bits/Start: no source"),
        ("[[key]]\nid = \"x\"", "x"),
        ("nonsense = 1", "\"nonsense\" is not a field"),
        ("= =", "baseline mine.toml: TOML parse error at line 1, column 3"),
    ];
    for (text, part) in cases {
        write(&desk, "mine.toml", text);
        let complaint = desk.complaint(2, &["audit", "evidence", "--baseline", "mine.toml"]);
        assert!(complaint.contains(part), "{part}: {complaint}");
    }
    let complaint = desk.complaint(2, &["audit", "evidence", "--extend", "none.toml"]);
    assert!(complaint.contains("none.toml: cannot be read"), "{complaint}");
}

/// A closed list of a file beside the built-in baselines knows the values that those state.
#[test]
fn a_closed_list_beside_the_built_in_baselines_knows_their_values() {
    let desk = Desk::with(&["windows-7"]);
    let text = "[[key]]\nid = \"own-bits\"\nhive = \"SYSTEM\"\npath = 'CurrentControlSet\\services\\bits'\nwhy = \"x\"\n\
                source = \"a source\"\nothers = \"unexpected\"\nsubkeys = \"unexpected\"\nexpect = \"present\"\n";
    write(&desk, "mine.toml", text);
    let found = found(&desk, &["--extend", "mine.toml"], "evidence");
    assert!(found.iter().all(|line| line.starts_with("own-bits")), "{found:?}");
    assert!(!found.iter().any(|line| line.contains("/Start") || line.contains("Parameters")), "{found:?}");
    // With one profile chosen, a file's rows are looked at all the same.
    let chosen = super::found(&desk, &["--extend", "mine.toml", "--profile", "chain"], "evidence");
    assert!(chosen.iter().any(|line| line.contains("unexpected")), "{chosen:?}");
}
