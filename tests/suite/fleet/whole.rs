//! Lines that are not whole, that are no lines, or that are there twice.

use std::fs;

use hivemend::fleet::Likeness;

use super::made::{Shelf, finding};
use super::{inert, read_all, section};

fn two_shards() -> Shelf {
    let shelf = Shelf::with(&["windows-7", "windows-7-bits-disabled"]);
    let machines: Vec<_> = (0..20).map(|number| shelf.machine("windows-7", &format!("A-{number:02}"))).collect();
    shelf.write("a.jsonl", &machines);
    let mut machines: Vec<_> = (0..3).map(|number| shelf.machine("windows-7", &format!("B-{number}"))).collect();
    machines.push(shelf.machine("windows-7-bits-disabled", "B-LAST"));
    shelf.write("b.jsonl", &machines);
    shelf
}

/// Cuts a file before the first line with these words.
fn cut_before(shelf: &Shelf, file: &str, words: &str) -> usize {
    let text = fs::read_to_string(shelf.desk.path(file)).unwrap();
    let lines: Vec<&str> = text.lines().take_while(|line| !line.contains(words)).collect();
    assert!(lines.len() < text.lines().count(), "{words}");
    fs::write(shelf.desk.path(file), lines.join("\n") + "\n").unwrap();
    lines.len()
}

#[test]
fn a_file_without_its_last_record_is_truncated() {
    let shelf = two_shards();
    let lines = cut_before(&shelf, "b.jsonl", "\"record\":\"summary\"");
    let (code, page, said) = shelf.report(&["a.jsonl", "b.jsonl"]);
    assert_eq!(code, 3);
    let told = format!(
        "b.jsonl, line 1: truncated: the run that begins here has no summary; 4 machines read until line {lines}"
    );
    assert_eq!(said, format!("hivemend: {told}\n"));
    let text = inert(&page).text;
    assert!(text.contains(&told) && text.contains("The lines are not whole."), "{text}");
    assert!(section(&page, "files").contains("\nb.jsonl | truncated |"), "{}", section(&page, "files"));
    // All machines that were read are there.
    assert!(text.contains("24 machines"));
    assert!(section(&page, "machines").contains("high | complete | B-LAST |"));
}

/// The record of a machine counts its deviations. A deviation whose line was cut off is missing, not absent.
#[test]
fn a_machine_whose_findings_are_cut_off_is_incomplete() {
    let shelf = two_shards();
    cut_before(&shelf, "b.jsonl", "\"id\":\"service-bits/Start\"");
    let (code, page, _) = shelf.report(&["a.jsonl", "b.jsonl"]);
    assert_eq!(code, 3);
    let machines = section(&page, "machines");
    assert!(machines.contains("– | incomplete | B-LAST | Windows 7 | 0 |"), "{machines}");
    assert!(
        section(&page, "unanswered").contains(
            "1 finding not in the lines: the file is truncated or damaged run the shard again | 1 | B-LAST |"
        )
    );
}

#[test]
fn a_file_with_nothing_in_it_is_truncated() {
    let shelf = two_shards();
    fs::write(shelf.desk.path("killed.jsonl"), "").unwrap();
    let (code, page, said) = shelf.report(&["a.jsonl", "killed.jsonl"]);
    assert_eq!((code, said.as_str()), (3, "hivemend: killed.jsonl: truncated: the file has no record at all\n"));
    inert(&page);
}

