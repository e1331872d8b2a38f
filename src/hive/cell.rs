//! Checked raw access to cells: every offset, size and count is looked at here before anything else believes it.
//!
//! Offsets in a hive count from the end of the base block; offsets in a [`Problem`] count from the start of the file.
//! Layouts: M. Suhanov, "Windows registry file format specification", sections "Hive bin" to "Big data".

use std::borrow::Cow;

use super::base_block;
use crate::error::Problem;
use crate::registry::{self, DataType, FileTime};

/// "Points nowhere".
const NIL: u32 = u32::MAX;
/// The longest data that a plain cell holds in formats after 1.3; longer data is cut into segments of this size.
const BIG_DATA_SEGMENT: usize = 16_344;
/// More subkeys in one key than any Windows makes; a list that promises more is hostile.
const MAX_SUBKEYS: usize = 4_000_000;
/// More bytes in one value than any Windows makes; a size beyond it is hostile.
const MAX_DATA: u32 = 64 << 20;

/// The hive bins of one hive, up to the end that its base block declares.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'h> {
    bytes: &'h [u8],
    minor: u32,
}

/// A key node, decoded. Offsets as in the file.
pub(crate) struct RawKey<'h> {
    pub(crate) offset: u32,
    pub(crate) last_written: FileTime,
    pub(crate) name: Name<'h>,
    subkey_count: u32,
    subkey_list: u32,
    value_count: u32,
    value_list: u32,
}

/// A value, decoded.
pub(crate) struct RawValue<'h> {
    pub(crate) offset: u32,
    pub(crate) name: Name<'h>,
    pub(crate) data_type: DataType,
    size: u32,
    inline: Option<&'h [u8]>,
    data_offset: u32,
}

/// A name as stored: one byte a unit where it can be, else UTF-16.
#[derive(Clone, Copy)]
pub(crate) enum Name<'h> {
    Latin1(&'h [u8]),
    Utf16(&'h [u8]),
}

/// The offsets that a list holds, and what of it could not be read.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) offsets: Vec<u32>,
    pub(crate) problems: Vec<Problem>,
}

impl<'h> Name<'h> {
    /// The name's UTF-16 units.
    pub(crate) fn units(self) -> impl Iterator<Item = u16> + 'h {
        let (narrow, wide) = match self {
            Self::Latin1(bytes) => (bytes, &[][..]),
            Self::Utf16(bytes) => (&[][..], bytes.as_chunks::<2>().0),
        };
        narrow.iter().map(|byte| u16::from(*byte)).chain(wide.iter().map(|pair| u16::from_le_bytes(*pair)))
    }

    /// Whether Windows takes this for `name`.
    pub(crate) fn is(self, name: &str) -> bool {
        registry::same_name(self.units(), name.encode_utf16())
    }
}

