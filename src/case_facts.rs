//! The facts of a case that no hive knows: its number, the exhibit, who examines it, for whom and why.
//!
//! They come from a file (`--case FILE.toml`) and from options; what neither gives is taken from the headers of disk
//! images, where they have it, and says so. Nothing is judged by them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::evidence::file::Acquisition;
use crate::nearest::suggestion;
use crate::report::InstallationReport;

/// The keys that a file may have.
const KEYS: [&str; 6] = ["number", "exhibit", "examiner", "agency", "request", "notes"];
/// So many images are named by one fact; more are counted.
const MOST_IMAGES: usize = 3;

/// The facts. What nobody stated is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// The case's number.
    pub number: Option<Fact>,
    /// The exhibit's.
    pub exhibit: Option<Fact>,
    /// Who examines it.
    pub examiner: Option<Fact>,
    /// For which agency or firm.
    pub agency: Option<Fact>,
    /// What was asked.
    pub request: Option<Fact>,
    /// Anything else.
    pub notes: Option<Fact>,
    /// When the images were made, by their headers.
    pub acquired: Option<Fact>,
    /// With which program, by their headers.
    pub acquired_with: Option<Fact>,
}

/// One fact, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub text: String,
    /// Who says so.
    pub stated_by: StatedBy,
}

/// Who states a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatedBy {
    /// The file of `--case`, or an option.
    User,
    /// The header of a disk image, which nobody has checked.
    ImageHeader,
}

impl Fact {
    /// Returns one that the user states; `None` where there is nothing in it.
    pub fn of_user(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self { text: text.to_owned(), stated_by: StatedBy::User })
    }
}

impl CaseFacts {
    /// Reads a file; `path` is how errors name it.
    ///
    /// # Errors
    /// Returns an error if it is no TOML, has a key that is not known (with the nearest), or a key that holds no text.
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
                return Err(refuse(format!("{key:?} is not known{}", suggestion(key, KEYS))));
            };
            let text = match value {
                toml::Value::String(text) => text.clone(),
                // `number = 2026017` says what it says.
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Datetime(time) => time.to_string(),
                other => return Err(refuse(format!("{key:?} should be text, and is {}", other.type_str()))),
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

    /// Takes what the images' headers say where the user says nothing. What they say differently is all named.
    pub fn prefill<'a>(&mut self, headers: impl IntoIterator<Item = &'a Acquisition>) {
        let headers: Vec<&Acquisition> = headers.into_iter().collect();
        let said = |of: fn(&Acquisition) -> Option<&String>| {
            let mut seen = BTreeSet::new();
            let texts = headers.iter().filter_map(|header| of(header)).map(String::as_str);
            let texts: Vec<&str> = texts.filter(|text| seen.insert(*text)).collect();
            let more = texts.len().saturating_sub(MOST_IMAGES);
            let named = texts.iter().take(MOST_IMAGES).copied().collect::<Vec<_>>().join("; ");
            let text = if more == 0 { named } else { format!("{named}; and {more} more") };
            (!text.is_empty()).then_some(Fact { text, stated_by: StatedBy::ImageHeader })
        };
        let or = |known: &mut Option<Fact>, of| {
            if known.is_none() {
                *known = said(of);
            }
        };
        or(&mut self.number, |header| header.case_number.as_ref());
        or(&mut self.exhibit, |header| header.evidence_number.as_ref());
        or(&mut self.examiner, |header| header.examiner.as_ref());
        or(&mut self.notes, |header| header.notes.as_ref());
        or(&mut self.acquired, |header| header.acquired.as_ref());
        or(&mut self.acquired_with, |header| header.software.as_ref());
    }
}

/// Returns what the headers of the images say that an installation's hives were taken out of.
pub fn headers_of(installation: &InstallationReport) -> impl Iterator<Item = &Acquisition> {
    installation.hives.iter().filter_map(|hive| hive.container.as_ref()?.acquisition.as_ref())
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
        facts.prefill(&[header("other", Some("A")), header("other", Some("B")), header("other", Some("A"))]);
        assert_eq!(facts.number, Fact::of_user("2026017"));
        assert_eq!(facts.examiner, Some(Fact { text: "A; B".to_owned(), stated_by: StatedBy::ImageHeader }));
        assert_eq!(facts.agency, None);
    }

    #[test]
    fn what_a_file_may_not_say_is_refused_with_what_was_meant() {
        let refused = |text: &str| CaseFacts::parse("c.toml", text).unwrap_err().to_string();
        assert!(refused("examinor = \"A\"").contains("\"examinor\" is not known; did you mean \"examiner\"?"));
        assert!(refused("number = true").contains("should be text, and is boolean"));
        assert!(refused("number = \"1\"\nnumber").contains("not TOML in line 2"));
    }
}
