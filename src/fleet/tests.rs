//! The counting, over machines that are made here. `tests/suite/fleet` counts in lines that the program wrote.

use std::sync::Arc;

use super::machine::{Completeness, Machine, Observation, Place, State};
use super::source::LineRun;
use super::{Cell, Dated, Fleet, Likeness, Usual, doubles, names};
use crate::error::{Code, Gap};
use crate::finding::Severity;
use crate::os::OsId;
use crate::registry::{FileTime, Role};
use crate::report::ReportOptions;

/// What a machine has: the expectation, the data, the state and the time of the key.
type Made<'m> = &'m [(u32, u32, State, u64)];

const HIGH: State = State::Deviates(Severity::High);
const LOW: State = State::Deviates(Severity::Low);

fn options(all: bool) -> ReportOptions {
    let text = format!(
        r#"{{"os":null,"replay":true,"control_set":"current","generations":"live","profiles":["chain"],"fail_on":"low","all":{all}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn machine(name: &str, made: Made<'_>) -> Machine {
    let observation = |&(expectation, datum, state, time): &(u32, u32, State, u64)| Observation {
        expectation,
        datum,
        state,
        written: (time > 0).then_some(FileTime(time)),
    };
    Machine {
        label: None,
        computer: Some(name.to_owned()),
        evidence: format!("case/{name}/Windows/System32/config"),
        os: OsId::ALL[0],
        windows: Arc::from("Windows of the test"),
        installed: None,
        hives: vec![(Role::System, format!("sum of {name}"))],
        place: Place { file: 0, line: 1 },
        run: 0,
        assessed: 10,
        not_judged: None,
        gaps: Vec::new(),
        more_gaps: 0,
        promised: made.iter().filter(|one| matches!(one.2, State::Deviates(_))).count(),
        observations: made.iter().map(observation).collect(),
        double_of: None,
    }
}

fn run(place: Place, all: bool) -> LineRun {
    LineRun {
        place,
        last: 9,
        tool: Some(crate::report::Tool { name: "hivemend".into(), version: "0".into() }),
        options: Some(options(all)),
        has_summary: true,
        machines: 1,
        older: 0,
        unknown: 0,
    }
}

fn fleet(machines: Vec<Machine>) -> Fleet {
    let expectation = |number: u32| super::Expectation { id: format!("id-{number}"), place: String::new() };
    let mut fleet = Fleet {
        machines,
        runs: vec![run(Place { file: 0, line: 1 }, false), run(Place { file: 0, line: 100 }, false)],
        expectations: (0..4).map(expectation).collect(),
        data: (0..9).map(|number| Arc::from(format!("datum {number}"))).collect(),
        ..Fleet::default()
    };
    doubles::find(&mut fleet);
    fleet.names = names::of(&fleet);
    fleet
}

/// So many machines without a finding.
fn well(number: usize) -> Vec<Machine> {
    (0..number).map(|number| machine(&format!("well-{number}"), &[])).collect()
}

#[test]
fn what_is_wrong_is_counted_once_for_each_machine_and_sorted() {
    let mut machines = vec![
        machine("a", &[(0, 1, LOW, 30), (1, 2, HIGH, 0)]),
        // Two control sets: one machine.
        machine("b", &[(0, 1, LOW, 10), (0, 3, LOW, 50)]),
        machine(
            "c",
            &[(2, 1, HIGH, 7), (3, 1, State::Aside, 1), (3, 1, State::Conforms, 1), (3, 1, State::Unexamined, 1)],
        ),
        machine("d", &[(2, 1, HIGH, 7)]),
    ];
    machines.extend(well(2));
    let fleet = fleet(machines);
    let wrong = fleet.wrong();
    let told: Vec<_> = wrong.iter().map(|one| (one.expectation, one.severity, one.machines.clone())).collect();
    assert_eq!(told, [(2, Severity::High, vec![2, 3]), (1, Severity::High, vec![0]), (0, Severity::Low, vec![0, 1]),]);
    let dated = |time, machine| Some(Dated { time: FileTime(time), machine });
    assert_eq!((wrong[2].first, wrong[2].last, wrong[2].undated), (dated(10, 1), dated(50, 1), 0));
    assert_eq!((wrong[1].first, wrong[1].last, wrong[1].undated), (None, None, 1));
    // Of equal times, the first machine.
    assert_eq!((wrong[0].first, wrong[0].last), (dated(7, 2), dated(7, 2)));
    assert_eq!(wrong[2].data, [(1, 2), (3, 1)]);
    assert_eq!(wrong[2].windows, [("Windows of the test".to_owned(), 2)]);
}

#[test]
fn machines_with_the_same_deviations_and_gaps_are_one_group() {
    let mut machines = vec![
        machine("a", &[(0, 1, LOW, 30)]),
        machine("b", &[(1, 2, HIGH, 0), (0, 5, LOW, 0)]),
        machine("c", &[(0, 9, LOW, 1), (2, 0, State::Informs, 0), (0, 9, State::Conforms, 0)]),
        machine("d", &[(0, 1, LOW, 1), (2, 0, State::Unexamined, 0)]),
        machine("e", &[(0, 1, LOW, 1), (1, 2, HIGH, 0)]),
        machine("f", &[(2, 0, State::Unexamined, 0)]),
    ];
    machines.extend(well(1));
    let fleet = fleet(machines);
    let groups = fleet.groups();
    let told: Vec<_> = groups.iter().map(|group| group.machines.clone()).collect();
    assert_eq!(told, [vec![1, 4], vec![0, 2], vec![3]]);
    assert_eq!(groups[0].worst(), Some(Severity::High));
    assert_eq!(groups[2].cells, [(0, Cell::Deviates(Severity::Low)), (2, Cell::Unexamined)]);
}

#[test]
fn data_of_few_machines_are_odd_where_most_agree() {
    // 0: 1 of 100 deviates, and the lines lack what conforms. 1: all differ. 2: informational, 2 of 100 differ.
    let mut machines: Vec<Machine> = (0..98)
        .map(|number| machine(&format!("m{number}"), &[(1, number, State::Informs, 0), (2, 1, State::Informs, 0)]))
        .collect();
    machines.push(machine("odd", &[(0, 4, HIGH, 0), (2, 3, State::Informs, 0)]));
    machines.push(machine("also", &[(2, 3, State::Informs, 0), (3, 0, State::Unexamined, 0)]));
    let fleet = fleet(machines);
    let odd = fleet.odd();
    let told: Vec<_> = odd
        .iter()
        .map(|one| (one.expectation, one.datum, one.machines.clone(), one.usual, one.usual_on, one.of))
        .collect();
    assert_eq!(told, [(0, 4, vec![98], Usual::Conforms, 99, 100), (2, 3, vec![98, 99], Usual::Datum(1), 98, 100)]);
    assert_eq!((odd[0].severity, odd[1].severity), (Some(Severity::High), None));
}

#[test]
fn among_few_machines_or_without_a_majority_nothing_is_odd() {
    let mut nine = well(8);
    nine.push(machine("odd", &[(0, 4, HIGH, 0)]));
    assert_eq!(fleet(nine).odd(), []);
    let mut ten = well(9);
    ten.push(machine("odd", &[(0, 4, HIGH, 0)]));
    assert_eq!(fleet(ten).odd().len(), 1);
    // Three of ten are more than 2 %, and more than one.
    let mut ten = well(7);
    ten.extend(["a", "b", "c"].map(|name| machine(name, &[(0, 4, HIGH, 0)])));
    assert_eq!(fleet(ten).odd(), []);
    // Half and half.
    let half = |number: u32| machine(&format!("m{number}"), &[(2, number % 2, State::Informs, 0)]);
    let mut halves: Vec<Machine> = (0..20).map(half).collect();
    halves.push(machine("odd", &[(2, 7, State::Informs, 0)]));
    assert_eq!(fleet(halves).odd(), []);
}

/// With `--all` a machine without a finding does not conform: its Windows has no such expectation.
#[test]
fn what_is_not_in_whole_lines_is_not_compared() {
    let mut machines = well(20);
    machines.push(machine("odd", &[(0, 4, HIGH, 0)]));
    let mut fleet = fleet(machines);
    assert_eq!(fleet.odd().len(), 1);
    fleet.runs[0].options = Some(options(true));
    assert_eq!(fleet.odd(), []);
}

#[test]
fn a_machine_that_is_there_again_counts_once_and_the_better_record_counts() {
    let mut truncated = machine("pc", &[(0, 1, LOW, 0)]);
    truncated.promised = 2;
    let mut whole = machine("pc", &[(0, 1, LOW, 0), (1, 1, HIGH, 0)]);
    whole.run = 1;
    let other = machine("other", &[]);
    let made = fleet(vec![truncated, other, whole.clone(), whole]);
    let counted: Vec<usize> = made.counted().map(|(number, _)| number).collect();
    assert_eq!(counted, [1, 2]);
    let told: Vec<_> = made.doubles.iter().map(|double| (double.counted, double.again, double.agrees)).collect();
    assert_eq!(told, [(2, 0, false), (2, 3, true)]);
    assert_eq!(made.wrong().len(), 2);
    assert_eq!((made.name(2), made.name(0)), ("pc", "pc"));
}

#[test]
fn one_name_with_other_hives_is_two_machines_and_told() {
    let mut again = machine("pc", &[]);
    again.hives = vec![(Role::System, "other".to_owned())];
    // Without hashes the computer and the time of its installation decide.
    let mut unhashed = machine("pc", &[]);
    unhashed.hives.clear();
    let mut stranger = unhashed.clone();
    stranger.computer = Some("stranger".to_owned());
    let made = fleet(vec![machine("pc", &[]), again, unhashed, stranger]);
    let counted: Vec<usize> = made.counted().map(|(number, _)| number).collect();
    assert_eq!(counted, [0, 1, 3]);
    assert_eq!(made.lookalikes.len(), 1);
    assert_eq!((made.lookalikes[0].likeness, made.lookalikes[0].machines.as_slice()), (Likeness::Name, &[0, 1, 3][..]));
}

#[test]
fn the_same_bytes_below_two_names_are_told_and_counted_twice() {
    let mut copy = machine("copy", &[]);
    copy.hives = machine("pc", &[]).hives;
    let made = fleet(vec![machine("pc", &[]), machine("x", &[]), copy]);
    assert_eq!(made.counted().count(), 3);
    assert_eq!((made.lookalikes[0].likeness, made.lookalikes[0].machines.as_slice()), (Likeness::Hives, &[0, 2][..]));
}

#[test]
fn machines_without_an_answer_are_below_each_of_their_reasons() {
    let gap = |reason: &str, advice: &str| Gap::new(Code::HiveMissing, "x", reason).advise(Some(advice.to_owned()));
    let mut missing = machine("a", &[]);
    missing.gaps = vec![gap("SYSTEM is missing", "copy it"), gap("it is dirty", "copy the logs")];
    let mut also = machine("b", &[(0, 0, LOW, 0)]);
    also.gaps = vec![gap("SYSTEM is missing", "copy it from elsewhere")];
    let mut none = machine("c", &[]);
    (none.assessed, none.not_judged) = (0, Some("only listed".to_owned()));
    let mut cut = machine("d", &[(0, 0, LOW, 0)]);
    cut.promised = 3;
    let made = fleet(vec![missing, also, none, cut, machine("e", &[])]);
    let told = |completeness| -> Vec<_> {
        let reasons = made.reasons(completeness).into_iter();
        reasons.map(|one| (one.reason, one.advice.is_some(), one.machines)).collect()
    };
    assert_eq!(told(Completeness::NoAnswer), [("only listed".to_owned(), false, vec![2])]);
    let partial = told(Completeness::Incomplete);
    assert_eq!(partial[0], ("SYSTEM is missing".to_owned(), false, vec![0, 1]));
    assert!(partial.contains(&("it is dirty".to_owned(), true, vec![0])), "{partial:?}");
    assert!(partial.iter().any(|(reason, ..)| reason.starts_with("2 findings not in the lines")), "{partial:?}");
    assert_eq!(made.machines[4].completeness(), Completeness::Complete);
}

#[test]
fn names_tell_machines_apart() {
    let labelled = |label: &str, name: &str| Machine { label: Some(label.to_owned()), ..machine(name, &[]) };
    let mut nameless = machine("x", &[]);
    nameless.computer = None;
    let mut twin = machine("pc", &[]);
    twin.evidence = "case/second/Windows".to_owned();
    let made = fleet(vec![
        labelled("HD1", "a"),
        labelled("HD2", "b"),
        labelled("HD2", "c"),
        machine("pc", &[]),
        twin,
        nameless,
    ]);
    let names: Vec<&str> = (0..6).map(|number| made.name(number)).collect();
    assert_eq!(
        names,
        [
            "HD1",
            "HD2: case/b/Windows",
            "HD2: case/c/Windows",
            "case/pc/Windows",
            "case/second/Windows",
            "case/x/Windows"
        ]
    );
}
