//! The contents of the templates: text that hides nothing, and rows of such text.
//!
//! Templates escape HTML's own characters in every text. This type escapes the rest first: control characters,
//! characters that change the direction, and all other invisible characters.

use std::fmt;

use crate::report::escape::{escape, is_unseen};
use crate::report::table::data;

/// Text that is safe to display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(String);

impl Text {
    /// Returns prose from a baseline or about evidence.
    pub(super) fn prose(text: &str) -> Self {
        Self(escape(text).into_owned())
    }

    /// Returns a name from evidence.
    pub(super) fn name(text: &str) -> Self {
        Self(data::name(text))
    }

    /// Returns text that was already escaped for the terminal table. Anything that was not escaped, such as a sentence
    /// of a report that was read back, is escaped here.
    pub(super) fn shown(text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.chars().any(is_unseen) {
            return Self(text);
        }
        let seen =
            |letter: char| if is_unseen(letter) { letter.escape_unicode().to_string() } else { letter.to_string() };
        Self(text.chars().map(seen).collect())
    }

    /// Returns the same as `shown`, split into lines.
    pub(super) fn lines(text: &str) -> Vec<Self> {
        text.lines().map(Self::shown).collect()
    }

    /// Returns a text of several lines from a file. Only its line ends stay unescaped.
    pub(super) fn file(text: &str) -> Self {
        let lines = text.split('\n').map(|line| escape(line.trim_end_matches('\r')).replace(r"\u{9}", "\t"));
        Self(lines.collect::<Vec<_>>().join("\n"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for Text {
    /// Returns the program's own text, without escaping.
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::prose(&text)
    }
}

/// A line of a row, which may be a link.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: Text,
    pub(super) url: Option<Text>,
}

/// A label, and the text beside it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) label: Text,
    pub(super) lines: Vec<Line>,
    /// Whether to use a monospaced font.
    pub(super) mono: bool,
}

impl Row {
    pub(super) fn new(label: impl Into<Text>, lines: impl IntoIterator<Item = Text>) -> Self {
        let lines = lines.into_iter().map(|text| Line { text, url: None }).collect();
        Self { label: label.into(), lines, mono: false }
    }

    pub(super) fn mono(label: impl Into<Text>, lines: impl IntoIterator<Item = Text>) -> Self {
        Self { mono: true, ..Self::new(label, lines) }
    }

    pub(super) fn links(label: impl Into<Text>, lines: impl IntoIterator<Item = (Text, Option<Text>)>) -> Self {
        let lines = lines.into_iter().map(|(text, url)| Line { text, url }).collect();
        Self { label: label.into(), lines, mono: false }
    }
}

/// Returns the rows that have any text.
pub(super) fn told(rows: impl IntoIterator<Item = Row>) -> Vec<Row> {
    rows.into_iter().filter(|row| row.lines.iter().any(|line| !line.text.is_empty())).collect()
}

/// Returns an address that may be a link: a web address in visible ASCII. All others are shown without a link.
pub(super) fn web_address(url: &str) -> Option<Text> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    (is_web && url.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Text(url.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_links() {
        assert!(web_address("https://learn.microsoft.com/a?b=c").is_some());
        for url in
            ["javascript:alert(1)", "data:text/html,x", "https://a b", "file:///etc", "//host", "https://a\u{202e}"]
        {
            assert_eq!(web_address(url), None, "{url}");
        }
    }

    #[test]
    fn a_file_keeps_its_lines_and_hides_nothing() {
        let text = Text::file("a\tb\r\n\u{1b}[2J\u{202e}c\n");
        assert_eq!(text.as_str(), "a\tb\n\\u{1b}[2J\\u{202e}c\n");
    }
}
