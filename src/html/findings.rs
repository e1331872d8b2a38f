//! The findings of an installation, worst first. Lesser findings and other results are folded with a count.

use askama::Template;

use super::finding::{Around, Shown, short};
use super::text::{Row, Text};
use crate::finding::{Finding, Reason, Severity, Verdict};
use crate::registry::Role;
use crate::report::Judgement;
use crate::report::table::findings::Folded;
use crate::report::table::grouped;
use crate::report::table::open::out_of_reach;

/// The most findings that are shown open. Further ones are folded.
const MOST_OPEN: usize = 25;

/// The part of the page.
#[derive(Template)]
#[template(path = "report/findings.html")]
pub(super) struct FindingsPart<'a> {
    anchor: &'a str,
    hives: Vec<OfHive>,
    none: &'static str,
    findings: Vec<Shown>,
    more: Vec<Shown>,
    out_of_reach: Vec<Text>,
    steps: Vec<Text>,
    values: Vec<Values>,
}

/// The number of findings of one hive; a dash for a hive that was not examined.
struct OfHive {
    name: String,
    number: String,
    is_zero: bool,
}

struct Values {
    title: &'static str,
    number: usize,
    rows: Vec<Row>,
    none: &'static str,
}

impl<'a> FindingsPart<'a> {
    pub(super) fn of(anchor: &'a str, judgement: &Judgement, around: &Around<'_>) -> Self {
        let of = |wanted: fn(&Finding) -> bool| judgement.findings.iter().filter(|f| wanted(f)).collect::<Vec<_>>();
        let mut deviating = of(|finding| !matches!(finding.verdict, Verdict::Conforms | Verdict::NotAssessed(_)));
        let all = deviating.clone();
        // A finding that follows from another is shown with that one.
        let _ = Folded::take_from(&mut deviating);
        deviating.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.is_deviation())));
        let follows = |cause: &Finding| {
            let of_it = |one: &&&Finding| {
                one.cause.as_deref() == Some(&cause.id) && one.control_set == cause.control_set && one.id != cause.id
            };
            all.iter().filter(of_it).copied().collect::<Vec<&Finding>>()
        };
        let shown =
            |(number, finding): (usize, &&Finding)| Shown::of(finding, &follows(finding), number, anchor, around);
        let mut findings: Vec<Shown> = (1_usize..).zip(&deviating).map(shown).collect();
        let important = |finding: &&&Finding| finding.severity > Severity::Info || !finding.is_deviation();
        let open = deviating.iter().take_while(important).count().min(MOST_OPEN);
        let more = findings.split_off(open.min(findings.len()));
        let not_assessed = of(|finding| finding.verdict.reason().is_some());
        let by = |reason| {
            not_assessed.iter().copied().filter(move |finding| finding.verdict == Verdict::NotAssessed(reason))
        };
        let conforming = of(|finding| finding.verdict == Verdict::Conforms);
        let counts = &judgement.counts;
        let values = [
            Values {
                title: "Values for information, not judged",
                number: by(Reason::Informational).count(),
                rows: by(Reason::Informational).map(short).collect(),
                none: "",
            },
            Values {
                title: "As it should be",
                number: counts.conforms.max(conforming.len()),
                rows: conforming.into_iter().map(short).collect(),
                none: "They are counted here, not listed: the page was made without --all.",
            },
        ];
        Self {
            anchor,
            hives: [Role::Software, Role::System].map(|role| of_hive(role, judgement, around)).into(),
            none: if counts.assessed == 0 {
                "Nothing was assessed."
            } else {
                "Nothing that was assessed differs from what this Windows should have."
            },
            findings,
            more,
            out_of_reach: out_of_reach(&not_assessed, true).into_iter().map(Text::from).collect(),
            steps: by(Reason::RunTime).map(|f| Text::prose(f.advice.as_deref().unwrap_or(&f.why))).collect(),
            values: values.into_iter().filter(|values| values.number > 0).collect(),
        }
    }
}

fn of_hive(role: Role, judgement: &Judgement, around: &Around<'_>) -> OfHive {
    let is_there = around.installation.hives.iter().any(|hive| hive.role == role);
    let causes = judgement.findings.iter().filter(|finding| finding.is_cause() && finding.hive == Some(role)).count();
    match (is_there && judgement.counts.assessed > 0, causes) {
        (false, 0) => OfHive { name: format!("{role}: not examined"), number: "–".to_owned(), is_zero: true },
        (_, number) => OfHive { name: format!("in {role}"), number: grouped(number as u64), is_zero: number == 0 },
    }
}
