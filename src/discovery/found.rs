//! The finder's result for one file system: folders, and the files in them that can matter.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::layout::Place;
use super::{Generation, Hibernation, name};
use crate::error::Problem;
use crate::evidence::file::{File, Origin};
use crate::evidence::file_system::Vouched;
use crate::evidence::ledger::SourceId;
use crate::evidence::locator::Name;

/// The part of a file system that can matter.
#[derive(Clone, Debug, Default)]
pub(super) struct FoundTree {
    /// The folders, by the names below the root.
    pub(super) folders: BTreeMap<Vec<Name>, FoundFolder>,
    /// The container of its files; `None` for a folder of this machine.
    pub(super) origin: Option<Origin>,
    /// Its number in the ledger that came with it.
    pub(super) source: Option<SourceId>,
}

/// A folder with files that are worth opening.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FoundFolder {
    /// Its name in reports.
    pub(super) locator: String,
    /// The kind of place.
    pub(super) place: Place,
    /// Whether hives of any role count; otherwise only SOFTWARE and SYSTEM do.
    pub(super) any_role: bool,
    /// Whether the user named the files one by one, not the folder.
    pub(super) named: bool,
    /// The files, by name. Boxed: a map keeps room for many, and most folders with a hive have two.
    #[serde(with = "pairs")]
    pub(super) files: BTreeMap<Name, Box<FoundFile>>,
    /// The state of the volume's hibernation file, if this is the volume's `Windows/System32/config`.
    pub(super) hibernation: Option<Hibernation>,
}

impl FoundFolder {
    /// Returns the paths of the files that are hives or transaction logs.
    pub(super) fn hives_and_logs(&self) -> impl Iterator<Item = &PathBuf> {
        let is_one = |name: &Name, file: &FoundFile| {
            matches!(file.content, Content::Hive | Content::Log) || name::is_log(&name.to_string())
        };
        self.files.iter().filter(move |(name, file)| is_one(name, file)).map(|(_, file)| &file.file.path)
    }

    /// Returns the folder without its files.
    pub(super) fn without_files(&self) -> Self {
        Self { locator: self.locator.clone(), files: BTreeMap::new(), ..*self }
    }
}

/// A file that can matter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FoundFile {
    /// Its name in reports.
    pub(super) locator: String,
    /// The kind of file, by its first bytes.
    pub(super) content: Content,
    /// The file to open. Only the bytes of hives and logs are kept.
    pub(super) file: File,
    /// The size in bytes.
    pub(super) size: u64,
    /// Whether a checksum proves its bytes.
    pub(super) vouched: Vouched,
    /// The file's container, if it is another one than its tree's.
    pub(super) origin: Option<Origin>,
    /// Whether the user named it.
    pub(super) named: bool,
    /// Whether it is a log from another archive than its hive.
    pub(super) is_lent: bool,
    /// Why the file is unreadable; `None` if it is readable.
    pub(super) unreadable: Option<Problem>,
}

impl Default for Place {
    fn default() -> Self {
        Self { generation: Generation::Copy, known: false, of_windows: false, regback: false }
    }
}

/// Stores maps whose keys are not strings in JSON, as a list of pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::<(K, V)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}
