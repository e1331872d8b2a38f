//! The data of a value: in its record, in a cell, or in segments.

use std::borrow::Cow;

use super::{Cells, NIL, RawValue, dword, in_file, word};
use crate::error::Problem;

/// The longest data in a plain cell in formats after 1.3. Longer data are split into segments of this size.
pub(crate) const BIG_DATA_SEGMENT: usize = 16_344;
/// More bytes than any Windows stores in one value. A larger size is hostile.
const MAX_DATA: u32 = 64 << 20;

impl<'h> Cells<'h> {
    /// Returns the data of a value.
    pub(crate) fn data(&self, value: &RawValue<'h>) -> Result<Cow<'h, [u8]>, Problem> {
        self.data_in(value, |_| {})
    }

    /// Returns the data of a value. Calls `visit` with the offset of each cell of data or of a list of segments.
    pub(crate) fn data_in(&self, value: &RawValue<'h>, mut visit: impl FnMut(u32)) -> Result<Cow<'h, [u8]>, Problem> {
        let size = usize::try_from(value.size).unwrap_or(usize::MAX);
        if let Some(inline) = value.inline {
            return inline.get(..size).map(Cow::Borrowed).ok_or_else(|| {
                Problem::at(in_file(value.offset), "at most 4 bytes of data inside the value", format!("{size} bytes"))
            });
        }
        if size == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        if value.size > MAX_DATA {
            let found = format!("{size} bytes");
            return Err(Problem::at(in_file(value.offset), format!("at most {MAX_DATA} bytes of data"), found));
        }
        let cell = self.cell(value.data_offset, "a value's data")?;
        visit(value.data_offset);
        if self.minor > 3 && size > BIG_DATA_SEGMENT && cell.starts_with(b"db") {
            return self.big_data(value.data_offset, cell, size, visit).map(Cow::Owned);
        }
        cell.get(..size).map(Cow::Borrowed).ok_or_else(|| {
            Problem::at(in_file(value.data_offset), format!("{size} bytes of data"), format!("{} bytes", cell.len()))
        })
    }

    /// Returns the pieces of a value's data: a cell's offset, or `None` for the value's record, and the bytes there.
    pub(crate) fn data_pieces(&self, value: &RawValue<'h>) -> Result<Vec<(Option<u32>, usize)>, Problem> {
        let mut cells = Vec::new();
        let mut left = self.data_in(value, |cell| cells.push(cell))?.len();
        if value.inline.is_some() {
            return Ok(vec![(None, left)]);
        }
        // Before the segments come the cell that announces them and their list.
        let (head, longest) = if cells.len() > 1 { (2, BIG_DATA_SEGMENT) } else { (0, left) };
        let piece = |cell| {
            let length = left.min(longest);
            left = left.saturating_sub(length);
            (Some(cell), length)
        };
        Ok(cells.into_iter().skip(head).map(piece).collect())
    }

    fn big_data(&self, offset: u32, cell: &[u8], size: usize, mut visit: impl FnMut(u32)) -> Result<Vec<u8>, Problem> {
        let count = usize::from(word(cell, 2).unwrap_or(0));
        if count != size.div_ceil(BIG_DATA_SEGMENT) {
            let expected = format!("big data in {} segments", size.div_ceil(BIG_DATA_SEGMENT));
            return Err(Problem::at(in_file(offset), expected, format!("{count} segments")));
        }
        let list_offset = dword(cell, 4).unwrap_or(NIL);
        let list = self.cell(list_offset, "a list of big data segments")?;
        visit(list_offset);
        let mut data = Vec::new();
        for segment in list.as_chunks::<4>().0.iter().take(count) {
            let segment = u32::from_le_bytes(*segment);
            let content = self.cell(segment, "a big data segment")?;
            visit(segment);
            let wanted = size.saturating_sub(data.len()).min(BIG_DATA_SEGMENT);
            let Some(content) = content.get(..wanted) else {
                let found = format!("{} bytes", content.len());
                return Err(Problem::at(in_file(segment), format!("a big data segment of {wanted} bytes"), found));
            };
            data.extend_from_slice(content);
        }
        if data.len() == size {
            Ok(data)
        } else {
            Err(Problem::at(in_file(offset), format!("{size} bytes of big data"), format!("{} bytes", data.len())))
        }
    }

    /// Returns whether hivex can read this value's data. Without data, hivex still follows the offset to a cell.
    pub(crate) fn hivex_reads(&self, value: &RawValue<'h>) -> bool {
        value.inline.is_some() || value.size > 0 || self.cell(value.data_offset, "a value's data").is_ok()
    }

    /// Returns whether one cell contains more data of the value than Windows of this format stores in a cell.
    pub(crate) fn is_too_long_for_its_cell(&self, value: &RawValue<'h>) -> bool {
        let is_long = usize::try_from(value.size).is_ok_and(|size| size > BIG_DATA_SEGMENT);
        let cell = || self.cell(value.data_offset, "a value's data");
        self.minor > 3 && is_long && value.inline.is_none() && cell().is_ok_and(|cell| !cell.starts_with(b"db"))
    }

    /// Returns whether nt-hive reads the data of this value correctly. It reads all data over 16,344 bytes as big data
    /// even in format 1.3, and follows the offset of a value of size 0.
    pub(crate) fn nt_hive_reads(&self, value: &RawValue<'h>) -> bool {
        let in_big_data = usize::try_from(value.size).is_ok_and(|size| size > BIG_DATA_SEGMENT);
        value.inline.is_some() || (value.size > 0 && !in_big_data) || (in_big_data && self.minor > 3)
    }
}
