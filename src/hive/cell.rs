//! Checked raw access to cells: every offset, size, and count is checked here before other code uses it.
//!
//! Offsets in a hive count from the end of the base block; offsets in a [`Problem`] count from the start of the file.
//! Layouts: M. Suhanov, "Windows registry file format specification", sections "Hive bin" to "Big data".

use std::borrow::Cow;

use super::base_block;
use crate::error::Problem;
use crate::evidence::Holes;
use crate::registry::{self, DataType, FileTime};

mod data;
mod lists;

pub(crate) use data::BIG_DATA_SEGMENT;
pub(crate) use lists::{Entry, Hint, Listing, Reader};

/// The offset that means "no cell".
pub(crate) const NIL: u32 = u32::MAX;

/// The flag of a symbolic link, `KEY_SYM_LINK`.
const SYMBOLIC_LINK: u16 = 0x10;
/// The flag of a key whose name is stored with one byte per letter.
const COMPRESSED_NAME: u16 = 0x20;
/// The flag of a key that stands for a predefined handle, such as `Perflib\009`.
const PREDEFINED_HANDLE: u16 = 0x40;

/// The hive bins of one hive, up to the end that its base block declares.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'h> {
    pub(crate) bytes: &'h [u8],
    minor: u32,
    /// The bytes of the file that cannot be read.
    holes: Holes<'h>,
}

/// A decoded key node. Offsets are as stored in the file.
pub(crate) struct RawKey<'h> {
    pub(crate) offset: u32,
    pub(crate) last_written: FileTime,
    pub(crate) name: Name<'h>,
    /// The offset of the parent according to the key. It has no meaning in the root.
    pub(crate) parent: u32,
    /// Whether Windows reads another key instead: the one that its `SymbolicLinkValue` names.
    pub(crate) is_link: bool,
    /// How the key overlays that of another hive, in format 1.6; 0 if it does not.
    pub(crate) layer: u8,
    /// The offset of its security descriptor.
    pub(crate) security: u32,
    /// The offset of its class name, and its length in bytes; 0 if it has none.
    pub(crate) class: (u32, u16),
    /// The stored number of subkeys.
    pub(crate) subkey_count: u32,
    subkey_list: u32,
    /// The stored number of values.
    pub(crate) value_count: u32,
    pub(crate) value_list: u32,
}

impl<'h> RawKey<'h> {
    /// Returns an empty key without a cell.
    pub(crate) fn nowhere(name: Name<'h>, last_written: FileTime) -> Self {
        Self {
            offset: NIL,
            last_written,
            name,
            parent: NIL,
            is_link: false,
            layer: 0,
            security: NIL,
            class: (NIL, 0),
            subkey_count: 0,
            subkey_list: NIL,
            value_count: 0,
            value_list: NIL,
        }
    }
}

/// A decoded value.
pub(crate) struct RawValue<'h> {
    pub(crate) offset: u32,
    pub(crate) name: Name<'h>,
    pub(crate) data_type: DataType,
    /// Whether it marks a value of another hive as absent, in format 1.6.
    pub(crate) tombstone: bool,
    size: u32,
    inline: Option<&'h [u8]>,
    data_offset: u32,
}

impl RawValue<'_> {
    /// Returns the bytes of data that are stored outside the value's record.
    pub(crate) fn stored_bytes(&self) -> usize {
        if self.inline.is_some() { 0 } else { usize::try_from(self.size).unwrap_or(usize::MAX) }
    }
}

