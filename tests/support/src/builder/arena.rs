//! The hive bins, in which cells are allocated one after another.

use super::built::Cell;
use super::{NIL, PAGE};

/// The size of a bin's header.
const BIN_HEADER: usize = 32;

/// A file that grows bin by bin. Its first page is reserved for the base block.
pub(super) struct Arena {
    bytes: Vec<u8>,
    bins: Vec<usize>,
    free: Vec<Cell>,
    /// The file offset of the next cell.
    next: usize,
    last_written: u64,
}

impl Arena {
    /// Returns an arena without bins. The first bin will have this time.
    pub(super) fn new(last_written: u64) -> Self {
        Self { bytes: vec![0; PAGE], bins: Vec::new(), free: Vec::new(), next: PAGE, last_written }
    }

    /// Allocates a cell for `payload` bytes. A cell never crosses the end of a bin; a large one gets a larger bin.
    pub(super) fn reserve(&mut self, payload: usize) -> Cell {
        let size = (payload + 4).next_multiple_of(8);
        if self.next + size > self.bytes.len() {
            self.close_bin();
            self.open_bin(size);
        }
        let cell = Cell::at(self.next);
        let header = i32::try_from(size).expect("a cell is smaller than 2 GiB");
        self.put(self.next, &(-header).to_le_bytes());
        self.next += size;
        cell
    }

    /// Allocates a cell with these bytes.
    pub(super) fn store(&mut self, payload: &[u8]) -> Cell {
        let cell = self.reserve(payload.len());
        self.fill(cell, payload);
        cell
    }

    /// Writes the contents of a reserved cell.
    pub(super) fn fill(&mut self, cell: Cell, payload: &[u8]) {
        self.put(cell.payload(), payload);
    }

    /// Returns the file, the offsets of its bins, and its free cells.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<usize>, Vec<Cell>) {
        self.close_bin();
        (self.bytes, self.bins, self.free)
    }

    fn open_bin(&mut self, cell_size: usize) {
        let start = self.bytes.len();
        let size = (BIN_HEADER + cell_size).next_multiple_of(PAGE);
        let offset = u32::try_from(start - PAGE).ok().filter(|&offset| offset != NIL);
        self.bytes.resize(start + size, 0);
        self.put(start, b"hbin");
        self.put(start + 4, &offset.expect("a hive is smaller than 4 GiB").to_le_bytes());
        self.put(start + 8, &u32::try_from(size).expect("a bin is smaller than 4 GiB").to_le_bytes());
        if self.bins.is_empty() {
            self.put(start + 20, &self.last_written.to_le_bytes());
        }
        self.bins.push(start);
        self.next = start + BIN_HEADER;
    }

    /// Converts the rest of the last bin to a free cell.
    fn close_bin(&mut self) {
        let left = self.bytes.len() - self.next;
        if left > 0 {
            let header = u32::try_from(left).expect("a bin is smaller than 4 GiB");
            self.put(self.next, &header.to_le_bytes());
            self.free.push(Cell::at(self.next));
            self.next = self.bytes.len();
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
