//! `show` as an errand: a worker opens the container, reads the hive in it, and sends the text.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Layout, OpenOptions, Shown, Subject};
use crate::discovery::{Errand, Evidence, Listener, News, Text};
use crate::error::{Error, Problem};
use crate::evidence::archive::Unpacking;

/// The request to show a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// The hive, or a container with one hive.
    #[serde(with = "crate::evidence::paths")]
    pub hive: PathBuf,
    /// The key; empty for the hive's root.
    pub key: String,
    /// Whether to show all keys below it.
    pub recursive: bool,
    /// The format.
    pub layout: Layout,
    /// How the hive is opened.
    pub options: OpenOptions,
}

/// What is known of a hive before its keys are shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The problems of the hive as a whole, such as that it is dirty.
    pub doubts: Vec<Problem>,
    /// Whether the last changes may be missing.
    pub dirty: bool,
}

/// What was shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The result, or why it is unknown whether the key exists.
    pub shown: Result<Shown, Problem>,
    /// Every file of this machine that was opened.
    #[serde(with = "crate::evidence::paths::many")]
    pub opened: Vec<PathBuf>,
}

impl Errand for Question {
    const NAME: &str = "show";

    type Head = Head;
    type Answer = Answer;

    fn evidence(&self) -> Vec<Vec<Evidence>> {
        vec![vec![Evidence::from(&self.hive)]]
    }

    fn unpacking(&self) -> &Unpacking {
        &self.options.unpacking
    }

    fn run(&self, say: &mut Listener<'_, Head>) -> Result<Answer, Error> {
        let subject = Subject::open(&self.hive, &self.options)?;
        let opened = subject.opened().map(PathBuf::from).collect();
        say(News::Head(Head { doubts: subject.doubts().to_vec(), dirty: subject.is_dirty() }))?;
        let place = match subject.find(&self.key)? {
            Ok(place) => place,
            Err(problem) => return Ok(Answer { shown: Err(problem), opened }),
        };
        let mut text = Text::new(say);
        let shown = subject.write(&place, self.recursive, self.layout, &mut text);
        let shown = text.end(shown)?;
        Ok(Answer { shown: Ok(shown), opened })
    }
}