#[test]
fn lines_that_cannot_be_read_are_told_with_file_and_line_and_the_rest_counts() {
    let shelf = two_shards();
    let text = fs::read_to_string(shelf.desk.path("b.jsonl")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let of_last =
        lines.iter().position(|line| line.contains("\"installation\"") && line.contains("\"id\":\"b-last\"")).unwrap();
    "<script>alert(1)</script>".clone_into(&mut lines[2]);
    lines[3].truncate(60);
    lines.insert(5, String::new());
    lines.insert(6, "{\"record\":\"licence\",\"text\":\"of a later version\"}".to_owned());
    // The record of the last machine: its findings belong to nobody then.
    lines.remove(of_last + 2);
    fs::write(shelf.desk.path("b.jsonl"), "\u{feff}".to_owned() + &lines.join("\r\n")).unwrap();
    let (code, page, said) = shelf.report(&["b.jsonl"]);
    assert_eq!(code, 3);
    for told in [
        "b.jsonl, line 3: not a record: expected a line of JSON that begins with {",
        "b.jsonl, line 4: the line ends in the middle of a record",
        "findings of b-last, which has no record before them in this run",
        "the summary counts 4 installations, but the run has 3 before it",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let text = inert(&page).text;
    assert_eq!(text.matches("findings of b-last, which").count(), 2, "once in the head, and once among the files");
    assert!(
        text.contains("1 record of a kind that this program does not know") && text.contains("3 machines"),
        "{text}"
    );
    assert!(!said.contains("line 6:") && !said.contains("line 7:"), "{said}");
}

#[test]
fn what_is_no_lines_is_refused() {
    let shelf = two_shards();
    let desk = &shelf.desk;
    desk.run(&["audit", "evidence", "--format", "json", "--output", "report.json"]);
    fs::write(desk.path("notes.txt"), "no lines\nat all\n").unwrap();
    for (file, why) in [
        ("report.json", "report.json: no line of it is a record of a report"),
        ("notes.txt", "notes.txt: no line of it is a record of a report: not a record"),
        ("nowhere.jsonl", "nowhere.jsonl: cannot be read"),
        ("evidence/windows-7/Windows/System32/config/SYSTEM", "no line of it is a record of a report"),
    ] {
        let said = desk.complaint(2, &["report", "--fleet", "a.jsonl", file]);
        assert!(said.contains(why) && said.contains("--format jsonl"), "{said}");
    }
}

#[test]
fn options_that_have_no_place_on_the_page_are_refused() {
    let shelf = two_shards();
    let desk = &shelf.desk;
    for format in ["csv", "table", "json"] {
        let said = desk.complaint(2, &["report", "--fleet", "a.jsonl", "--format", format]);
        assert!(said.contains("--fleet writes an HTML page only"), "{said}");
    }
    assert_eq!(desk.code(&["report", "--fleet", "a.jsonl", "--format", "html"]), 0);
    for option in ["--all", "--plan=x", "--history=x", "--custody=x"] {
        let said = desk.complaint(2, &["report", "--fleet", "a.jsonl", option]);
        assert!(said.contains("cannot be used with"), "{said}");
    }
    let said = desk.complaint(2, &["report", "--fleet", "a.jsonl", "--output", "a.jsonl", "--overwrite"]);
    assert!(said.contains("a.jsonl"), "{said}");
}

#[test]
fn stdin_is_a_file_too_and_the_facts_of_the_case_are_shown() {
    let shelf = two_shards();
    let lines = fs::File::open(shelf.desk.path("a.jsonl")).unwrap();
    let arguments = ["report", "--fleet", "-", "--case-number", "2026-017", "--output", "page.html"];
    let output = shelf.desk.command(&arguments).stdin(lines).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let page = fs::read_to_string(shelf.desk.path("page.html")).unwrap();
    assert!(inert(&page).text.contains("2026-017") && section(&page, "files").contains("\nstdin | whole |"));
    assert_eq!(page, {
        let (_, again, _) = shelf.report(&["a.jsonl", "--case-number", "2026-017"]);
        again.replace("a.jsonl", "stdin")
    });
}

#[test]
fn a_machine_in_two_shards_counts_once_and_is_told() {
    let shelf = two_shards();
    let mut machines = vec![shelf.machine("windows-7-bits-disabled", "B-LAST"), shelf.machine("windows-7", "A-03")];
    // A run with other results: BITS was not assessed.
    let judgement = machines[1].judgement.as_mut().unwrap();
    judgement.counts.assessed = 0;
    shelf.write("again.jsonl", &machines);
    let (code, page, said) = shelf.report(&["a.jsonl", "b.jsonl", "again.jsonl"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "hivemend: machines that are in the lines more than once, and count once: 2\n")
    );
    let text = inert(&page).text;
    assert!(
        text.contains("24 machines") && text.contains("2 records of machines that are in the lines already."),
        "{text}"
    );
    assert!(text.contains("1 record says something else than the one that counts."), "{text}");
    let files = section(&page, "files");
    assert!(files.contains("B-LAST: counted by b.jsonl, line"), "{files}");
    assert!(files.contains("A-03: counted by a.jsonl, line") && files.contains("which says something else"), "{files}");
    assert!(section(&page, "wrong").contains("| 1 4 % |"), "{}", section(&page, "wrong"));
    // Twice the same file is the same machines.
    let (_, twice, _) = shelf.report(&["a.jsonl", "a.jsonl"]);
    assert!(inert(&twice).text.contains("20 records of machines that are in the lines already."));
    assert_eq!(section(&twice, "machines"), section(&shelf.report(&["a.jsonl"]).1, "machines"));
}

/// A shard that died and the one that was run again in its place.
#[test]
fn of_a_truncated_run_and_its_repetition_the_repetition_counts() {
    let shelf = two_shards();
    fs::copy(shelf.desk.path("b.jsonl"), shelf.desk.path("retried.jsonl")).unwrap();
    cut_before(&shelf, "b.jsonl", "\"id\":\"service-bits/Start\"");
    let (code, page, _) = shelf.report(&["b.jsonl", "retried.jsonl"]);
    assert_eq!(code, 3);
    assert!(section(&page, "machines").contains("high | complete | B-LAST |"), "{}", section(&page, "machines"));
    assert!(inert(&page).text.contains("4 machines"));
}

#[test]
fn other_hives_below_one_name_are_two_machines_and_told() {
    let shelf = two_shards();
    let mut other = shelf.machine("windows-7-bits-disabled", "A-03");
    finding(&mut other, "service-bits/Start").severity = hivemend::finding::Severity::Critical;
    shelf.write("other.jsonl", &[other]);
    let fleet = read_all(&shelf, &["a.jsonl", "other.jsonl"]);
    assert_eq!((fleet.counted().count(), fleet.doubles.len()), (21, 0));
    assert_eq!(fleet.lookalikes.iter().map(|one| one.likeness).collect::<Vec<_>>(), [Likeness::Name]);
    let (code, page, _) = shelf.report(&["a.jsonl", "other.jsonl"]);
    assert_eq!(code, 0);
    assert!(inert(&page).text.contains("2 machines may not all be different machines"));
    assert!(section(&page, "files").contains("have the same label and path, but other hives"));
}
