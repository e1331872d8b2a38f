//! Shows keys of any hive: as regedit would export them, as JSON, or as a table.
//!
//! Each key is written when the walk reaches it, so that a hive with half a million keys needs no more memory than its
//! longest value. Content that cannot be read, or cannot be expressed in a format, is replaced with a comment or a
//! problem, and [`Shown::complete`] is false.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::discovery::{FoundHive, discover_in};
use crate::error::{Error, Problem};
use crate::evidence::archive::Unpacking;
use crate::evidence::file::File;
use crate::examination::{Opened, Options, open};
use crate::hive::walk::{Visitor, Way, walk_from};
use crate::hive::{self, Hive};
use crate::reg_file::KeyPath;
use crate::registry::Role;
use crate::report::table::Style;

mod form;
mod json;
mod place;
mod question;
mod reg;
mod shower;
mod table;

use form::Form;
pub use question::{Answer, Head, Question};
use shower::Shower;

/// The format in which keys are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// `.reg` text in UTF-8 with LF, for people and their tools.
    RegText,
    /// A `.reg` file as regedit writes it: UTF-16LE with a byte order mark, CRLF.
    RegFile,
    /// JSON: `{"schema_version", "tool", "keys": [{"path", "last_written", "class", "values": [{"name", "type", "data",
    /// "raw"}], "subkeys": [names]}], "problems"}`.
    Json,
    /// A table for people.
    Table(Style),
}

/// Options for opening a hive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOptions {
    /// Replay the transaction logs of a dirty hive in memory.
    pub replay: bool,
    /// Map the file into memory where possible.
    pub map: bool,
    /// Options for archives and images.
    pub unpacking: Unpacking,
    /// The key where the hive is loaded. If it is not set, [`default_root`] applies.
    pub root: Option<String>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { replay: true, map: true, unpacking: Unpacking::default(), root: None }
    }
}

/// A hive whose keys can be shown.
pub struct Subject {
    locator: String,
    file: File,
    hive: Hive,
    role: Role,
    root: KeyPath,
    dirty: bool,
    doubts: Vec<Problem>,
    opened: Vec<PathBuf>,
}

/// A key that was found in a hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Way);

/// The result of showing keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Whether everything that was requested could be read and expressed in the format, and the hive is not dirty.
    pub complete: bool,
    /// The problems, each with its key; at most [`MOST_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// The number of further problems.
    pub more: u64,
}

/// The most problems that are reported one by one. A damaged hive can have millions.
pub const MOST_PROBLEMS: usize = 1000;

/// Returns the key where Windows loads a hive of this role, as far as the role determines it.
pub fn default_root(role: Role) -> &'static str {
    match role {
        Role::Software => r"HKEY_LOCAL_MACHINE\SOFTWARE",
        Role::System => r"HKEY_LOCAL_MACHINE\SYSTEM",
        _ => r"HKEY_LOCAL_MACHINE\HIVE",
    }
}

