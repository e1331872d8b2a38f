//! The page, whatever the lines hold: inert, complete, and not too large.

use std::fs;
use std::time::Instant;

use hivemend::error::{Code, Gap};
use hivemend::report::InstallationReport;

use super::made::{Shelf, finding, observed};
use super::{inert, read_all, section};

/// The largest page.
const LARGEST: usize = 5_000_000;

const HOSTILE: &str = "\"'></style></title></svg><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u{202e}\u{1b}[2J\u{0}{{ 7*7 }}";

#[test]
fn hostile_names_are_inert() {
    let shelf = Shelf::with(&["windows-7", "windows-7-bits-disabled", "windows-nt4"]);
    let mut machines: Vec<InstallationReport> = Vec::new();
    for number in 0..15 {
        let mut machine = shelf.machine("windows-7", &format!("{HOSTILE}{number}"));
        if number == 3 {
            finding(&mut machine, "name-servers/DhcpNameServer").observed = Some(observed(HOSTILE));
        }
        machines.push(machine);
    }
    let mut bad = shelf.machine("windows-7-bits-disabled", HOSTILE);
    bad.label = Some(HOSTILE.to_owned());
    bad.os.name = HOSTILE.into();
    let start = finding(&mut bad, "service-bits/Start");
    (start.id, start.key, start.value) = (HOSTILE.to_owned(), Some(HOSTILE.to_owned()), Some(HOSTILE.to_owned()));
    (start.observed, start.why) = (Some(observed(HOSTILE)), HOSTILE.to_owned());
    machines.push(bad);
    let mut none = shelf.machine("windows-nt4", &format!("{HOSTILE} none"));
    let told = Gap {
        code: Code::Damaged,
        at: HOSTILE.to_owned(),
        reason: HOSTILE.to_owned(),
        advice: Some(HOSTILE.to_owned()),
    };
    none.gaps.push(told.clone());
    for hive in &mut none.hives {
        hive.sha256 = Some(HOSTILE.to_owned());
    }
    machines.push(none);
    // The same again, and a line that names a stranger.
    let mut lines = shelf.lines_with(&machines, &[told]);
    lines.extend(shelf.lines(&machines));
    let stranger = serde_json::json!({"record": "finding", "installation": {"id": HOSTILE}});
    lines.extend_from_slice(format!("{stranger}\n").as_bytes());
    let name = "<b>&\"' --.jsonl";
    fs::write(shelf.desk.path(name), lines).unwrap();
    let (code, page, said) = shelf.report(&[name]);
    assert_eq!(code, 3, "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    let parsed = inert(&page);
    for told in ["<script>alert(1)</script>", r"\u{202e}", r"\u{1b}", "{{ 7*7 }}", name] {
        assert!(parsed.text.contains(told), "{told}");
    }
    for part in ["map", "wrong", "groups", "odd", "unanswered", "machines"] {
        let part_text = section(&page, part);
        assert!(part_text.contains("&#60;/style&#62;") || part == "map", "{part}: {part_text}");
        assert!(!part_text.contains("<script"), "{part}");
    }
    // No text is escaped twice: a backslash of an escape stays one.
    assert!(!parsed.text.contains(r"\u{5c}"), "escaped twice");
}

/// Five thousand machines: 300 deviate in one of 60 ways, the rest are well.
fn five_thousand(shelf: &Shelf, name: impl Fn(usize) -> String) {
    let kinds = ["windows-7-bits-disabled", "windows-7-names-that-look-alike", "windows-xp-senslogn-missing"];
    for shard in 0..10 {
        let machines: Vec<InstallationReport> = (0..500)
            .map(|number| {
                let number = shard * 500 + number;
                let case = if number % 16 == 0 { kinds[number / 16 % 3] } else { "windows-7" };
                let mut machine = shelf.machine(case, &name(number));
                if case == "windows-7-bits-disabled" {
                    finding(&mut machine, "service-bits/Start").id = format!("service-made-{}/Start", number % 60);
                }
                machine
            })
            .collect();
        shelf.write(&format!("shard-{shard}.jsonl"), &machines);
    }
}

const CASES: [&str; 4] =
    ["windows-7", "windows-7-bits-disabled", "windows-7-names-that-look-alike", "windows-xp-senslogn-missing"];

fn shards() -> Vec<String> {
    (0..10).map(|shard| format!("shard-{shard}.jsonl")).collect()
}

#[test]
fn five_thousand_machines_are_all_on_one_page_of_less_than_5_mb() {
    let shelf = Shelf::with(&CASES);
    five_thousand(&shelf, |number| format!("DEPARTMENT-{:02}-FRONTDESK-{number:05}", number % 40));
    let files = shards();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let begun = Instant::now();
    let (code, page, said) = shelf.report(&files);
    note!("5,000 machines: {} bytes in {:?}", page.len(), begun.elapsed());
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(page.len() < LARGEST, "{} bytes", page.len());
    let parsed = inert(&page);
    assert!(parsed.text.contains("313 of 5,000 machines deviate"), "{}", &parsed.text[..2000]);
    let machines = section(&page, "machines");
    for number in 0..5000 {
        let name = format!("| DEPARTMENT-{:02}-FRONTDESK-{number:05} |", number % 40);
        assert!(machines.contains(&name), "{name}");
    }
    assert!(!page.contains("Not listed here:"), "something was left out");
}

/// What does not fit is counted, and every link leads somewhere.
#[test]
fn a_page_of_long_and_hostile_names_is_not_larger() {
    let shelf = Shelf::with(&CASES);
    five_thousand(&shelf, |number| format!("{number:05}{}", "<&\"'>\u{202e}".repeat(40)));
    let files = shards();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (code, page, _) = shelf.report(&files);
    assert_eq!(code, 0);
    assert!(page.len() < LARGEST, "{} bytes", page.len());
    let parsed = inert(&page);
    let machines = section(&page, "machines");
    let (left_out, rest) = machines.split_once(" more machines. The lines have them.").unwrap();
    let left_out: usize = left_out.rsplit(' ').next().unwrap().replace(',', "").parse().unwrap();
    let listed = parsed.attributes.iter().filter(|(name, value)| {
        name == "id" && value.strip_prefix('m').is_some_and(|number| number.parse::<usize>().is_ok())
    });
    assert_eq!(listed.count() + left_out, 5000, "{rest}");
    // The worst are there.
    assert!(machines.contains("high | complete | 0"), "{machines:.500}");
}

/// Memory grows with the machines, not with the text of their records.
#[test]
fn long_texts_are_not_kept() {
    const TEXT: usize = 200_000;
    let shelf = Shelf::with(&["windows-7-bits-disabled"]);
    let machines: Vec<InstallationReport> = (0..10)
        .map(|number| {
            let mut machine = shelf.machine("windows-7-bits-disabled", &format!("PC-{number}"));
            for finding in &mut machine.judgement.as_mut().unwrap().findings {
                (finding.why, finding.source.title) = ("w".repeat(TEXT), "t".repeat(TEXT));
            }
            machine
        })
        .collect();
    shelf.write("large.jsonl", &machines);
    let size = fs::metadata(shelf.desk.path("large.jsonl")).unwrap().len();
    // Less than half of the file, for everything: the program, its libraries, its stack.
    let limit = size / 1024 / 2;
    let command = format!("ulimit -v {limit} && exec \"$0\" report --fleet large.jsonl");
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", &command, env!("CARGO_BIN_EXE_hivemend")]).current_dir(shelf.desk.path(""));
    let output = limited.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{size} bytes in {limit} KiB: {said}");
    assert_eq!(read_all(&shelf, &["large.jsonl"]).counted().count(), 10);
}

/// Older generations and what `find` lists are no machines that were judged.
#[test]
fn what_is_not_judged_is_no_machine_without_findings() {
    let shelf = Shelf::with(&["windows-7"]);
    let desk = &shelf.desk;
    let config = "evidence/windows-7/Windows/System32/config";
    fs::create_dir(desk.path(&format!("{config}/RegBack"))).unwrap();
    for hive in ["SOFTWARE", "SYSTEM"] {
        fs::copy(desk.path(&format!("{config}/{hive}")), desk.path(&format!("{config}/RegBack/{hive}"))).unwrap();
    }
    desk.run(&["audit", "evidence", "--generations", "all", "--format", "jsonl", "--output", "all.jsonl"]);
    let (code, page, _) = shelf.report(&["all.jsonl"]);
    assert_eq!(code, 0);
    let text = inert(&page).text;
    assert!(text.contains("1 machine\n") && text.contains("1 installation, on no list of this page"), "{text}");
    desk.run(&["find", "evidence", "--format", "jsonl", "--output", "found.jsonl"]);
    let (code, page, _) = shelf.report(&["found.jsonl"]);
    assert_eq!(code, 0);
    let unanswered = section(&page, "unanswered");
    assert!(unanswered.contains("the run listed it and judged nothing: `hivemend audit` judges | 1 |"), "{unanswered}");
    assert!(page.contains("<div class=\"answer gap\">") && !page.contains("<div class=\"answer good\">"));
}
