//! Help, completions, and man pages, all from one definition, and the answers to mistyped words.

use std::fs;
use std::process::Command;

use crate::command_line::Desk;
use crate::harness::lacks_program;

/// Every command that has a page of help.
const COMMANDS: [&str; 12] = [
    "audit",
    "find",
    "history",
    "show",
    "verify",
    "lint",
    "report",
    "explain",
    "baseline",
    "schema",
    "completions",
    "man",
];

fn stdout(desk: &Desk, arguments: &[&str]) -> String {
    let output = desk.run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_is_short_or_long_has_examples_and_fits() {
    let desk = Desk::with(&[]);
    for command in COMMANDS {
        let (short, long) = (stdout(&desk, &[command, "-h"]), stdout(&desk, &[command, "--help"]));
        for text in [&short, &long] {
            let wide = text.lines().find(|line| line.len() > 100 && !line.trim_start().starts_with("hivemend "));
            assert_eq!(wide, None, "{command}");
        }
        assert!(!short.contains("Examples:"), "{command}");
        assert!(long.contains("Examples:"), "{command}: {long}");
    }
    let long = stdout(&desk, &["--help"]);
    assert!(long.contains("Examples:") && long.contains("Exit codes:"), "{long}");
    // The first group is what the command is about.
    let audit = stdout(&desk, &["audit", "-h"]);
    let at = |heading: &str| audit.find(heading).unwrap_or_else(|| panic!("{heading}: {audit}"));
    assert!(at("What is checked:") < at("Patch:") && at("Patch:") < at("Reading evidence:"), "{audit}");
    let words = audit.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("an archive, a disk image"), "{audit}");
}

#[test]
fn a_word_that_is_not_quite_right_gets_the_right_one() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    for (arguments, said) in [
        (&["adit", "evidence"][..], "'audit'"),
        (&["audit", "evidence", "--os", "winxp"], "did you mean \"windows-xp\"?"),
        (&["audit", "evidence", "--os", "Server 2019"], "did you mean \"windows-server-2019\"?"),
        (&["audit", "evidence", "--format", "jsn"], "'json'"),
        (&["audit", "evidence", "--pach", "x"], "'--patch'"),
        (&["find", "evidence", "--format", "sarf"], "possible values: table, json, jsonl"),
        (&["man", "adit"], "Did you mean \"audit\"?"),
        (&["baseline", "show", "win7"], "invalid value \"win7\". Did you mean \"windows-7\"? See"),
        (&["explain", "service-bits/Strat"], "service-bits/Start"),
    ] {
        let complaint = desk.complaint(2, arguments);
        assert!(complaint.contains(said), "{arguments:?}: {complaint}");
    }
}

#[test]
fn there_is_a_man_page_for_each_command_and_each_is_well_formed() {
    let desk = Desk::with(&[]);
    stdout(&desk, &["man", "--dir", "man1"]);
    let mut pages: Vec<String> = fs::read_dir(desk.path("man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    for command in COMMANDS {
        assert!(pages.contains(&format!("hivemend-{command}.1")), "{command}: {pages:?}");
    }
    let audit = fs::read_to_string(desk.path("man1/hivemend-audit.1")).unwrap();
    assert_eq!(audit, stdout(&desk, &["man", "audit"]));
    assert!(audit.contains(r"\-\-patch") && audit.contains("Examples:"), "{audit}");
    assert!(desk.complaint(2, &["man", "--dir", "man1"]).contains("exists"));
    stdout(&desk, &["man", "--dir", "man1", "--overwrite"]);

    let Ok(output) =
        Command::new("groff").args(["-man", "-ww", "-z"]).args(&pages).current_dir(desk.path("man1")).output()
    else {
        return lacks_program("groff");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn completions_name_every_command_and_the_shell_reads_them() {
    let desk = Desk::with(&[]);
    for (shell, check) in [("bash", Some("bash")), ("zsh", Some("zsh")), ("fish", Some("fish")), ("powershell", None)] {
        let text = stdout(&desk, &["completions", shell]);
        for command in COMMANDS {
            assert!(text.contains(command), "{shell}: {command}");
        }
        fs::write(desk.path(shell), text).unwrap();
        let Some(check) = check else { continue };
        match Command::new(check).arg("-n").arg(desk.path(shell)).output() {
            Ok(output) => assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => lacks_program(shell),
        }
    }
}