impl std::fmt::Display for Name<'_> {
    /// Unpaired surrogates are shown as U+FFFD; comparisons never use this text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        char::decode_utf16(self.units())
            .try_for_each(|unit| std::fmt::Write::write_char(f, unit.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

/// Where a cell offset is in the file.
fn in_file(offset: u32) -> u64 {
    u64::from(offset).saturating_add(base_block::SIZE as u64)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

fn dword(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

impl<'h> Cells<'h> {
    /// The cells of a whole hive file; `data_size` as its base block has it.
    pub(crate) fn new(file: &'h [u8], data_size: u32, minor: u32) -> Self {
        let bins = file.get(base_block::SIZE..).unwrap_or_default();
        let declared = usize::try_from(data_size).unwrap_or(usize::MAX);
        Self { bytes: bins.get(..declared).unwrap_or(bins), minor }
    }

    /// The content of the allocated cell at `offset`, behind its size field.
    pub(crate) fn cell(&self, offset: u32, what: &str) -> Result<&'h [u8], Problem> {
        let fail = |found: String| Err(Problem::at(in_file(offset), what, found));
        if offset == NIL {
            return Err(Problem::at(0, what, "an offset that points nowhere (0xffffffff)"));
        }
        let rest = usize::try_from(offset).ok().and_then(|start| self.bytes.get(start..));
        let Some(rest) = rest.filter(|rest| rest.len() >= 4) else {
            return fail(format!("an offset past the end of the hive bins ({:#x} bytes)", self.bytes.len()));
        };
        // An allocated cell has a negative size, its size field included.
        let size = rest.first_chunk().map_or(0, |chunk| i32::from_le_bytes(*chunk));
        if size >= 0 {
            return fail(if size == 0 { "a cell of size 0".into() } else { "a free cell".into() });
        }
        let length = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
        match rest.get(4..length) {
            Some(content) => Ok(content),
            None => fail(format!("a cell of {length} bytes, which runs past the end of the hive bins")),
        }
    }

    /// The key node at `offset`.
    pub(crate) fn key(&self, offset: u32) -> Result<RawKey<'h>, Problem> {
        let cell = self.cell(offset, "a key node (nk)")?;
        let decode = || -> Option<RawKey<'h>> {
            let name_bytes = cell.get(76..)?.get(..usize::from(word(cell, 72)?))?;
            let compressed = word(cell, 2)? & 0x20 != 0;
            Some(RawKey {
                offset,
                last_written: FileTime(u64::from(dword(cell, 4)?) | u64::from(dword(cell, 8)?) << 32),
                name: if compressed { Name::Latin1(name_bytes) } else { Name::Utf16(name_bytes) },
                subkey_count: dword(cell, 20)?,
                subkey_list: dword(cell, 28)?,
                value_count: dword(cell, 36)?,
                value_list: dword(cell, 40)?,
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

    /// The offsets of a key's subkeys, in the list's order.
    pub(crate) fn subkeys(&self, key: &RawKey<'h>) -> Listing {
        let mut listing = Listing::default();
        // A count of 0 is an empty list, whatever the offset says: Windows leaves stale offsets behind.
        if key.subkey_count > 0 {
            self.subkey_list(key.subkey_list, true, &mut listing);
            if listing.problems.is_empty() && u32::try_from(listing.offsets.len()) != Ok(key.subkey_count) {
                listing.problems.push(Problem::at(
                    in_file(key.offset),
                    format!("{} subkeys, as the key node says", key.subkey_count),
                    format!("a list of {}", listing.offsets.len()),
                ));
            }
        }
        listing
    }

    fn subkey_list(&self, offset: u32, may_be_root: bool, listing: &mut Listing) {
        let cell = match self.cell(offset, "a list of subkeys") {
            Ok(cell) => cell,
            Err(problem) => return listing.problems.push(problem),
        };
        let count = usize::from(word(cell, 2).unwrap_or(0));
        let signature = cell.get(..2).unwrap_or_default();
        let entry_size = match signature {
            b"lf" | b"lh" => 8,
            b"li" => 4,
            b"ri" if may_be_root => 4,
            _ => {
                let found = format!("the signature \"{}\"", signature.escape_ascii());
                return listing.problems.push(Problem::at(
                    in_file(offset),
                    "a list of subkeys (lf, lh, li, ri)",
                    found,
                ));
            }
        };
        let entries = cell.get(4..).unwrap_or_default().chunks_exact(entry_size);
        if entries.len() < count {
            listing.problems.push(Problem::at(
                in_file(offset),
                format!("a list of {count} subkeys"),
                format!("room for {}", entries.len()),
            ));
        }
        for entry in entries.take(count) {
            let target = dword(entry, 0).unwrap_or(NIL);
            if listing.offsets.len() >= MAX_SUBKEYS {
                let found = "more; the rest was not read";
                return listing.problems.push(Problem::at(
                    in_file(offset),
                    format!("at most {MAX_SUBKEYS} subkeys"),
                    found,
                ));
            }
            if signature == b"ri" {
                self.subkey_list(target, false, listing);
            } else {
                listing.offsets.push(target);
            }
        }
    }

    /// The offsets of a key's values, in the list's order.
    pub(crate) fn values(&self, key: &RawKey<'h>) -> Listing {
        let mut listing = Listing::default();
        if key.value_count == 0 {
            return listing;
        }
        match self.cell(key.value_list, "a list of values") {
            Err(problem) => listing.problems.push(problem),
            Ok(cell) => {
                let entries = cell.as_chunks::<4>().0;
                let count = usize::try_from(key.value_count).unwrap_or(usize::MAX);
                if entries.len() < count {
                    listing.problems.push(Problem::at(
                        in_file(key.value_list),
                        format!("a list of {count} values"),
                        format!("room for {}", entries.len()),
                    ));
                }
                listing.offsets = entries.iter().take(count).map(|entry| u32::from_le_bytes(*entry)).collect();
            }
        }
        listing
    }

    /// The value at `offset`, without its data.
    pub(crate) fn value(&self, offset: u32) -> Result<RawValue<'h>, Problem> {
        let cell = self.cell(offset, "a value (vk)")?;
        let decode = || -> Option<RawValue<'h>> {
            let name_bytes = cell.get(20..)?.get(..usize::from(word(cell, 2)?))?;
            let compressed = word(cell, 16)? & 1 != 0;
            let stored_size = dword(cell, 4)?;
            let size = stored_size & 0x7fff_ffff;
            // The top bit says that up to four bytes stand where the offset would be.
            let inline = if stored_size == size { None } else { Some(cell.get(8..12)?) };
            Some(RawValue {
                offset,
                name: if compressed { Name::Latin1(name_bytes) } else { Name::Utf16(name_bytes) },
                data_type: DataType(dword(cell, 12)?),
                size,
                inline,
                data_offset: dword(cell, 8)?,
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

    /// The data of a value.
    pub(crate) fn data(&self, value: &RawValue<'h>) -> Result<Cow<'h, [u8]>, Problem> {
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
        if self.minor > 3 && size > BIG_DATA_SEGMENT && cell.starts_with(b"db") {
            return self.big_data(value.data_offset, cell, size).map(Cow::Owned);
        }
        cell.get(..size).map(Cow::Borrowed).ok_or_else(|| {
            Problem::at(in_file(value.data_offset), format!("{size} bytes of data"), format!("{} bytes", cell.len()))
        })
    }

    fn big_data(&self, offset: u32, cell: &[u8], size: usize) -> Result<Vec<u8>, Problem> {
        let count = usize::from(word(cell, 2).unwrap_or(0));
        if count != size.div_ceil(BIG_DATA_SEGMENT) {
            let expected = format!("big data in {} segments", size.div_ceil(BIG_DATA_SEGMENT));
            return Err(Problem::at(in_file(offset), expected, format!("{count} segments")));
        }
        let list = self.cell(dword(cell, 4).unwrap_or(NIL), "a list of big data segments")?;
        let mut data = Vec::new();
        for segment in list.as_chunks::<4>().0.iter().take(count) {
            let segment = u32::from_le_bytes(*segment);
            let content = self.cell(segment, "a big data segment")?;
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

    /// Whether nt-hive reads the data of this value as the format has it: it takes all data over 16,344 bytes for big
    /// data even in format 1.3, and follows the offset of a value of size 0.
    pub(crate) fn nt_hive_reads(&self, value: &RawValue<'h>) -> bool {
        let in_big_data = usize::try_from(value.size).is_ok_and(|size| size > BIG_DATA_SEGMENT);
        value.inline.is_some() || (value.size > 0 && !in_big_data) || (in_big_data && self.minor > 3)
    }
}
