//! What is to be said of an archive: the first few sentences of a kind, and how many more there were.

/// Sentences of one archive; the rest are counted.
const MOST_TOLD: usize = 20;

/// Sentences, of which there may be too many to say them all.
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

    /// Returns all that is kept, and the count of the rest as a sentence.
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = self.sentences.clone();
        if self.more > 0 {
            all.push(format!("{} more defects of this archive are not listed", self.more));
        }
        all
    }
}
