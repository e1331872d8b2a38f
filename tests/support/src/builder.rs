//! Builds registry hives for tests, examples, and benchmarks, with the same bytes each time.
//!
//! A builder of our own is necessary because no library writes hives with chosen times, versions, and defects. Hives
//! that none of our readers wrote also test the readers better. The builder depends only on `std` and on no module of
//! hivemend, so that it cannot hide a mistake there.
//!
//! A [`Hive`] contains a tree of [`Key`]s. [`Hive::build`] lays it out as Windows does and returns a [`Built`] with the
//! place of each record, so that a test can damage exactly that record:
//!
//! ```text
//! let mut hive = Hive::new("ROOT");
//! hive.root.create(r"Microsoft\Windows").set_dword("Start", 3);
//! let mut built = hive.build();
//! let start = built.value(r"Microsoft\Windows", "Start").vk;
//! built.put(start.payload(), b"xx"); // its signature was "vk"
//! ```
//!
//! The order in the file is: the root key, the security descriptor, then each key with its class, values, and data,
//! parents before children, and finally the lists of subkeys. The rest of each bin is a free cell.
//!
//! The facts of the format are from Maxim Suhanov's specification (github.com/msuhanov/regf).

mod arena;
mod base_block;
mod built;
mod cells;
mod layout;
mod lists;
pub mod log;
mod names;
mod security;
mod tree;

pub use base_block::{BaseBlock, FileType, checksum, fix_checksum};
pub use built::{Built, Cell, DataLocation, KeyLocation, SubkeyListLocation, ValueLocation};
pub use lists::ListKind;
pub use names::{units, upcase, utf16le};
pub use security::{Entry, descriptor};
pub use tree::{Key, Value, reg_type};

/// The offset of the hive bins in a file. Every bin's size is a multiple of it.
pub const PAGE: usize = 4096;

/// The offset that means "no cell".
pub const NIL: u32 = u32::MAX;

/// Value data that are longer are split into segments of this size, from format 1.4 on.
pub const BIG_DATA_SEGMENT: usize = 16_344;

/// 2010-01-01 00:00:00 UTC, the default time.
pub const DEFAULT_TIME: u64 = 129_067_776_000_000_000;

/// A hive to be built.
#[derive(Debug, Clone)]
pub struct Hive {
    /// The root key. Its name is never part of a path.
    pub root: Key,
    /// The minor version of the format: 3 is Windows NT 4 and 2000, 5 Windows XP and later, 6 layered hives.
    pub minor: u32,
    /// Incremented when a write begins. It differs from the secondary number in a dirty hive.
    pub primary_sequence: u32,
    /// Incremented when a write has ended.
    pub secondary_sequence: u32,
    /// When the hive was last written: 100 ns since 1601, in the base block and in the first bin.
    pub last_written: u64,
    /// The file name in the base block. As in Windows, its last 31 UTF-16 units are kept.
    pub file_name: Vec<u16>,
    /// The kind of the lists of subkeys.
    pub list_kind: ListKind,
    /// The checksum of the base block, if it should be wrong.
    pub checksum: Option<u32>,
}

impl Hive {
    /// Returns a clean, empty hive of format 1.5.
    pub fn new(root_name: &str) -> Self {
        Self {
            root: Key::new(root_name),
            minor: 5,
            primary_sequence: 1,
            secondary_sequence: 1,
            last_written: DEFAULT_TIME,
            file_name: Vec::new(),
            list_kind: ListKind::Auto,
            checksum: None,
        }
    }

    /// Lays the hive out.
    pub fn build(&self) -> Built {
        layout::build(self)
    }

    /// Returns the hive as a file, without the places of its records.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.build().bytes
    }

    /// Returns the base block of this hive for bins of this total size. A transaction log begins with a variant of it.
    pub fn base_block(&self, hive_bins_size: u32) -> BaseBlock {
        BaseBlock {
            primary_sequence: self.primary_sequence,
            secondary_sequence: self.secondary_sequence,
            last_written: self.last_written,
            minor: self.minor,
            file_type: FileType::Primary,
            root_cell: layout::ROOT_CELL,
            hive_bins_size,
            file_name: self.file_name.clone(),
            checksum: self.checksum,
        }
    }
}
