//! `verify --applied` as an errand: one worker opens the evidence and what `--before` names, and compares the hives.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{render, run};
use crate::discovery::{Errand, Evidence, Listener, Text};
use crate::error::Error;
use crate::evidence::archive::Unpacking;
use crate::examination::Options;
use crate::remediation::PlanFile;
use crate::report::table::Style;
use crate::verification::{Answer, Asked};

/// The request to compare evidence with a plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// The plan.
    pub plan: PlanFile,
    /// The evidence.
    #[serde(with = "crate::evidence::paths::many")]
    pub evidence: Vec<PathBuf>,
    /// Evidence with the hives that the plan was made from; may be empty.
    #[serde(with = "crate::evidence::paths::many")]
    pub before: Vec<PathBuf>,
    /// Whether the patch or the rollback was imported last.
    pub asked: Asked,
    /// How the evidence is read.
    pub options: Options,
    /// The format of the text: a table in this style, or JSON.
    pub table: Option<Style>,
}

impl Errand for Question {
    const NAME: &str = "verify-applied";

    type Head = ();
    type Answer = Answer;

    fn evidence(&self) -> Vec<Vec<Evidence>> {
        let lists = [&self.evidence, &self.before];
        lists.iter().filter(|list| !list.is_empty()).map(|list| list.iter().map(Evidence::from).collect()).collect()
    }

    fn unpacking(&self) -> &Unpacking {
        &self.options.unpacking
    }

    fn run(&self, say: &mut Listener<'_, ()>) -> Result<Answer, Error> {
        let checked = run(&self.plan, &self.evidence, &self.before, self.asked, &self.options)?;
        Text::of(say, &checked, self.table.as_ref(), render)?;
        Ok(Answer { standing: checked.outcome(), opened: checked.opened })
    }
}
