//! Makes registry hives for tests, examples and benchmarks, byte for byte the same each time.
//!
//! Why one of our own: no library makes a hive with times, versions and defects of one's choice, and what none
//! of our readers wrote is a better test of them. It depends on nothing but `std` and on no module of hivemend,
//! so that a mistake there cannot hide here.
//!
//! A [`Hive`] holds a tree of [`Key`]s. [`Hive::build`] lays it out as Windows does and tells, in a [`Built`],
//! where each record went, so that a test can damage exactly that one:
//!
//! ```text
//! let mut hive = Hive::new("ROOT");
//! hive.root.create(r"Microsoft\Windows").set_dword("Start", 3);
//! let mut built = hive.build();
//! let start = built.value(r"Microsoft\Windows", "Start").vk;
//! built.put(start.payload(), b"xx"); // its signature was "vk"
//! ```
//!
//! The order in the file: the root key first, then the security descriptor, then each key with its class,
//! values and data, parents before children, then the lists of subkeys. The rest of each bin is a free cell.
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

/// Where the hive bins begin in a file, and what every bin's size is a multiple of.
pub const PAGE: usize = 4096;

/// The offset that means "none".
pub const NIL: u32 = u32::MAX;

/// Value data longer than this are cut into segments of this size, from format 1.4 on.
pub const BIG_DATA_SEGMENT: usize = 16_344;

/// 2010-01-01 00:00:00 UTC, the time of everything that is not given another.
pub const DEFAULT_TIME: u64 = 129_067_776_000_000_000;

/// A hive to be built.
#[derive(Debug, Clone)]
pub struct Hive {
    /// The root key; its name is never part of a path.
    pub root: Key,
    /// The minor version of the format: 3 is Windows NT 4 and 2000, 5 Windows XP and later, 6 layered hives.
    pub minor: u32,
    /// Raised when a write begins; differs from the secondary one in a dirty hive.
    pub primary_sequence: u32,
    /// Raised when a write has ended.
    pub secondary_sequence: u32,
    /// When the hive was last written: 100 ns since 1601, in the base block and in the first bin.
    pub last_written: u64,
    /// The file name in the base block; its last 31 UTF-16 units are kept, as in Windows.
    pub file_name: Vec<u16>,
    /// Which lists name the subkeys.
    pub list_kind: ListKind,
    /// The checksum of the base block, if not the right one.
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

    /// Returns the hive as a file, for those who need not know where things are.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.build().bytes
    }

    /// Returns the base block of this hive for bins of that total size; a transaction log begins with a variant of it.
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
