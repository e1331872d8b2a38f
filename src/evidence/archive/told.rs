//! The defects of an archive: the first sentences, and the number of the rest.

/// Sentences to keep of one archive; the rest are counted.
const MOST_TOLD: usize = 20;

/// A list of sentences with a limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    sentences: Vec<String>,
    more: usize,
}

impl Told {
    /// Adds a sentence.
    pub(super) fn tell(&mut self, sentence: impl Into<String>) {
        if self.sentences.len() < MOST_TOLD {
            self.sentences.push(sentence.into());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Returns all kept sentences, and one with the number of the rest.
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = self.sentences.clone();
        if self.more > 0 {
            all.push(format!("{} more defects of this archive are not listed", self.more));
        }
        all
    }
}
