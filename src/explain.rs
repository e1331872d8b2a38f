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
/// Where no baseline has the id: the nearest one. Within: what the writer says.
pub fn explain(id: &str, own: &[Baseline], out: &mut dyn Write) -> Result<io::Result<()>, Error> {
    if let Some(written) = odd::explain(id, out) {
        return Ok(written);
    }
    let mut baselines = BUILT_IN.iter().map(BuiltIn::read).collect::<Result<Vec<&Baseline>, Error>>()?;
    baselines.sort_by_key(|baseline| baseline.applies_to.first().copied());
    let last = baselines.last().map(|baseline| baseline.name.as_str());
    baselines.extend(own);
    let Some(found) = Id::find(id, &baselines) else {
        let mut ids = row::ids(&baselines);
        ids.extend(odd::ids().map(str::to_owned));
        let near = suggestion(id, ids.iter().map(String::as_str));
        let expected = format!("Name a finding, a key or a step as `audit` prints it{near}");
        return Err(Error::Usage { option: "explain", found: id.to_owned(), expected });
    };
    let rows: Vec<Row<'_>> = baselines.iter().flat_map(|baseline| found.rows(baseline)).collect();
    Ok(Page::new(out).write(id, &found, &rows, last))
}
