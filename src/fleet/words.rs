//! Texts that many machines share, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// Texts by number.
#[derive(Debug, Default)]
pub(super) struct Words {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Words {
    /// Returns the number of a text. Adds the text if it is new.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let text: Arc<str> = text.into();
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// Returns the text itself, shared.
    pub(super) fn shared(&mut self, text: &str) -> Arc<str> {
        let number = self.number(text);
        let known = usize::try_from(number).ok().and_then(|number| self.texts.get(number));
        known.map_or_else(|| text.into(), Arc::clone)
    }

    /// Returns all texts, by number.
    pub(super) fn into_texts(self) -> Vec<Arc<str>> {
        self.texts
    }
}

/// The longest text that is kept of a record, in characters. The page shows no more of it.
const LONGEST_TEXT: usize = 300;

/// Returns a text that is not longer than the longest that is kept.
pub(super) fn kept(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once() {
        let mut words = Words::default();
        assert_eq!(["a", "b", "a"].map(|text| words.number(text)), [0, 1, 0]);
        assert!(Arc::ptr_eq(&words.shared("b"), &words.shared("b")));
        assert_eq!(words.into_texts().len(), 2);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(kept("short"), "short");
        assert_eq!(kept(&"é".repeat(1000)).chars().count(), LONGEST_TEXT + 1);
    }
}
