//! The program on a terminal: colours by convention, characters by locale, and lines that fit.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use unicode_width::UnicodeWidthStr;

use crate::command_line::Desk;
use crate::fixture;
use crate::harness;

/// What the program writes to stdout in a pipe, with these variables.
fn piped(desk: &Desk, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = desk.command(arguments).envs(variables.iter().copied()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// What the program writes to a terminal of that many columns; `None` where there is no `script` (util-linux) to make
/// one.
pub(crate) fn on_terminal(desk: &Desk, arguments: &[&str], columns: u16, variables: &[(&str, &str)]) -> Option<String> {
    let quoted: Vec<String> = arguments.iter().map(|one| hivemend::report::table::quoted(one.as_bytes())).collect();
    let program = hivemend::report::table::quoted(env!("CARGO_BIN_EXE_hivemend").as_bytes());
    let line = format!("stty cols {columns} rows 24; {program} {}", quoted.join(" "));
    let mut command = Command::new("script");
    command.args(["--quiet", "--command", &line, "/dev/null"]).current_dir(desk.path("")).stdin(Stdio::null());
    command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "COLUMNS"] {
        command.env_remove(variable);
    }
    let Ok(output) = command.envs(variables.iter().copied()).output() else {
        harness::lacks_program("script (util-linux)");
        return None;
    };
    assert_eq!(output.status.signal(), None);
    Some(String::from_utf8(output.stdout).unwrap().replace('\r', ""))
}

#[test]
fn colours_come_and_go_as_the_variables_say() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    let audit = ["audit", "evidence"];
    let coloured = |text: &str| text.contains("\x1b[");
    let plain = piped(&desk, &audit, &[]);
    assert!(!coloured(&plain) && plain.contains("\nHIGH      service-bits/Start"), "{plain}");
    assert!(coloured(&piped(&desk, &audit, &[("CLICOLOR_FORCE", "1")])));
    assert!(!coloured(&piped(&desk, &audit, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")])));
    assert!(coloured(&piped(&desk, &["audit", "evidence", "--color", "always"], &[("NO_COLOR", "1")])));
    // A file that is named is read later, and not on this terminal.
    assert_eq!(piped(&desk, &["audit", "evidence", "--output", "report.txt"], &[("CLICOLOR_FORCE", "1")]), "");
    assert!(!coloured(&std::fs::read_to_string(desk.path("report.txt")).unwrap()));

    let Some(text) = on_terminal(&desk, &audit, 80, &[]) else { return };
    assert!(coloured(&text), "{text}");
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")] {
        let text = on_terminal(&desk, &audit, 80, &[variable]).unwrap();
        assert!(!coloured(&text) && text.contains("HIGH"), "{variable:?}: {text}");
    }
    assert!(!coloured(&on_terminal(&desk, &["audit", "evidence", "--color", "never"], 80, &[]).unwrap()));
}

#[test]
fn what_the_locale_cannot_show_is_written_in_ascii() {
    let desk = Desk::with(&["windows-7-bits-disabled", "hostile-strings"]);
    let audit = ["audit", "evidence", "--all"];
    for locale in [&[("LC_ALL", "C")][..], &[("LC_ALL", ""), ("LC_CTYPE", "de_DE.ISO-8859-1"), ("LANG", "C.UTF-8")]] {
        let text = piped(&desk, &audit, locale);
        assert!(text.is_ascii() && text.contains("-----"), "{text}");
    }
    for locale in [("LC_ALL", "C.UTF-8"), ("LC_ALL", "de_DE.utf8")] {
        assert!(piped(&desk, &audit, &[locale]).contains('─'));
    }
    piped(&desk, &["audit", "evidence", "--all", "--output", "report.txt"], &[("LC_ALL", "C")]);
    assert!(std::fs::read_to_string(desk.path("report.txt")).unwrap().contains('─'));
}

/// Commands to be copied, and addresses, stand whole.
fn may_be_long(line: &str) -> bool {
    line.trim_start().starts_with("hivemend ") || line.contains("https://") || line.contains("reg query ")
}

#[test]
fn every_command_fits_80_columns_on_every_fixture() {
    let names = fixture::names().unwrap();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let desk = Desk::with(&names);
    let fits = |arguments: &[&str]| {
        let Some(text) = on_terminal(&desk, arguments, 80, &[("NO_COLOR", "1")]) else { return };
        assert!(text.lines().count() > 3, "{arguments:?}: {text}");
        // What a slow machine shows of progress is wiped before the page is written.
        let lines = text.lines().map(|line| line.rsplit("\u{1b}[2K").next().unwrap());
        for line in lines.filter(|line| !may_be_long(line)) {
            assert!(line.width() <= 80, "{arguments:?}: {}: {line}", line.width());
        }
    };
    for arguments in [
        &["audit", "evidence"][..],
        &["find", "evidence"],
        &["find", "evidence", "--check"],
        &["history", "evidence"],
        &["baseline", "list"],
        &["explain", "service-bits/Start"],
        &["show", "evidence/windows-7/Windows/System32/config/SYSTEM", "-r", "--format", "table"],
    ] {
        fits(arguments);
    }
    // The patches of all that can be patched, each looked at with both of its readers.
    desk.run(&["audit", "evidence", "--patch", "patch"]);
    let patches: Vec<String> = walkdir::WalkDir::new(desk.path("patch"))
        .into_iter()
        .flatten()
        .map(|entry| entry.path().strip_prefix(desk.path("")).unwrap().to_string_lossy().into_owned())
        .filter(|path| path.strip_suffix(".reg").is_some())
        .collect();
    assert!(patches.len() > 100, "{patches:?}");
    let lint: Vec<&str> = ["lint"].into_iter().chain(patches.iter().map(String::as_str)).collect();
    fits(&lint);
    for case in ["windows-7-bits-disabled", "windows-xp-senslogn-missing", "windows-10-network-services-hijacked"] {
        let own = patches.iter().filter(|path| path.contains(&format!("evidence-{case}-Windows")));
        let own = own.map(String::as_str).filter(|path| !path.contains("rollback"));
        let evidence = format!("evidence/{case}");
        let verify: Vec<&str> = ["verify"].into_iter().chain(own).chain([evidence.as_str()]).collect();
        fits(&verify);
        let plan = format!("patch/evidence-{case}-Windows-System32-config/plan.json");
        fits(&["verify", "--applied", &plan, &evidence]);
    }
}

#[test]
fn progress_is_shown_where_it_is_wanted_and_nowhere_else() {
    let desk = Desk::with(&["windows-7-bits-disabled"]);
    // So large that hashing it takes longer than anybody waits without a word.
    let large = std::fs::File::create(desk.path("evidence/NTUSER.DAT")).unwrap();
    let head = std::fs::read(desk.path("evidence/windows-7-bits-disabled/Windows/System32/config/SOFTWARE")).unwrap();
    std::io::Write::write_all(&mut &large, &head).unwrap();
    large.set_len(2 << 30).unwrap();
    let stderr = |arguments: &[&str]| String::from_utf8(desk.run(arguments).stderr).unwrap();
    let text = stderr(&["find", "evidence", "--progress", "json"]);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hashed = lines.iter().map(|line| &line["progress"]).filter(|line| line["task"] == "hashing");
    let done: Vec<u64> = hashed.map(|line| line["done"].as_u64().unwrap()).collect();
    assert!(!done.is_empty() && done.is_sorted() && done[0] > 0, "{text}");
    for quiet in [&["find", "evidence"][..], &["find", "evidence", "--progress", "never"]] {
        assert_eq!(stderr(quiet), "");
    }
    let find = ["find", "evidence"];
    let Some(text) = on_terminal(&desk, &find, 80, &[]) else { return };
    assert!(text.contains("hashing evidence/NTUSER.DAT, "), "{text}");
    let text = on_terminal(&desk, &["find", "evidence", "--progress", "never"], 80, &[]).unwrap();
    assert!(!text.contains("hashing"), "{text}");
}
