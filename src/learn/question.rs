//! `baseline learn` as an errand: a worker opens the containers, and reads the hives in them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Learned, learn};
use crate::discovery::{Errand, Evidence, Listener};
use crate::error::Error;
use crate::evidence::archive::Unpacking;
use crate::show::{OpenOptions, Subject};

/// The request to learn a baseline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// The hives, or containers with one hive each.
    #[serde(with = "crate::evidence::paths::many")]
    pub hives: Vec<PathBuf>,
    /// The keys.
    pub keys: Vec<String>,
    /// Whether to learn all keys below them.
    pub recursive: bool,
    /// How the hives are opened.
    pub options: OpenOptions,
}

/// What was learned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The baseline.
    pub learned: Learned,
    /// Every file of this machine that was opened.
    #[serde(with = "crate::evidence::paths::many")]
    pub opened: Vec<PathBuf>,
}

impl Errand for Question {
    const NAME: &str = "learn";

    type Head = ();
    type Answer = Answer;

    fn evidence(&self) -> Vec<Vec<Evidence>> {
        self.hives.iter().map(|hive| vec![Evidence::from(hive)]).collect()
    }

    fn unpacking(&self) -> &Unpacking {
        &self.options.unpacking
    }

    fn run(&self, _: &mut Listener<'_, ()>) -> Result<Answer, Error> {
        let open = |path: &PathBuf| Subject::open(path, &self.options);
        let hives = self.hives.iter().map(open).collect::<Result<Vec<Subject>, Error>>()?;
        let learned = learn(&hives, &self.keys, self.recursive)?;
        Ok(Answer { learned, opened: hives.iter().flat_map(Subject::opened).map(PathBuf::from).collect() })
    }
}
