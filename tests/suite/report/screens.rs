//! The first screen of 80 columns and 24 lines, for every fixture.

use std::collections::BTreeMap;

use hivemend::finding::{Finding, Severity};
use hivemend::remediation::{Selection, remedy};
use hivemend::report::Report;
use hivemend::report::table::{Patching, Situation, Style, render_for};
use unicode_width::UnicodeWidthStr;

use super::samples::{Sample, broken, report, software, system, without_conforming};
use crate::cases::{examined_case, for_each_case};

const SCREEN: Style = Style { width: Some(80), color: false, ascii: false, all: false };

fn page(report: &Report, style: Style, situation: &Situation) -> String {
    let mut text = Vec::new();
    render_for(report, &style, situation, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// As the program would have it for a folder called `case`.
fn situation(report: &Report) -> Situation {
    let patching = |installation: &_| match remedy(installation, &Selection::default()) {
        Ok(plan) => Patching::Possible { edits: plan.edits.len() },
        Err((reason, advice)) => Patching::Refused { reason, advice },
    };
    let patches = report.installations.iter().map(|one| (one.id.clone(), patching(one)));
    Situation { evidence: vec![b"case".to_vec()], patches: patches.collect(), ..Situation::default() }
}

/// Lines without their indents as one text: what is wrapped can be searched for.
fn flowing(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("")
}

#[test]
fn the_worst_finding_is_on_the_first_screen_of_every_fixture() {
    let shown = for_each_case(|name| {
        let report = examined_case(name).examination.report;
        let findings =
            report.installations.iter().filter_map(|one| one.judgement.as_ref()).flat_map(|one| &one.findings);
        let causes = || findings.clone().filter(|finding| finding.is_cause());
        let worst = causes().map(|finding| finding.severity).max()?;
        if worst == Severity::Info {
            return None;
        }
        let first: &Finding = causes().find(|finding| finding.severity == worst)?;
        let text = page(&report, SCREEN, &situation(&report));
        let screen: Vec<&str> = text.lines().take(24).collect();
        let flat = flowing(&screen.join("\n"));
        let at = flat.find(&first.id).unwrap_or_else(|| panic!("{name}: {} is not on the screen:\n{text}", first.id));
        let rest = &flat[at..];
        // Two words of it: the page is 70 columns wide there.
        let why = first.why.split(' ').take(2).collect::<Vec<_>>().join(" ");
        for part in ["expected", "observed", why.as_str()] {
            assert!(rest.contains(part), "{name}: {part} is not on the screen:\n{text}");
        }
        assert!(rest.find("observed") < rest.find(&why), "{name}: the data come first:\n{text}");
        Some(worst)
    });
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    shown.iter().filter_map(|(_, worst)| *worst).for_each(|worst| *counts.entry(worst).or_default() += 1);
    assert!(counts.len() == 4 && counts.values().sum::<usize>() > 80, "{counts:?}");
}

#[test]
fn every_fixture_fits_its_terminal() {
    let _ = for_each_case(|name| {
        let report = examined_case(name).examination.report;
        for (width, all) in [(60, false), (80, false), (80, true), (120, true)] {
            let style = Style { width: Some(width), all, ..SCREEN };
            for line in page(&report, style, &situation(&report)).lines() {
                assert!(line.width() <= usize::from(width), "{name}, {width}: {line}");
            }
        }
    });
}

#[test]
fn many_installations_end_in_a_table_worst_first() {
    let named = |evidence, sample| Sample { evidence, ..Sample::of(sample) };
    let mut installations = vec![named("fleet/one", (software(), system())).examine()];
    installations.push(named("fleet/two/with/a/path/that/is/far/too/long/for/a/line", broken()).examine());
    let mut alone = named("fleet/three", (software(), system()));
    alone.system = None;
    installations.push(alone.examine());
    installations.push(named("fleet/four", (software(), system())).examine());
    let report = report(installations, without_conforming);
    let text = page(&report, SCREEN, &situation(&report));
    let (above, table) = text.split_once("All installations, worst first (fleet/*)\n").unwrap();
    insta::assert_snapshot!(table);
    // Of those without findings and gaps there is nothing above; with details there is.
    assert!(above.contains("fleet/two") && above.contains("fleet/three") && !above.contains("fleet/four"), "{above}");
    let details = page(&report, Style { all: true, ..SCREEN }, &situation(&report));
    let (above, _) = details.split_once("All installations, worst first (fleet/*)\n").unwrap();
    assert!(above.contains("fleet/four"));
    assert!(above.find("fleet/two") < above.find("fleet/three"), "worst first");
}

#[test]
fn what_to_do_next_fits_the_case() {
    let next = |report: &Report, situation: &Situation| {
        let text = page(report, SCREEN, situation);
        text.split_once("\nNext\n").map(|(_, next)| next.split("\n\n").next().unwrap().to_owned())
    };
    let well = report(vec![Sample::of((software(), system())).examine()], without_conforming);
    assert_eq!(next(&well, &Situation::default()), None);
    let wrong = report(vec![Sample::of(broken()).examine()], without_conforming);
    let id = wrong.installations[0].id.clone();
    let of = |patching| Situation {
        evidence: vec![b"it's here/$HOME".to_vec()],
        is_listed: false,
        reading: vec!["--no-replay".to_owned()],
        patches: BTreeMap::from([(id.clone(), patching)]),
    };
    insta::assert_snapshot!(next(&wrong, &of(Patching::Possible { edits: 8 })).unwrap(), @r"
    # 8 edits, and the rollback
    hivemend audit 'it'\''s here/$HOME' --no-replay --patch DIR
    # why it matters, and how to look by hand
    hivemend explain service-bits/ImagePath
    ");
    let refused = Patching::Refused { reason: "case: it is dirty".to_owned(), advice: "Copy the logs".to_owned() };
    insta::assert_snapshot!(next(&wrong, &of(refused)).unwrap(), @"
    No patch: case: it is dirty. Copy the logs.
    # why it matters, and how to look by hand
    hivemend explain service-bits/ImagePath
    ");
    let written = Patching::Written { files: vec![b"out/SYSTEM.reg".to_vec()], import: b"out/IMPORT.txt".to_vec() };
    insta::assert_snapshot!(next(&wrong, &of(written)).unwrap(), @r"
    less out/IMPORT.txt  # how to import the patch
    # what the patch does, in memory
    hivemend verify out/SYSTEM.reg 'it'\''s here/$HOME' --no-replay
    # why it matters, and how to look by hand
    hivemend explain service-bits/ImagePath
    ");
}
