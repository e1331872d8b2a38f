//! One expectation in words: what is expected of which Windows and why, who says so, what is no alarm, and how to look
//! by hand.

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

/// Explains a finding, a key or a step by its id, and writes that. `own` are baselines of the user's, beside the
/// built-in ones.
///
/// # Errors
/// Returns an error if no baseline has the id: the nearest one. Within: what the writer says.
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

/// What is known of an id before anything is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A baseline states it.
    Stated,
    /// Only the evidence can tell: something of a list that is closed, or odd whatever the Windows.
    IfFound,
}

/// Returns whether audits can have a finding of this id, given to `option`; the key's part of it in any letter case.
/// `own` are baselines of the user's, beside the built-in ones.
///
/// # Errors
/// Returns an error if none can: the nearest one.
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

/// Returns that nothing is called so, neither in the baselines nor among the ids that were `found`, and what is.
pub fn not_found(option: &'static str, id: &str, found: &[&str]) -> Error {
    unknown(option, id, &built_in().unwrap_or_default(), found)
}

/// Returns the built-in baselines by Windows, the oldest first.
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
