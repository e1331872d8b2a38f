//! The documentation is correct: every command in it runs, and its list of options is that of the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command_line::Desk;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn pages() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = fs::read_dir(repository("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    pages.sort();
    pages
}

/// What the guides speak of: a volume in `evidence` that was well once, and a machine that is well.
fn desk() -> Desk {
    let desk = Desk::with(&["windows-7-bits-disabled", "windows-7"]);
    let of = |case: &str| desk.path(&format!("evidence/{case}/Windows"));
    let well = of("windows-7").join("System32/config");
    let evidence = desk.path("volume");
    fs::create_dir_all(&evidence).unwrap();
    fs::rename(of("windows-7-bits-disabled"), evidence.join("Windows")).unwrap();
    let regback = evidence.join("Windows/System32/config/RegBack");
    fs::create_dir_all(&regback).unwrap();
    fs::create_dir_all(desk.path("good")).unwrap();
    for hive in ["SOFTWARE", "SYSTEM"] {
        fs::copy(well.join(hive), regback.join(hive)).unwrap();
        fs::copy(well.join(hive), desk.path("good").join(hive)).unwrap();
        let now = evidence.join("Windows/System32/config").join(hive);
        fs::create_dir_all(desk.path("before")).unwrap();
        fs::copy(now, desk.path("before").join(hive)).unwrap();
    }
    fs::copy(repository("docs/packs/remote-desktop.toml"), desk.path("remote-desktop.toml")).unwrap();
    let machine = |path: &str| format!("{{\"path\": \"{path}\", \"label\": \"{path}\"}}\n");
    fs::write(desk.path("machines.jsonl"), machine("evidence") + &machine("good")).unwrap();
    fs::write(desk.path("case.toml"), "number = \"2026-017\"\n").unwrap();
    fs::remove_dir_all(desk.path("evidence")).unwrap();
    fs::rename(&evidence, desk.path("evidence")).unwrap();
    desk
}

/// The lines of the page's shell blocks that begin with the program's name; a backslash at the end joins two.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for line in page.replace("\\\n", "").lines() {
        match line.trim_start().strip_prefix("```") {
            Some(language) => in_block = language == "sh" && !in_block,
            None if in_block && line.starts_with("hivemend ") => commands.push(line.to_owned()),
            None => {}
        }
    }
    commands
}

#[test]
fn each_command_of_the_documentation_runs() {
    let mut seen = 0;
    for (name, page) in pages() {
        let desk = desk();
        for command in commands(&page) {
            let path = Path::new(env!("CARGO_BIN_EXE_hivemend")).parent().unwrap().to_owned();
            let path = format!("{}:{}", path.display(), std::env::var("PATH").unwrap());
            let output = Command::new("sh")
                .args(["-c", &command])
                .env("PATH", path)
                .current_dir(desk.path(""))
                .output()
                .unwrap();
            let code = output.status.code();
            // Findings and gaps are what the evidence is for.
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(code, Some(0 | 1 | 3)), "{name}: {command}: {code:?}: {said}");
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn the_list_of_options_is_that_of_the_program() {
    let desk = Desk::with(&[]);
    let help = |arguments: &[&str]| String::from_utf8(desk.run(arguments).stdout).unwrap();
    let mut page = "# Options\n\nThis page is what `hivemend COMMAND --help` prints.\n".to_owned();
    let overview = help(&["--help"]);
    let listed = overview.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        page += &["\n## hivemend ", name, "\n\n```text\n", &help(&[name, "--help"]), "```\n"].concat();
        if name == "baseline" {
            for of in ["list", "show", "check", "learn"] {
                let text = help(&[name, of, "--help"]);
                page += &["\n### hivemend baseline ", of, "\n\n```text\n", &text, "```\n"].concat();
            }
        }
    }
    let page = page.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
    let file = repository("docs/options.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap_or_default() == page, "docs/options.md is stale: run with UPDATE_DOCS=1");
}

#[test]
fn every_page_is_in_the_book_and_every_link_leads_somewhere() {
    let summary = fs::read_to_string(repository("docs/SUMMARY.md")).unwrap();
    let mut broken = BTreeSet::new();
    let mut all = pages();
    all.push(("../README.md".to_owned(), fs::read_to_string(repository("README.md")).unwrap()));
    for (name, page) in &all {
        assert!(name == "SUMMARY.md" || name.starts_with("..") || summary.contains(&format!("({name})")), "{name}");
        let links = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#') && !link.contains(' ')) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = repository("docs").join(Path::new(name).parent().unwrap()).join(file);
            let Ok(target) = fs::read_to_string(&path) else {
                broken.insert(format!("{name}: {link}"));
                continue;
            };
            let slug = |heading: &str| -> String {
                let kept = heading.trim_start_matches('#').trim().to_lowercase();
                kept.chars()
                    .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
                    .collect::<String>()
                    .replace(' ', "-")
            };
            if !anchor.is_empty()
                && !target.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == anchor)
            {
                broken.insert(format!("{name}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(all.iter().find(|(name, _)| name == "../README.md").unwrap().1.lines().count() <= 150);
}