/// A name as stored: one byte per unit if possible, otherwise UTF-16.
#[derive(Clone, Copy)]
pub(crate) enum Name<'h> {
    Latin1(&'h [u8]),
    Utf16(&'h [u8]),
}

impl<'h> Name<'h> {
    /// Returns the name's UTF-16 units.
    pub(crate) fn units(self) -> impl Iterator<Item = u16> + 'h {
        let (narrow, wide) = match self {
            Self::Latin1(bytes) => (bytes, &[][..]),
            Self::Utf16(bytes) => (&[][..], bytes.as_chunks::<2>().0),
        };
        narrow.iter().map(|byte| u16::from(*byte)).chain(wide.iter().map(|pair| u16::from_le_bytes(*pair)))
    }

    /// Returns the name as text, without a copy if it is ASCII in one byte a letter, as almost every name is. Unpaired
    /// surrogates become U+FFFD. Comparisons never use this text.
    pub(crate) fn text(self) -> Cow<'h, str> {
        if let Self::Latin1(bytes) = self
            && bytes.is_ascii()
            && let Ok(text) = str::from_utf8(bytes)
        {
            return Cow::Borrowed(text);
        }
        char::decode_utf16(self.units()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }

    /// Returns the length of the name in bytes, as stored.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Latin1(bytes) | Self::Utf16(bytes) => bytes.len(),
        }
    }

    /// Returns the number of UTF-16 units of the name.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Latin1(bytes) => bytes.len(),
            Self::Utf16(bytes) => bytes.len() / 2,
        }
    }

    /// Returns whether Windows treats this name as `name`.
    pub(crate) fn is(self, name: &str) -> bool {
        // Almost every name is ASCII, and stored in one byte a letter.
        if let Self::Latin1(bytes) = self
            && bytes.is_ascii()
            && name.is_ascii()
        {
            return bytes.eq_ignore_ascii_case(name.as_bytes());
        }
        registry::same_name(self.units(), name.encode_utf16())
    }
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

/// Returns the position of a cell offset in the file.
pub(crate) fn in_file(offset: u32) -> u64 {
    u64::from(offset).saturating_add(base_block::SIZE as u64)
}

#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

