//! `report --fleet`: the answers of many machines on one page, from lines.

use std::fs;

use hivemend::error::{Code, Gap};
use hivemend::finding::Severity;
use hivemend::fleet::{Completeness, Fleet, Usual, read};

use crate::command_line::Desk;
use crate::html::{Page, inert};

pub(crate) mod made;
mod page;
mod whole;

use made::{Shelf, finding, observed, time};

/// The text between two marks.
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let start = page.find(from).unwrap_or_else(|| panic!("no {from}"));
    let rest = &page[start..];
    &rest[..rest.find(to).unwrap_or_else(|| panic!("no {to} after {from}"))]
}

/// A section of the page without its elements.
fn section(page: &str, id: &str) -> String {
    let html = between(page, &format!("<section id=\"{id}\""), "</section>");
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = after.split_once('>').unwrap();
        if tag.starts_with("/td") || tag.starts_with("/th") {
            text.push_str(" | ");
        } else if tag.starts_with("/tr") {
            text.push('\n');
        } else if tag != "/a" && !tag.starts_with("a ") {
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

/// Machines with oddities that are planted: three shards.
fn planted() -> Shelf {
    let shelf = Shelf::with(&[
        "windows-7",
        "windows-7-bits-disabled",
        "windows-xp-senslogn-missing",
        "windows-7-software-only",
        "windows-nt4",
    ]);
    let mut machines = Vec::new();
    for number in 0..200 {
        machines.push(shelf.machine("windows-7", &format!("WELL-{number:03}")));
    }
    for number in 0..12 {
        let mut machine = shelf.machine("windows-7-bits-disabled", &format!("BITS-{number:02}"));
        // The first and the last time are neither those of the first nor of the last machine.
        let day = [14, 12, 30, 21, 11, 13, 15, 16, 17, 18, 19, 20][number];
        finding(&mut machine, "service-bits/Start").key_last_written = Some(time(&format!("2012-03-{day}T09:08:07Z")));
        machines.push(machine);
    }
    for number in 0..3 {
        let mut machine = shelf.machine("windows-xp-senslogn-missing", &format!("XP-{number}"));
        machine.label = Some(format!("Exhibit {number}"));
        machines.push(machine);
    }
    // A name server that nobody judges, and that one machine has.
    let mut odd = shelf.machine("windows-7", "ODD-DNS");
    finding(&mut odd, "name-servers/DhcpNameServer").observed = Some(observed("203.0.113.66"));
    machines.push(odd);
    machines.push(shelf.machine("windows-7-software-only", "HALF"));
    machines.push(shelf.machine("windows-nt4", "OLD"));
    let refused = Gap::new(Code::NothingFound, "case/empty", "no hive in it");
    let (first, rest) = machines.split_at(90);
    let (second, third) = rest.split_at(70);
    shelf.write("shard-1.jsonl", first);
    shelf.write("shard-2.jsonl", second);
    fs::write(shelf.desk.path("shard-3.jsonl"), shelf.lines_with(third, &[refused])).unwrap();
    shelf
}

const SHARDS: [&str; 3] = ["shard-1.jsonl", "shard-2.jsonl", "shard-3.jsonl"];

fn read_all(shelf: &Shelf, files: &[&str]) -> Fleet {
    read(&files.iter().map(|file| shelf.desk.path(file)).collect::<Vec<_>>()).unwrap()
}

#[test]
fn planted_oddities_are_found_and_counted() {
    let shelf = planted();
    let fleet = read_all(&shelf, &SHARDS);
    assert_eq!((fleet.counted().count(), fleet.is_whole()), (218, true));
    assert!(fleet.doubles.is_empty() && fleet.lookalikes.is_empty());

    let wrong = fleet.wrong();
    let bits = wrong.iter().find(|one| fleet.id(one.expectation) == "service-bits/Start").unwrap();
    assert_eq!((bits.severity, bits.machines.len(), bits.undated), (Severity::High, 12, 0));
    let (first, last) = (bits.first.unwrap(), bits.last.unwrap());
    assert_eq!(
        (first.time.to_string().as_str(), fleet.name(first.machine)),
        ("2012-03-11T09:08:07.0000000Z", "BITS-04")
    );
    assert_eq!((last.time.to_string().as_str(), fleet.name(last.machine)), ("2012-03-30T09:08:07.0000000Z", "BITS-02"));
    assert_eq!(bits.data.iter().map(|(datum, on)| (fleet.datum(*datum), *on)).collect::<Vec<_>>(), [("4", 12)]);

    let groups = fleet.groups();
    let sizes: Vec<usize> = groups.iter().map(|group| group.machines.len()).collect();
    assert_eq!(sizes, [12, 3], "{groups:?}");

    let odd = fleet.odd();
    let dns = odd.iter().find(|one| fleet.id(one.expectation) == "name-servers/DhcpNameServer").unwrap();
    assert_eq!((fleet.datum(dns.datum), dns.severity), ("203.0.113.66", None));
    assert_eq!(dns.machines.iter().map(|number| fleet.name(*number)).collect::<Vec<_>>(), ["ODD-DNS"]);
    let Usual::Datum(usual) = dns.usual else { panic!("{dns:?}") };
    assert_eq!((fleet.datum(usual), dns.usual_on, dns.of), ("192.0.2.1", 212, 213));
    // Every machine has a name of its own: nothing is usual, and nothing odd.
    assert!(odd.iter().all(|one| fleet.id(one.expectation) != "name-servers/Hostname"), "{odd:?}");
    // 12 of 213 are more than 2 %.
    assert!(odd.iter().all(|one| fleet.id(one.expectation) != "service-bits/Start"), "{odd:?}");

    let names = |completeness| -> Vec<(String, Vec<String>)> {
        let reasons = fleet.reasons(completeness).into_iter();
        reasons
            .map(|one| (one.reason, one.machines.iter().map(|number| fleet.name(*number).to_owned()).collect()))
            .collect()
    };
    assert_eq!(
        names(Completeness::NoAnswer),
        [("no baseline for this Windows: Windows NT 4.0".to_owned(), vec!["OLD".to_owned()])]
    );
    assert_eq!(names(Completeness::Incomplete), [("SYSTEM is missing".to_owned(), vec!["HALF".to_owned()])]);
    assert_eq!(fleet.apart.iter().map(|gap| gap.at.as_str()).collect::<Vec<_>>(), ["case/empty"]);
}

#[test]
fn the_page_tells_what_was_planted() {
    let shelf = planted();
    let (code, page, said) = shelf.report(&SHARDS);
    assert_eq!((code, said.as_str()), (0, ""));
    let Page { text, attributes, .. } = inert(&page);
    for id in ["answer", "map", "wrong", "groups", "odd", "unanswered", "machines", "files", "method"] {
        assert!(attributes.contains(&("id".to_owned(), id.to_owned())), "{id}");
    }
    for told in [
        "218 machines",
        "by the lines of 3 runs in 3 files",
        "15 of 218 machines deviate from what their Windows should have.",
        "Judged: 216 completely, 1 incompletely, 1 not at all.",
        "Heat map: 15 machines in 2 rows by",
    ] {
        assert!(text.contains(told), "{told}");
    }
    let wrong = section(&page, "wrong");
    let bits = wrong.lines().find(|line| line.contains("service-bits/Start")).unwrap();
    assert_eq!(
        bits,
        "high | service-bits/Start SYSTEM\\ControlSet001\\Services\\BITS\\Start Observed: 4 on 12 machines | 12 5 % | \
         Windows 7: 12 | first: 2012-03-11 09:08 UTC, BITS-04 last: 2012-03-30 09:08 UTC, BITS-02 |"
    );
    let groups = section(&page, "groups");
    assert!(groups.contains("1 | 12 | high service-bits/Start | BITS-00, BITS-01, BITS-02, BITS-03, BITS-04, BITS-05, BITS-06, BITS-07, and 4 more |"), "{groups}");
    assert!(groups.contains("Exhibit 0, Exhibit 1, Exhibit 2 |"), "{groups}");
    let odd = section(&page, "odd");
    assert!(
        odd.contains("Windows 7 | name-servers/DhcpNameServer 203.0.113.66 | 1 of 213 | 192.0.2.1 on 212 | ODD-DNS |"),
        "{odd}"
    );
    let unanswered = section(&page, "unanswered");
    assert!(
        unanswered.contains("no baseline for this Windows: Windows NT 4.0") && unanswered.contains("| 1 | OLD |"),
        "{unanswered}"
    );
    assert!(unanswered.contains("SYSTEM is missing") && unanswered.contains("| 1 | HALF |"), "{unanswered}");
    assert!(unanswered.contains("case/empty no hive in it"), "{unanswered}");
    let machines = section(&page, "machines");
    assert!(machines.contains("All paths: case/*/Windows ."), "{machines}");
    assert!(machines.contains("\nhigh | complete | BITS-00 | Windows 7 | 1 | 1 | BITS-00 |"), "{machines}");
    // What was not determined is no 0.
    assert!(machines.contains("\n– | no answer | OLD | Windows NT 4.0 | – | – | OLD |"), "{machines}");
    assert!(machines.contains("\nnone | complete | WELL-000 | Windows 7 | 0 | – | WELL-000 |"), "{machines}");
    assert_eq!(machines.lines().filter(|line| line.ends_with('|') && line.contains("complete | ")).count(), 217);
    let files = section(&page, "files");
    for file in SHARDS {
        let sum = hivemend::evidence::sha256_of(&fs::read(shelf.desk.path(file)).unwrap());
        assert!(
            files.lines().any(|line| line.starts_with(&format!("{file} | whole | 1 |")) && line.contains(&sum)),
            "{files}"
        );
    }
    // The same lines, in whatever way they are cut into files, are the same machines.
    let all: Vec<u8> = SHARDS.iter().flat_map(|file| fs::read(shelf.desk.path(file)).unwrap()).collect();
    fs::write(shelf.desk.path("all.jsonl"), all).unwrap();
    let (code, joined, _) = shelf.report(&["all.jsonl"]);
    assert_eq!((code, section(&joined, "machines")), (0, section(&page, "machines")));
    assert_eq!(section(&joined, "odd"), odd);
}

/// The drawing has a mark for each cell, and the title of each says what it is.
#[test]
fn the_heat_map_draws_what_the_groups_say() {
    let shelf = planted();
    let (_, page, _) = shelf.report(&SHARDS);
    let map = between(&page, "<section id=\"map\"", "</section>");
    assert_eq!(map.matches("<title>service-bits/Start: high</title>").count(), 1);
    let fleet = read_all(&shelf, &SHARDS);
    let cells: usize = fleet.groups().iter().map(|group| group.cells.len()).sum();
    assert_eq!(map.matches("class=\"cell ").count(), cells);
    assert!(map.contains(">12</text>") && map.contains(">BITS-00, …</text>"), "{map}");
    assert!(map.contains("203 machines without deviations, or without an answer, have no row."), "{map}");
}

/// Who gave a list of machines looks for their labels.
#[test]
fn evidence_in_which_no_machine_was_found_is_called_by_its_label() {
    let desk = Desk::with(&["windows-7"]);
    let line = |path: &str, label: &str| serde_json::json!({"path": path, "label": label}).to_string();
    let list = [line("evidence/windows-7", "PC-1"), line("gone", "PC-2")].join("\n");
    fs::write(desk.path("list"), list).unwrap();
    let lines = desk.run(&["audit", "--files-from", "list", "--format", "jsonl"]);
    assert_eq!(lines.status.code(), Some(3));
    fs::write(desk.path("lines.jsonl"), lines.stdout).unwrap();
    let fleet = read(&[desk.path("lines.jsonl")]).unwrap();
    assert_eq!(fleet.apart.iter().map(|gap| gap.at.as_str()).collect::<Vec<_>>(), ["PC-2: gone"]);
}
