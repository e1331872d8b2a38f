//! The totals of a report and of an installation.

use serde::{Deserialize, Serialize};

use crate::error::Gap;
use crate::finding::{Finding, Grade, Severity, Verdict};

/// The result of the whole report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The number of listed installations.
    pub installations: usize,
    /// The totals over all findings of all installations.
    #[serde(flatten)]
    pub counts: Counts,
    /// Everything that makes the report incomplete.
    pub gaps: Vec<Gap>,
    /// Whether everything that should have been assessed was assessed, so that there are no gaps.
    pub complete: bool,
}

/// The number of findings of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Expectations that were judged.
    pub assessed: usize,
    /// As expected.
    pub conforms: usize,
    /// Other data, or another type.
    pub deviates: usize,
    /// Expected, and absent.
    pub absent: usize,
    /// Present, and should not exist.
    pub unexpected: usize,
    /// Could not be read.
    pub unreadable: usize,
    /// Not judged.
    pub not_assessed: usize,
    /// The highest severity of a deviation.
    pub highest_severity: Option<Severity>,
    /// The judged expectations by grade.
    pub grades: Grades,
}

/// Expectations that were judged, by grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Grades {
    /// Microsoft's own text, two independent sources, or two real machines.
    pub confirmed: usize,
    /// One source, or one machine.
    pub single_source: usize,
    /// Carried over from a related Windows.
    pub inferred: usize,
}

impl Grades {
    fn count(&mut self, grade: Grade) {
        let counter = match grade {
            Grade::Confirmed => &mut self.confirmed,
            Grade::SingleSource => &mut self.single_source,
            Grade::Inferred => &mut self.inferred,
        };
        *counter = counter.saturating_add(1);
    }
}

impl Summary {
    /// Completes the totals with the gaps. Nothing else decides whether a report is complete.
    pub fn close(&mut self, mut gaps: Vec<Gap>) {
        gaps.sort();
        gaps.dedup();
        self.complete = gaps.is_empty();
        self.gaps = gaps;
    }
}

impl Counts {
    /// Adds other totals.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.assessed, other.assessed),
            (&mut self.conforms, other.conforms),
            (&mut self.deviates, other.deviates),
            (&mut self.absent, other.absent),
            (&mut self.unexpected, other.unexpected),
            (&mut self.unreadable, other.unreadable),
            (&mut self.not_assessed, other.not_assessed),
            (&mut self.grades.confirmed, other.grades.confirmed),
            (&mut self.grades.single_source, other.grades.single_source),
            (&mut self.grades.inferred, other.grades.inferred),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
        self.highest_severity = self.highest_severity.max(other.highest_severity);
    }

    /// Returns the number of deviations of all kinds.
    pub fn deviations(&self) -> usize {
        self.deviates.saturating_add(self.absent).saturating_add(self.unexpected)
    }

    /// Counts one finding. A finding that follows from another is counted with that one.
    pub fn count(&mut self, finding: &Finding) {
        if finding.cause.is_some() && finding.is_deviation() {
            return;
        }
        let (counter, judged) = match finding.verdict {
            Verdict::Conforms => (&mut self.conforms, true),
            Verdict::Deviates => (&mut self.deviates, true),
            Verdict::Absent => (&mut self.absent, true),
            Verdict::Unexpected => (&mut self.unexpected, true),
            Verdict::Unreadable => (&mut self.unreadable, false),
            Verdict::NotAssessed(_) => (&mut self.not_assessed, false),
        };
        *counter = counter.saturating_add(1);
        if judged {
            self.assessed = self.assessed.saturating_add(1);
            self.grades.count(finding.grade);
        }
        if finding.is_deviation() {
            self.highest_severity = self.highest_severity.max(Some(finding.severity));
        }
    }
}
