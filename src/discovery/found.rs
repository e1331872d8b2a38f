//! What the finder found in one file system: folders, and the files in them that can matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::layout::Place;
use super::{Generation, Hibernation};
use crate::error::Problem;
use crate::evidence::file::{File, Origin};
use crate::evidence::file_system::Vouched;
use crate::evidence::ledger::SourceId;
use crate::evidence::locator::Name;

/// A file system, as far as something of it can matter.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct FoundTree {
    /// Its folders, by the names on the way to them from the root.
    #[serde(with = "pairs")]
    pub(super) folders: BTreeMap<Vec<Name>, FoundFolder>,
    /// What its files were taken out of; `None` for a folder of this machine.
    pub(super) origin: Option<Origin>,
    /// Its entry in the ledger that came with it.
    pub(super) source: Option<SourceId>,
}

/// A folder that holds files worth opening.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FoundFolder {
    /// How reports name it.
    pub(super) locator: String,
    /// What kind of place it is.
    pub(super) place: Place,
    /// Whether hives of any role count; otherwise SOFTWARE and SYSTEM do.
    pub(super) any_role: bool,
    /// Whether the user named the files, and not the folder.
    pub(super) named: bool,
    /// The files, by name.
    #[serde(with = "pairs")]
    pub(super) files: BTreeMap<Name, FoundFile>,
    /// What the hibernation file of the volume says whose `Windows/System32/config` this is.
    pub(super) hibernation: Option<Hibernation>,
}

/// A file that can matter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FoundFile {
    /// How reports name it.
    pub(super) locator: String,
    /// What its first bytes say.
    pub(super) content: Content,
    /// Where to open it. Of what is no hive and no log, nothing is kept.
    pub(super) file: File,
    /// Bytes.
    pub(super) size: u64,
    /// Whether somebody vouches for its bytes.
    pub(super) vouched: Vouched,
    /// What it was taken out of, where that is not what its tree was.
    pub(super) origin: Option<Origin>,
    /// Whether the user named it.
    pub(super) named: bool,
    /// Why it cannot be read, where it cannot.
    pub(super) unreadable: Option<Problem>,
}

impl Default for Place {
    fn default() -> Self {
        Self { generation: Generation::Copy, known: false, of_windows: false, regback: false }
    }
}

/// Maps whose keys are no strings, as JSON has them: a list of pairs.
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
