//! Describes one expectation in words: what is expected of which Windows and why, by which source, which differences
//! are harmless, and how to check it by hand.

use std::io::{self, Write};

use crate::baseline::{BUILT_IN, Baseline, BuiltIn};
use crate::error::Error;
use crate::nearest::suggestion;

mod expected;
mod odd;
mod page;
mod row;
mod same_effect;
mod shown;

use page::Page;
use row::{Id, Row};

/// Writes an explanation of the finding, key, or step with this id. `own` are the user's additional baselines.
///
/// # Errors
/// Returns an error that suggests the nearest id if no baseline has this id. The inner result is the error of the
/// writer.
pub fn explain(id: &str, own: &[Baseline], out: &mut dyn Write) -> Result<io::Result<()>, Error> {
    if let Some(written) = odd::explain(id, out) {
        return Ok(written);
    }
    let mut baselines = built_in()?;
    let last = baselines.last().map(|baseline| baseline.name.as_str());
    baselines.extend(own);
    let Some(found) = Id::find(id, &baselines) else { return Err(unknown("explain", id, &baselines, &[])) };
    let rows: Vec<Row<'_>> = baselines.iter().flat_map(|baseline| found.rows(baseline)).collect();
    Ok(Page::new(out).write(id, &found, &rows, last))
}

/// What is known about an id before any evidence is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A baseline states it.
    Stated,
    /// Only evidence can have it: an entry of a closed list, or an oddity of any Windows.
    IfFound,
}

/// Returns whether audits can have a finding with the id that `option` was given. The key part of the id has any letter
/// case. `own` are the user's baselines beside the built-in ones.
///
/// # Errors
/// Returns an error that suggests the nearest id if no audit can have such a finding.
pub fn known<'a>(option: &'static str, id: &str, own: impl IntoIterator<Item = &'a Baseline>) -> Result<Known, Error> {
    let mut baselines: Vec<&Baseline> = built_in()?;
    baselines.extend(own);
    let row = id.find(['/', '\\']).unwrap_or(id.len());
    let folded: String = id.char_indices().map(|(at, c)| if at < row { c.to_ascii_lowercase() } else { c }).collect();
    match Id::find(&folded, &baselines) {
        Some(Id::Key(_, Some(_))) => Ok(Known::IfFound),
        Some(_) => Ok(Known::Stated),
        None if odd::is_known(&folded) => Ok(Known::IfFound),
        None => Err(unknown(option, id, &baselines, &[])),
    }
}

/// Returns the error that no baseline and no id in `found` has this id, with the nearest known id.
pub fn not_found(option: &'static str, id: &str, found: &[&str]) -> Error {
    unknown(option, id, &built_in().unwrap_or_default(), found)
}

/// Returns the built-in baselines by Windows, oldest first.
fn built_in() -> Result<Vec<&'static Baseline>, Error> {
    let mut baselines = BUILT_IN.iter().map(BuiltIn::read).collect::<Result<Vec<&Baseline>, Error>>()?;
    baselines.sort_by_key(|baseline| baseline.applies_to.first().copied());
    Ok(baselines)
}

fn unknown(option: &'static str, id: &str, baselines: &[&Baseline], found: &[&str]) -> Error {
    let mut ids = row::ids(baselines);
    ids.extend(odd::ids().map(str::to_owned));
    ids.extend(found.iter().map(|id| (*id).to_owned()));
    let near = suggestion(id, ids.iter().map(String::as_str));
    let expected = format!("Name a finding, a key or a step as `audit` prints it{near}");
    Error::Usage { option, found: id.to_owned(), expected }
}
