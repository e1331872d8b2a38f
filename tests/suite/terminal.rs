//! The program on a terminal: colours as others agreed on them, characters as the locale has them, and lines that fit.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::command_line::Desk;

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
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    let Ok(output) = command.envs(variables.iter().copied()).output() else {
        eprintln!("skipped: script (util-linux) is not installed");
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
