//! The table that people see, at every width.

use hivemend::discovery::Generation;
use hivemend::error::{Code, Gap, Problem};
use hivemend::finding::View;
use hivemend::report::Report;
use hivemend::report::table::{Style, render};

use super::samples::{Sample, broken, dirty, hostile, located, report, software, system, without_conforming};

fn table(report: &Report, style: Style) -> String {
    let mut text = Vec::new();
    render(report, &style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn wide(width: u16) -> Style {
    Style { width: Some(width), ..Style::default() }
}

fn broken_report() -> Report {
    report(vec![Sample::of(broken()).examine()], without_conforming)
}

fn hostile_report() -> Report {
    report(vec![Sample::of(hostile()).examine()], without_conforming)
}

/// Two installations, one of them with a single hive, dirty; one that is only listed.
fn incomplete_report() -> Report {
    let mut alone = Sample { evidence: "case/copied", generation: Generation::Copy, ..Sample::of(broken()) };
    alone.software = None;
    let mut alone = alone.examine();
    dirty(&mut alone);
    let backup = Sample {
        evidence: "mnt/WINDOWS/repair",
        generation: Generation::Repair,
        judge: false,
        ..Sample::of((software(), system()))
    };
    let mut report = report(vec![alone, backup.examine()], without_conforming);
    let advice = "mount it with the option that reads such files, or copy the hive";
    report.problems.push(
        Problem::of("mnt/WINDOWS/system32/config/software", "a file that can be read", "Permission denied")
            .advise(advice),
    );
    let unreadable = Gap::new(Code::Unreadable, "mnt/WINDOWS/system32/config/software", "Permission denied")
        .advise(Some(advice.to_owned()));
    let gaps = report.summary.gaps.iter().cloned().chain([unreadable]).collect();
    report.summary.close(gaps);
    report
}

fn found_report() -> Report {
    let live = Sample { judge: false, ..Sample::of((software(), system())) };
    let copied =
        Sample { evidence: "case/copied", generation: Generation::Copy, judge: false, ..Sample::of(hostile()) };
    let mut copied = copied.examine();
    dirty(&mut copied);
    let mut report = report(vec![copied, live.examine()], without_conforming);
    report.summary.complete = true;
    report
}

#[test]
fn a_verdict_that_hangs_on_the_logs_says_so_and_where_it_lies() {
    let mut report = broken_report();
    let findings = &mut report.installations[0].judgement.as_mut().unwrap().findings;
    findings.retain(|finding| finding.id.ends_with("/Shutdown"));
    findings[0].view = View::BothDiffer;
    findings[0].other_view = Some(serde_json::json!({"verdict": "conforms", "observed": null, "location": null}));
    findings[0].location = Some(located());
    findings[0].advice = Some("Start Windows once, or look at the logs.".to_owned());
    let text = table(&report, Style { all: true, ..wide(100) });
    let (_, finding) = text.split_once("2012-08-03T12:11:12.0000000Z\n").unwrap();
    let (finding, _) = finding.split_once("\n\n").unwrap();
    insta::assert_snapshot!(finding, @r"
    medium    deviates    winlogon-notify-senslogn/Shutdown  SensShutdownEvent  SensStopEvent
                                                                                with the logs replayed;
                                                                                as the file lies:
                                                                                conforms
                                                                                at nk 0x1024, vk 0x2044,
                                                                                data 0x3004 (3 segments)
                                                                                past the end of the
                                                                                file: logs made the hive
                                                                                longer
                                                                                nk, vk from
                                                                                software.LOG1, entry 4
                                                                                data from \u{202e}.LOG,
                                                                                dirty vector (7)
              why         Winlogon reports logons to SENS through this package; without it Automatic
                          Updates cannot impersonate the user (0x800704DD).
              advice      Start Windows once, or look at the logs.
              source      KB968001, section B step 2; observed on an XP SP3 machine; confirmed;
                          https://support.microsoft.com/kb/968001
              ATT&CK      T1547.004
    ");
}

fn every_report() -> [Report; 4] {
    [broken_report(), hostile_report(), incomplete_report(), found_report()]
}

#[test]
fn details_stand_side_by_side_in_a_wide_terminal() {
    insta::assert_snapshot!(table(&broken_report(), Style { all: true, ..wide(120) }));
}

#[test]
fn details_stand_one_above_the_other_in_a_narrow_one() {
    insta::assert_snapshot!(table(&broken_report(), Style { all: true, ..wide(80) }));
}

#[test]
fn the_answer_and_the_worst_come_first() {
    insta::assert_snapshot!(table(&broken_report(), wide(80)));
}

#[test]
fn what_attacks_the_reader_is_shown() {
    insta::assert_snapshot!(table(&hostile_report(), Style { all: true, ..wide(120) }));
}

#[test]
fn what_is_missing_is_said() {
    insta::assert_snapshot!(table(&incomplete_report(), wide(120)));
}

#[test]
fn what_was_found_is_listed() {
    insta::assert_snapshot!(table(&found_report(), wide(80)));
}

#[test]
fn no_terminal_is_120_wide() {
    let report = broken_report();
    assert_eq!(table(&report, Style::default()), table(&report, wide(120)));
}

#[test]
fn a_clean_installation_ends_well_and_lists_what_conforms_when_asked() {
    let report = report(vec![Sample::of((software(), system())).examine()], |_| true);
    let plain = table(&report, wide(120));
    assert!(!plain.contains("As it should be"));
    assert_eq!(
        plain.lines().last(),
        Some("No deviation among 11 assessed expectations (9 confirmed, 2 inferred) in 1 installation; complete.")
    );
    let all = table(&report, Style { all: true, ..wide(80) });
    let (_, conforming) = all.split_once("As it should be\n\n").unwrap();
    insta::assert_snapshot!(conforming, @r"
    winlogon-notify-senslogn/DLLName   WlNotify.dll
    winlogon-notify-senslogn/Logon     SensLogonEvent
    winlogon-notify-senslogn/Logoff    SensLogoffEvent
    winlogon-notify-senslogn/Shutdown  SensShutdownEvent
    winlogon-notify-senslogn/MaxWait   600 (0x258)
    service-bits/Start                 3
    service-bits/ErrorControl          1
    service-bits/ImagePath             %SystemRoot%\system32\svchost.exe -k netsvcs
    service-bits/DependOnService       RpcSs
    service-sens/Start                 2
    service-sens/Description           Tracks system events.

    No deviation among 11 assessed expectations (9 confirmed, 2 inferred) in 1
    installation; complete.
    ");
}

#[test]
fn a_windows_without_a_baseline_makes_the_report_incomplete() {
    let sample = Sample { baseline: None, ..Sample::of((software(), system())) };
    let text = table(&report(vec![sample.examine()], |_| true), wide(120));
    insta::assert_snapshot!(
        text.lines().last().unwrap(),
        @"INCOMPLETE: nothing assessed in 1 installation, for there is no baseline for this Windows."
    );
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    // Every character of these reports is one column wide, or two.
    let columns = |line: &str| line.chars().map(|letter| if letter >= '\u{2e80}' { 2 } else { 1 }).sum::<usize>();
    for report in every_report() {
        for width in [40, 60, 80, 99, 100, 120, 200] {
            for line in table(&report, Style { all: true, ..wide(width) }).lines() {
                assert!(columns(line) <= usize::from(width), "{width}: {line}");
                assert!(!line.ends_with(' '), "{width}: {line:?}");
            }
        }
    }
}

#[test]
fn nothing_from_evidence_reaches_the_terminal_as_it_is() {
    for report in every_report() {
        let text = table(&report, Style { all: true, ..wide(80) });
        let unseen = |letter: &char| letter.is_control() && *letter != '\n';
        assert_eq!(text.chars().find(unseen), None);
        assert_eq!(text.find(['\u{202e}', '\u{200b}']), None);
    }
}

#[test]
fn colours_change_nothing_but_the_colour() {
    for report in every_report() {
        let style = wide(120);
        let text = table(&report, Style { color: true, ..style });
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), table(&report, style));
    }
    let text = table(&broken_report(), Style { color: true, ..wide(120) });
    assert!(text.contains("mCRITICAL\x1b[0m  service-bits/ImagePath"), "{text}");
    assert!(text.contains("mMEDIUM\x1b[0m    winlogon-notify-senslogn/Logon"), "{text}");
}

#[test]
fn ascii_alone_where_the_terminal_shows_nothing_else() {
    for report in every_report() {
        for (width, all) in [(80, false), (120, true)] {
            let text = table(&report, Style { ascii: true, all, ..wide(width) });
            assert!(text.is_ascii(), "{text}");
            assert!(text.lines().all(|line| line.len() <= usize::from(width)), "{text}");
        }
    }
}

#[test]
fn a_closed_pipe_is_told() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = render(&broken_report(), &wide(80), &mut Closed).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}
