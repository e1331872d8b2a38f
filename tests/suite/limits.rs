//! `--max-seconds`: a run ends soon after its time, and states everything that it did not examine.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::archives::zip_of;
use crate::command_line::Desk;
use crate::fixture;

/// The most time that any of these runs may take. Without the limit each takes a debug build minutes.
const SOON: Duration = Duration::from_secs(30);

/// The bytes of a SOFTWARE and of a SYSTEM.
fn pair() -> [Vec<u8>; 2] {
    let case = fixture::compile("windows-7-bits-disabled").unwrap();
    ["SOFTWARE", "SYSTEM"].map(|role| case.hives.iter().find(|(of, _)| *of == role).unwrap().1.to_bytes())
}

/// Audits evidence for a second. Returns the report and the reasons of the gaps with the code `limit`.
fn audited(desk: &Desk, evidence: &str, seconds: &str) -> (Value, Vec<String>) {
    let begun = Instant::now();
    let output = desk.run(&["audit", evidence, "--max-seconds", seconds, "--format", "json"]);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = if report["installations"].as_array().unwrap().is_empty() { 2 } else { 3 };
    assert_eq!(output.status.code(), Some(expected), "{}", String::from_utf8_lossy(&output.stderr));
    let gaps = report["summary"]["gaps"].as_array().unwrap();
    let limits: Vec<String> = gaps
        .iter()
        .filter(|gap| gap["code"] == "limit")
        .map(|gap| gap["reason"].as_str().unwrap().to_owned())
        .collect();
    assert!(!limits.is_empty(), "{gaps:?}");
    let told = report["problems"].to_string();
    assert!(told.contains("--max-seconds"), "{told}");
    (report, limits)
}

/// Writes so many pairs into a folder, by name.
fn write(desk: &Desk, count: usize) {
    let [software, system] = pair();
    fs::create_dir(desk.path("copies")).unwrap();
    for number in 0..count {
        fs::write(desk.path(&format!("copies/host{number:04}-SOFTWARE")), &software).unwrap();
        fs::write(desk.path(&format!("copies/host{number:04}-SYSTEM")), &system).unwrap();
    }
}

#[test]
fn installations_after_the_end_are_counted_and_never_dropped_silently() {
    const PAIRS: usize = 1200;
    let desk = Desk::with(&[]);
    write(&desk, PAIRS);
    let (report, limits) = audited(&desk, "copies", "1");
    let examined = report["installations"].as_array().unwrap().len();
    // On a slow machine the search itself may take so long.
    if limits.iter().any(|reason| reason.contains("more, which were not read")) {
        return assert_eq!(examined, 0);
    }
    let count = |told: &str| {
        let number = |reason: &String| reason.split_once(told)?.0.rsplit(' ').next()?.parse::<usize>().ok();
        limits.iter().find_map(number).unwrap_or_default()
    };
    let (late, unread) = (count(" more, which were not examined"), count(" more files, not read"));
    // A slow machine does not even read all files in that time. Of each file that was read, an installation is counted.
    let read = 2 * PAIRS - unread;
    assert!((read.div_ceil(2)..=read.min(PAIRS)).contains(&(examined + late)), "{examined}, {limits:?}");
    // Each of those before it was examined as without a limit.
    for installation in report["installations"].as_array().unwrap() {
        assert_eq!(installation["os"]["id"], "windows-7");
    }
}

#[test]
fn without_time_nothing_is_searched_and_the_folder_says_so() {
    let desk = Desk::with(&["windows-7", "windows-xp"]);
    let (report, limits) = audited(&desk, "evidence", "0");
    assert_eq!((report["installations"].as_array().unwrap().len(), limits.len()), (0, 1), "{limits:?}");
    assert_eq!(report["summary"]["complete"], false);
}

#[test]
fn time_enough_changes_nothing() {
    let desk = Desk::with(&["windows-7", "windows-xp"]);
    let report = |more: &[&str]| desk.run(&[&["audit", "evidence", "--format", "json"], more].concat()).stdout;
    assert_eq!(report(&["--max-seconds", "600"]), report(&[]));
}

#[test]
fn a_zip_of_many_pairs_is_stopped_in_its_worker() {
    let desk = Desk::with(&[]);
    let [software, system] = pair();
    let names: Vec<[String; 2]> =
        (0..1200).map(|number| ["SOFTWARE", "SYSTEM"].map(|role| format!("host{number:04}/{role}"))).collect();
    let members: Vec<(&str, &[u8])> = names
        .iter()
        .flat_map(|[first, second]| [(first.as_str(), software.as_slice()), (second.as_str(), system.as_slice())])
        .collect();
    zip_of(&desk.path("case.zip"), &members);
    audited(&desk, "case.zip", "1");
}

#[test]
fn many_zips_are_opened_until_the_time_is_over() {
    let desk = Desk::with(&[]);
    let [software, system] = pair();
    fs::create_dir(desk.path("zips")).unwrap();
    zip_of(&desk.path("zips/0000.zip"), &[("SOFTWARE", &software), ("SYSTEM", &system)]);
    for number in 1..400 {
        fs::copy(desk.path("zips/0000.zip"), desk.path(&format!("zips/{number:04}.zip"))).unwrap();
    }
    let (report, _) = audited(&desk, "zips", "1");
    assert!(report["installations"].as_array().unwrap().len() < 400);
}
