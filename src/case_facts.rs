//! The facts of a case that no hive holds: its number, the exhibit, the examiner, the client, and the request.
//!
//! The facts come from a file (`--case FILE.toml`) and from options. A fact that neither states is read from the
//! headers of disk images and marked as such. No verdict depends on these facts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::evidence::file::Acquisition;
use crate::nearest::suggestion;
use crate::report::InstallationReport;

/// The keys that a file may have.
const KEYS: [&str; 6] = ["number", "exhibit", "examiner", "agency", "request", "notes"];
/// One fact names at most this many images; the rest are counted.
const MOST_IMAGES: usize = 3;

/// The facts. A fact that nobody stated is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// The number of the case.
    pub number: Option<Fact>,
    /// The number of the exhibit.
    pub exhibit: Option<Fact>,
    /// The examiner.
    pub examiner: Option<Fact>,
    /// The agency or firm that asked for the examination.
    pub agency: Option<Fact>,
    /// The request.
    pub request: Option<Fact>,
    /// Other notes.
    pub notes: Option<Fact>,
    /// When the images were acquired, according to their headers.
    pub acquired: Option<Fact>,
    /// The program that acquired the images, according to their headers.
    pub acquired_with: Option<Fact>,
}

/// One fact, and who states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The text of the fact.
    pub text: String,
    /// Who states the fact.
    pub stated_by: StatedBy,
}

/// Who states a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatedBy {
    /// The file of `--case`, or an option.
    User,
    /// The header of a disk image. Nobody has checked it.
    ImageHeader,
}

impl Fact {
    /// Returns a fact that the user states; `None` if the text is empty.
    pub fn of_user(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self { text: text.to_owned(), stated_by: StatedBy::User })
    }
}

impl CaseFacts {
    /// Reads a case file. `path` is its name in errors.
    ///
    /// # Errors
    /// Returns an error if the file is not TOML, has an unknown key, or has a key without text. The error suggests the
    /// nearest key.
    pub fn parse(path: &str, text: &str) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Refused {
            reason: format!("--case {path}: {reason}"),
            advice: format!("Write one line for each fact, `key = \"text\"`; the keys are {}", KEYS.join(", ")),
        };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count());
            let line = line.map_or_else(String::new, |line| format!(" in line {}", line.saturating_add(1)));
            refuse(format!("not TOML{line}: {}", error.message()))
        })?;
        let mut facts = Self::default();
        for (key, value) in &table {
            let Some(field) = facts.field(key) else {
                return Err(refuse(format!("unknown key {key:?}{}", suggestion(key, KEYS))));
            };
            let text = match value {
                toml::Value::String(text) => text.clone(),
                // `number = 2026017` is accepted as text.
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Datetime(time) => time.to_string(),
                other => return Err(refuse(format!("{key:?} should be text, but is {}", other.type_str()))),
            };
            *field = Fact::of_user(&text);
        }
        Ok(facts)
    }

    fn field(&mut self, key: &str) -> Option<&mut Option<Fact>> {
        Some(match key {
            "number" => &mut self.number,
            "exhibit" => &mut self.exhibit,
            "examiner" => &mut self.examiner,
            "agency" => &mut self.agency,
            "request" => &mut self.request,
            "notes" => &mut self.notes,
            _ => return None,
        })
    }

    /// Fills in facts that the user did not state from the images' headers. If headers differ, names all their texts.
    pub fn prefill(&mut self, headers: &Headers) {
        let Headers { number, exhibit, examiner, notes, acquired, acquired_with } = headers;
        let or = |known: &mut Option<Fact>, said: &Said| {
            if known.is_none() {
                *known = said.fact();
            }
        };
        or(&mut self.number, number);
        or(&mut self.exhibit, exhibit);
        or(&mut self.examiner, examiner);
        or(&mut self.notes, notes);
        or(&mut self.acquired, acquired);
        or(&mut self.acquired_with, acquired_with);
    }
}

/// What the headers of images say about the case.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    number: Said,
    exhibit: Said,
    examiner: Said,
    notes: Said,
    acquired: Said,
    acquired_with: Said,
}

impl Headers {
    /// Reads the headers of the images that contain an installation's hives.
    pub fn see(&mut self, installation: &InstallationReport) {
        installation
            .hives
            .iter()
            .filter_map(|hive| hive.container.as_ref()?.acquisition.as_ref())
            .for_each(|header| self.add(header));
    }

    fn add(&mut self, header: &Acquisition) {
        self.number.add(header.case_number.as_ref());
        self.exhibit.add(header.evidence_number.as_ref());
        self.examiner.add(header.examiner.as_ref());
        self.notes.add(header.notes.as_ref());
        self.acquired.add(header.acquired.as_ref());
        self.acquired_with.add(header.software.as_ref());
    }
}

/// The texts of one field, without duplicates, in the order of the images.
#[derive(Clone, Debug, Default)]
struct Said {
    first: Vec<String>,
    all: BTreeSet<String>,
}

impl Said {
    fn add(&mut self, text: Option<&String>) {
        let Some(text) = text.filter(|text| !self.all.contains(*text)) else { return };
        if self.first.len() < MOST_IMAGES {
            self.first.push(text.clone());
        }
        self.all.insert(text.clone());
    }

    fn fact(&self) -> Option<Fact> {
        let (named, more) = (self.first.join("; "), self.all.len().saturating_sub(self.first.len()));
        let text = if more == 0 { named } else { format!("{named}; and {more} more") };
        (!text.is_empty()).then_some(Fact { text, stated_by: StatedBy::ImageHeader })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(number: &str, examiner: Option<&str>) -> Acquisition {
        let examiner = examiner.map(str::to_owned);
        Acquisition { case_number: Some(number.to_owned()), examiner, ..Acquisition::default() }
    }

    #[test]
    fn a_file_is_read_and_headers_fill_what_it_leaves_out() {
        let mut facts = CaseFacts::parse("c.toml", "number = 2026017\nexhibit = \"HD1\"\nnotes = \"\"").unwrap();
        assert_eq!(facts.number, Fact::of_user("2026017"));
        assert_eq!(facts.notes, None);
        let mut headers = Headers::default();
        for examiner in ["A", "B", "A"] {
            headers.add(&header("other", Some(examiner)));
        }
        facts.prefill(&headers);
        assert_eq!(facts.number, Fact::of_user("2026017"));
        assert_eq!(facts.examiner, Some(Fact { text: "A; B".to_owned(), stated_by: StatedBy::ImageHeader }));
        assert_eq!(facts.agency, None);
    }

    #[test]
    fn what_a_file_may_not_say_is_refused_with_what_was_meant() {
        let refused = |text: &str| CaseFacts::parse("c.toml", text).unwrap_err().to_string();
        assert!(refused("examinor = \"A\"").contains("unknown key \"examinor\"; did you mean \"examiner\"?"));
        assert!(refused("number = true").contains("should be text, but is boolean"));
        assert!(refused("number = \"1\"\nnumber").contains("not TOML in line 2"));
    }
}
