//! Users' baselines: files that are whole, or that state the differences from a built-in baseline.

use std::io::Read as _;
use std::path::Path;

use toml::Table;

use super::compose::{File, Shared, compose_own};
use super::{BUILT_IN, Baseline, grammar, tables, whole};
use crate::error::Error;
use crate::evidence::sha256_of;
use crate::nearest::suggestion;

/// A user's baseline that was read.
#[derive(Clone, Debug)]
pub struct Own {
    /// The expectations.
    pub baseline: Baseline,
    /// The whole baseline as TOML, as `baseline show` prints it.
    pub text: String,
}

/// A larger file is not a baseline: all services of a machine take about 3 MB.
const MOST_BYTES: u64 = 1 << 28;

/// Reads a user's file.
///
/// # Errors
/// Returns an error if the file cannot be read or does not follow the grammar.
pub fn read_own(path: &Path) -> Result<Own, Error> {
    let name = path.display().to_string();
    let text = text_of(path)?;
    Own::parse(&stem(path), &text).map_err(|message| Error::Baseline {
        message: format!("{message} (`hivemend baseline check {name}` shows the place)"),
        baseline: name,
    })
}

/// Returns the text of a user's file.
///
/// # Errors
/// Returns an error if the file cannot be read, is larger than any baseline, or is not text.
pub(crate) fn text_of(path: &Path) -> Result<String, Error> {
    let read = || {
        let mut text = String::new();
        std::fs::File::open(path)?.take(MOST_BYTES.saturating_add(1)).read_to_string(&mut text)?;
        let large = || std::io::Error::new(std::io::ErrorKind::FileTooLarge, "more than 256 MiB");
        if text.len() as u64 > MOST_BYTES { Err(large()) } else { Ok(text) }
    };
    let advice = "Name a baseline: a TOML file as docs/baselines.md describes it";
    read().map_err(|source| Error::Read { path: path.display().to_string(), source, advice })
}

/// Returns the id of a file that states none.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "baseline".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

impl Own {
    /// Reads a user's baseline from its text. `stem` is the id if the text states none.
    ///
    /// # Errors
    /// Returns an error if the text does not follow the grammar. The message names the row first.
    pub fn parse(stem: &str, text: &str) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        Self::compose(stem, table)
    }

    /// Reads a user's baseline, as [`Own::parse`] does, from TOML that was already parsed.
    pub(crate) fn compose(stem: &str, table: Table) -> Result<Self, String> {
        let id = table.get("id").and_then(toml::Value::as_str).unwrap_or(stem).to_owned();
        let parent = match table.get("like").and_then(toml::Value::as_str) {
            None => None,
            Some(_) if is_whole(&table) => None,
            Some(like) => Some(built_in(like)?),
        };
        let whole =
            if is_whole(&table) { table } else { compose_own(&File { id, table }, parent.as_ref(), &shared()?)? };
        let text = whole::to_text(&whole);
        let sha256 = sha256_of(text.as_bytes());
        let baseline = Baseline { sha256, own_text: Some(text.as_str().into()), ..grammar::read_own(whole)? };
        Ok(Self { baseline, text })
    }
}

/// Returns whether a file is a whole baseline, as `baseline show` prints it. A whole baseline names the files that
/// state its keys, and its `like` is only a note.
pub(crate) fn is_whole(table: &Table) -> bool {
    let keys = table.get("key").and_then(toml::Value::as_array);
    keys.is_some_and(|keys| keys.iter().any(|key| key.get("stated-in").is_some()))
}

/// Returns the whole built-in baseline with this id.
fn built_in(id: &str) -> Result<Table, String> {
    let Some(built_in) = BUILT_IN.iter().find(|built_in| built_in.id == id) else {
        return Err(format!(
            "like names {id:?}, which is not a built-in baseline{}",
            suggestion(id, BUILT_IN.iter().map(|known| known.id))
        ));
    };
    serde_json::from_str(built_in.json).map_err(|error| format!("{id}: {error}"))
}

/// Returns the tables that every file may refer to.
pub(crate) fn shared() -> Result<Shared, String> {
    Ok(Shared {
        texts: tables::read("texts")?,
        templates: tables::read("templates")?,
        sources: tables::read("sources")?,
        names: tables::read("names")?,
    })
}