impl Subject {
    /// Opens the only hive at `path`, with the logs beside it.
    ///
    /// # Errors
    /// Returns an error if there is no hive or more than one, if it cannot be opened, or if `root` is not a key.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, Error> {
        let evidence = [path.to_owned()];
        let discovery = discover_in(&evidence, options.map, &options.unpacking)?;
        if let Some(nothing) = discovery.overview.nothing(&evidence) {
            return Err(nothing);
        }
        let found: Vec<&FoundHive> = discovery.installations.iter().flat_map(|one| &one.hives).collect();
        let [found] = found.as_slice() else {
            let names: Vec<&str> = found.iter().take(8).map(|hive| hive.locator.as_str()).collect();
            let advice = format!("Name one of them: {}", names.join(", "));
            return Err(Error::Refused {
                reason: format!("{}: contains {} hives", path.display(), found.len()),
                advice,
            });
        };
        let opening = Options { replay: options.replay, map: options.map, ..Options::default() };
        let opened = open(found, &opening);
        let doubts = opened.doubts(&opening);
        let dirty = opened.is_dirty();
        let Opened { hive, .. } = opened;
        let hive = hive.map_err(|problem| Error::Refused {
            reason: format!("{}: {problem}", found.locator),
            advice: "Copy the hive again".to_owned(),
        })?;
        let root = KeyPath::from(options.root.as_deref().unwrap_or(default_root(found.role)));
        if !root.has_known_root() || root.names().iter().any(Vec::is_empty) {
            return Err(Error::Usage {
                option: "--root",
                found: options.root.clone().unwrap_or_default(),
                expected: r"It is a key such as HKEY_LOCAL_MACHINE\SOFTWARE, with the root key's long name".to_owned(),
            });
        }
        let opened = discovery.overview.opened;
        Ok(Self {
            locator: found.locator.clone(),
            file: found.file.clone(),
            hive,
            role: found.role,
            root,
            dirty,
            doubts,
            opened,
        })
    }

    /// Returns the hive's name in reports.
    pub fn locator(&self) -> &str {
        &self.locator
    }

    /// Returns the role of the hive.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns SHA-256 of the hive file after decompression.
    ///
    /// # Errors
    /// Returns an error if the file can no longer be read.
    pub fn sha256(&self) -> io::Result<String> {
        self.file.sha256()
    }

    /// Walks a key with the caller's visitor. With `descend`, also all keys below it.
    pub(crate) fn walk(&self, place: &Place, descend: bool, visitor: &mut impl Visitor) {
        walk_from(&self.hive, &place.0, descend, visitor);
    }

    /// Returns the size of the hive in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.hive.size()
    }

    /// Returns every file that was opened to read the hive.
    pub fn opened(&self) -> impl Iterator<Item = &Path> {
        self.opened.iter().map(PathBuf::as_path)
    }

    /// Returns whether the hive is dirty, so that the last changes may be missing.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Returns the problems of the hive as a whole, such as that it is dirty.
    pub fn doubts(&self) -> &[Problem] {
        &self.doubts
    }

    /// Finds a key by its path, which may begin as the help of `show` states. An empty path is the hive's root.
    ///
    /// # Errors
    /// Returns an error if the key does not exist: how much of the path exists, and names similar to the missing one.
    /// The inner result is an error if something on the path cannot be read, so that it is unknown whether the key
    /// exists.
    pub fn find(&self, key: &str) -> Result<Result<Place, Problem>, Error> {
        let found = hive::guarded(|| place::find(self, key)).unwrap_or_else(|problem| Ok(Err(problem)));
        found.map_err(|error| match error {
            Error::NoKey { hive, key, told } if self.dirty => {
                let told = format!(
                    "{told}. The hive is incomplete: the key may be in the transaction logs that are missing here"
                );
                Error::NoKey { hive, key, told }
            }
            error => error,
        })
    }

    /// Writes a key. With `recursive`, also all keys below it, parents first, in the hive's own order.
    ///
    /// # Errors
    /// Returns the error of `out`.
    pub fn write(&self, place: &Place, recursive: bool, layout: Layout, out: &mut dyn Write) -> io::Result<Shown> {
        let mut form: Box<dyn Form + '_> = match layout {
            Layout::RegText => Box::new(reg::Reg::plain(out)?),
            Layout::RegFile => Box::new(reg::Reg::file(out)?),
            Layout::Json => Box::new(json::Json::new(out, &self.doubts)?),
            Layout::Table(style) => Box::new(table::Table::new(out, style)),
        };
        let mut shower = Shower::new(&self.root, self.hive.size(), form.as_mut());
        // A partly written key is useless, so a panic becomes a write error, and the output file is not created.
        hive::guarded(|| walk_from(&self.hive, &place.0, recursive, &mut shower))
            .map_err(|problem| io::Error::other(problem.to_string()))?;
        let mut shown = shower.finish()?;
        form.end(&shown.problems)?;
        shown.complete &= !self.dirty;
        Ok(shown)
    }
}