#[inline]
fn dword(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

impl<'h> Cells<'h> {
    /// Returns the cells of a whole hive file. `data_size` is the size in its base block.
    pub(crate) fn new(file: &'h [u8], data_size: u32, minor: u32) -> Self {
        let bins = file.get(base_block::SIZE..).unwrap_or_default();
        let declared = usize::try_from(data_size).unwrap_or(usize::MAX);
        Self { bytes: bins.get(..declared).unwrap_or(bins), minor, holes: Holes::Known(&[]) }
    }

    /// Leaves out cells in bytes of the file that cannot be read.
    pub(crate) fn without(self, holes: Holes<'h>) -> Self {
        Self { holes, ..self }
    }

    /// Returns whether a part of the bytes at a cell offset could not be read.
    fn is_unread(&self, offset: u32, length: usize) -> bool {
        self.holes.touch(in_file(offset), length as u64)
    }

    /// Returns the content of the allocated cell at `offset`, after its size field.
    pub(crate) fn cell(&self, offset: u32, what: &str) -> Result<&'h [u8], Problem> {
        let fail = |found: String| Err(Problem::at(in_file(offset), what, found));
        if offset == NIL {
            return Err(Problem::at(0, what, "an offset that points nowhere (0xffffffff)"));
        }
        let rest = usize::try_from(offset).ok().and_then(|start| self.bytes.get(start..));
        let Some(rest) = rest.filter(|rest| rest.len() >= 4) else {
            return fail(format!("an offset past the end of the hive bins ({:#x} bytes)", self.bytes.len()));
        };
        if self.is_unread(offset, 4) {
            return fail("bytes that cannot be read".to_owned());
        }
        // An allocated cell has a negative size, which includes the size field.
        let size = rest.first_chunk().map_or(0, |chunk| i32::from_le_bytes(*chunk));
        if size >= 0 {
            return fail(if size == 0 { "a cell of size 0".into() } else { "a free cell".into() });
        }
        let length = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
        match rest.get(4..length) {
            Some(_) if self.is_unread(offset, length) => fail("bytes that cannot be read".to_owned()),
            Some(content) => Ok(content),
            None => fail(format!("a cell of {length} bytes, which runs past the end of the hive bins")),
        }
    }

    /// Returns the key node at `offset`.
    pub(crate) fn key(&self, offset: u32) -> Result<RawKey<'h>, Problem> {
        let cell = self.cell(offset, "a key node (nk)")?;
        let decode = || -> Option<RawKey<'h>> {
            let (cell, name) = cell.split_first_chunk::<76>()?;
            let name_bytes = name.get(..usize::from(word(cell, 72)?))?;
            let flags = word(cell, 2)?;
            let compressed = flags & COMPRESSED_NAME != 0;
            // A predefined handle is stored in the field of the count, so it is not a count.
            let values = dword(cell, 36)?;
            let handle = flags & PREDEFINED_HANDLE != 0 && values & 0x8000_0000 != 0;
            Some(RawKey {
                offset,
                last_written: FileTime(u64::from(dword(cell, 4)?) | u64::from(dword(cell, 8)?) << 32),
                name: if compressed { Name::Latin1(name_bytes) } else { Name::Utf16(name_bytes) },
                subkey_count: dword(cell, 20)?,
                subkey_list: dword(cell, 28)?,
                value_count: if handle { 0 } else { values },
                value_list: dword(cell, 40)?,
                parent: dword(cell, 16)?,
                is_link: flags & SYMBOLIC_LINK != 0,
                layer: if self.minor > 5 { *cell.get(13)? & 3 } else { 0 },
                security: dword(cell, 44)?,
                class: (dword(cell, 48)?, word(cell, 74)?),
            })
        };
        let found = cell.get(..2).unwrap_or_default();
        if found != b"nk" {
            return Err(Problem::at(
                in_file(offset),
                "a key node (nk)",
                format!("the signature \"{}\"", found.escape_ascii()),
            ));
        }
        decode().ok_or_else(|| {
            Problem::at(in_file(offset), "a key node (nk) with its name", format!("a cell of {} bytes", cell.len()))
        })
    }

    /// Returns the security descriptor in the record at `offset`, as stored.
    pub(crate) fn security(&self, offset: u32) -> Result<&'h [u8], Problem> {
        let cell = self.cell(offset, "a security descriptor (sk)")?;
        let found = cell.get(..2).unwrap_or_default();
        if found != b"sk" {
            let found = format!("the signature \"{}\"", found.escape_ascii());
            return Err(Problem::at(in_file(offset), "a security descriptor (sk)", found));
        }
        let size = dword(cell, 16).and_then(|size| usize::try_from(size).ok());
        let descriptor = size.and_then(|size| cell.get(20..)?.get(..size));
        descriptor.ok_or_else(|| {
            let found = format!("a cell of {} bytes", cell.len());
            Problem::at(in_file(offset), "a security descriptor (sk) of the size that it claims", found)
        })
    }

    /// Returns the value at `offset`, without its data.
    pub(crate) fn value(&self, offset: u32) -> Result<RawValue<'h>, Problem> {
        let cell = self.cell(offset, "a value (vk)")?;
        let decode = || -> Option<RawValue<'h>> {
            let (head, name) = cell.split_first_chunk::<20>()?;
            let name_bytes = name.get(..usize::from(word(head, 2)?))?;
            let flags = word(head, 16)?;
            let compressed = flags & 1 != 0;
            let stored_size = dword(head, 4)?;
            let size = stored_size & 0x7fff_ffff;
            // The top bit means that up to four bytes are stored in the field of the offset.
            let inline = if stored_size == size { None } else { Some(cell.get(8..12)?) };
            Some(RawValue {
                offset,
                name: if compressed { Name::Latin1(name_bytes) } else { Name::Utf16(name_bytes) },
                data_type: DataType(dword(head, 12)?),
                tombstone: self.minor > 5 && flags & 2 != 0,
                size,
                inline,
                data_offset: dword(head, 8)?,
            })
        };
        let found = cell.get(..2).unwrap_or_default();
        if found != b"vk" {
            let found = format!("the signature \"{}\"", found.escape_ascii());
            return Err(Problem::at(in_file(offset), "a value (vk)", found));
        }
        decode().ok_or_else(|| {
            Problem::at(in_file(offset), "a value (vk) with its name", format!("a cell of {} bytes", cell.len()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    /// Zeros in place of lost bytes are never a key, a value or data.
    #[test]
    fn a_cell_is_lost_with_any_of_its_bytes() {
        let mut file = vec![0; base_block::SIZE + 64];
        for at in [32, 48] {
            file[base_block::SIZE + at..][..4].copy_from_slice(&(-16_i32).to_le_bytes());
        }
        let of = |unread: &[Range<u64>]| {
            let cells = Cells::new(&file, 64, 5).without(Holes::Known(unread));
            [32, 48].map(|at| cells.cell(at, "a cell").map(<[u8]>::len).map_err(|problem| problem.found))
        };
        let lost = || Err("bytes that cannot be read".to_owned());
        let at = |start: u64, end: u64| start + base_block::SIZE as u64..end + base_block::SIZE as u64;
        assert_eq!(of(&[]), [Ok(12), Ok(12)]);
        assert_eq!(of(&[at(0, 32), at(64, 80)]), [Ok(12), Ok(12)]);
        assert_eq!(of(&[at(0, 33)]), [lost(), Ok(12)]);
        assert_eq!(of(&[at(0, 8), at(47, 48)]), [lost(), Ok(12)]);
        assert_eq!(of(&[at(40, 100)]), [lost(), lost()]);
    }
}
