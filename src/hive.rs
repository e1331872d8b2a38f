//! One hive: its integrity, and its tree of keys and values.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::evidence::{Bytes, SMALLEST_MAPPED};
use crate::registry::Role;
use replay::Writes;

pub mod base_block;
mod budget;
mod cell;
mod list;
pub mod merge;
mod names;
mod overlay;
pub mod replay;
mod times;
pub mod transaction_log;
mod tree;
pub mod walk;

pub use base_block::BaseBlock;
pub use overlay::Overlay;
pub use replay::{LogEntry, LogPart, Outcome, Replay};
pub use times::OddTime;
pub use tree::{Descent, Key, Location, NamedValue, Tree, WrittenBy, guarded};

/// The most unreadable ranges of a file that are reported one by one.
const MOST_UNREAD: usize = 100;

/// An open hive: its bytes and its base block.
pub struct Hive {
    bytes: Bytes,
    base_block: BaseBlock,
    /// The base block in the primary file, before replay.
    as_it_lies: BaseBlock,
    /// The size of the primary file in bytes.
    size_as_it_lies: u64,
    /// What logs wrote into the hive.
    writes: Writes,
}

/// The file of a hive. What a dirty one lacks is in its transaction logs, so who reads it says what becomes of them:
/// [`HiveFile::replay`] or [`HiveFile::as_it_lies`].
pub struct HiveFile(Hive);

impl HiveFile {
    /// Returns the base block.
    pub fn base_block(&self) -> &BaseBlock {
        &self.0.base_block
    }

    /// Returns the hive without its logs. If it is dirty, changes may be missing, and some may be written in part.
    pub fn as_it_lies(self) -> Hive {
        self.0
    }

    /// Returns the hive with its transaction logs, each with its name, replayed in memory, and what became of them. See
    /// [`replay::replay`].
    pub fn replay(self, logs: &[(&str, &[u8])]) -> (Hive, Outcome) {
        let mut hive = self.0;
        let mut outcome = replay::replay(&mut hive.bytes, logs);
        hive.writes = std::mem::take(&mut outcome.writes);
        if outcome.replay.is_some()
            && let Ok(base_block) = BaseBlock::read(&hive.bytes)
        {
            hive.base_block = base_block;
        }
        (hive, outcome)
    }
}

/// How far a hive can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Clean: the last write was completed.
    Clean,
    /// Dirty, and its transaction logs were replayed in memory.
    Recovered,
    /// Dirty, and read without its logs: changes in transaction logs may be missing.
    Dirty,
    /// Damaged: something in the hive cannot be read.
    Damaged,
}

impl Hive {
    /// Opens the hive at `path`. See [`Bytes::open`] for `map`.
    ///
    /// # Errors
    /// Returns the error of the operating system for the file. The inner result describes what was found instead of a
    /// hive.
    pub fn open(path: &Path, map: bool) -> io::Result<Result<HiveFile, Problem>> {
        Ok(Self::from_bytes(Bytes::open(path, map)?))
    }

    /// Returns a hive from its bytes. A hive that has lost its base block is read from its hive bins as far as they
    /// allow.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a hive's.
    pub fn from_bytes(bytes: Bytes) -> Result<HiveFile, Problem> {
        let mut bytes = bytes;
        let base_block = BaseBlock::read(&bytes).or_else(|problem| {
            bytes.whole();
            BaseBlock::lost(&bytes).ok_or(problem)
        })?;
        if let Some(problem) = base_block.unsupported() {
            return Err(problem);
        }
        if bytes.len() <= base_block::SIZE {
            return Err(Problem::at(
                base_block::SIZE as u64,
                "hive bins behind the base block",
                format!("the end of the file, at {} bytes", bytes.len()),
            ));
        }
        let size_as_it_lies = bytes.len() as u64;
        let as_it_lies = base_block.clone();
        Ok(HiveFile(Self { bytes, as_it_lies, base_block, size_as_it_lies, writes: Writes::default() }))
    }

    /// Returns the bytes, if they were read whole and were few enough to be read and not mapped.
    pub(crate) fn into_small(self) -> Option<Vec<u8>> {
        match self.bytes {
            Bytes::Read(bytes) if bytes.len() as u64 <= SMALLEST_MAPPED => Some(bytes),
            _ => None,
        }
    }

    /// Makes sure that every byte can be read, for a walk of the whole hive. See [`Bytes::whole`].
    pub fn read_whole(&mut self) {
        self.bytes.whole();
    }

    /// Returns the base block, with log replay applied.
    pub fn base_block(&self) -> &BaseBlock {
        &self.base_block
    }

    /// Returns the base block in the file, without log replay.
    pub fn base_block_as_it_lies(&self) -> &BaseBlock {
        &self.as_it_lies
    }

    /// Returns the bytes of the hive in memory, with log replay applied. Of a mapped file, call [`Hive::read_whole`]
    /// before.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the damage of the hive as a whole: of its base block, and ranges of the file that could not be read.
    pub fn problems(&self) -> Vec<Problem> {
        let unread = self.bytes.unread();
        let unread = unread.iter().take(MOST_UNREAD).map(|range| {
            let found = format!("{} bytes that cannot be read", range.end.saturating_sub(range.start));
            Problem::at(range.start, "a file that can be read", found).advise(
                "make another copy or image of the disk; until then, the keys and values in these bytes are missing",
            )
        });
        let mut problems = self.base_block.problems(self.size());
        problems.extend(unread);
        problems
    }

    /// Returns the size in bytes: that of the file, unless log replay made the hive longer.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns the tree of keys. [`Tree::problems`] reports the damage that reading the tree reveals.
    pub fn tree(&self) -> Tree<'_> {
        Tree::new(self)
    }
}

/// Detects the role of a hive from its keys. Returns `None` if the root cannot be read.
pub fn role(tree: &Tree<'_>) -> Option<Role> {
    let root = tree.root().ok()?;
    let has = |path: &str| matches!(tree.key(path), Ok(Some(_)));
    let names = root.subkey_names();
    let holds = |name: &str| names.iter().any(|known| crate::registry::same_text(known, name));
    let control_set = names.iter().any(|name| name.to_ascii_lowercase().starts_with("controlset"));
    Some(if control_set && (holds("Select") || holds("Setup") || holds("MountedDevices")) {
        Role::System
    } else if holds("Microsoft") && (holds("Classes") || windows_version(tree)) {
        Role::Software
    } else if holds("SAM") {
        Role::Sam
    } else if (holds("Policy") || holds("RXACT")) && !holds("Software") {
        Role::Security
    } else if holds("Control Panel") && holds("Software") {
        // DEFAULT is the profile of the system account, with the same keys as a user's profile.
        Role::Ntuser
    } else if holds("Local Settings") || (holds("CLSID") && holds("Software")) {
        Role::UsrClass
    } else if holds("DerivedData") || holds("CanonicalData") {
        Role::Components
    } else if holds("DriverDatabase") {
        Role::Drivers
    } else if holds("Objects") && holds("Description") {
        Role::Bcd
    } else if has(r"Root\InventoryApplicationFile") || has(r"Root\File") {
        Role::Amcache
    } else {
        Role::Unknown
    })
}

/// Returns whether `Microsoft\Windows NT\CurrentVersion` names a Windows. A user's hive has this key without the value.
fn windows_version(tree: &Tree<'_>) -> bool {
    let key = tree.key(r"Microsoft\Windows NT\CurrentVersion").ok().flatten();
    key.is_some_and(|key| !matches!(key.value("CurrentVersion"), Ok(None)))
}
