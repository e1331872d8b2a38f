//! VMware's images, as its "Virtual Disk Format 5.0" describes them: a descriptor and extents, flat or sparse.

use std::io;
use std::sync::Arc;

use super::Image;
use super::beside::Beside;
use super::field::{le16, le32, le64};
use super::kind::is_descriptor;
use super::map::{Map, Mapped, Run, bad, inflate};
use super::pages::{Pages, header};
use super::split::join;
use super::vmdk_descriptor::{Descriptor, Extent, LARGEST};
use crate::error::Problem;
use crate::evidence::block::{BlockRead, Blocks, Part};

const SECTOR: u64 = 512;
/// This value means that the place of the tables is in a second header at the end of the file.
const AT_END: u64 = u64::MAX;
/// The most bytes of a grain; VMware creates grains of 64 KiB.
const LARGEST_GRAIN: u64 = 64 << 20;
const CONVERT: &str = "convert it: qemu-img convert -O raw IN.vmdk OUT.raw";

pub(super) fn open(beside: &mut Beside, file: &Blocks) -> Result<Image, Problem> {
    let unreadable = |error: io::Error| beside.unreadable(&error);
    let head = header(file, 0, usize::try_from(file.size().min(512)).unwrap_or_default()).map_err(unreadable)?;
    let alone = !is_descriptor(&head);
    let (start, length) = if alone {
        let place = |at| le64(&head, at).unwrap_or_default().saturating_mul(SECTOR);
        (place(28), place(36))
    } else {
        (0, file.size())
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > LARGEST {
        return Err(beside.problem(format!("a descriptor of at most {LARGEST} bytes"), format!("{length} bytes")));
    }
    let text = header(file, start, length).map_err(unreadable)?;
    // A file without a descriptor is an extent: its room for a descriptor is empty, or it has none.
    if alone && (start == 0 || !is_descriptor(&text)) {
        let problem = beside.problem("a VMDK with a descriptor", "an extent of one");
        return Err(problem.advise("name the descriptor, a small .vmdk beside it, instead"));
    }
    let descriptor = Descriptor::read(&text)
        .map_err(|line| beside.problem("extents in a known format", format!("{line:?}")).advise(CONVERT))?;
    let below = match (&descriptor.parent, &descriptor.parent_name) {
        (Some(id), Some(name)) => Some(super::parent(beside, std::slice::from_ref(name), "parent", Some(id), None)?),
        (Some(id), None) => {
            return Err(beside.problem("the name of its parent", format!("only its identifier {id}")));
        }
        (None, _) => None,
    };
    let mut parts: Vec<Blocks> = Vec::new();
    let mut size = 0_u64;
    for extent in &descriptor.extents {
        let length = extent.sectors.saturating_mul(SECTOR);
        let below = below.as_ref().map(|below| Arc::new(Part::new(Blocks::clone(below), size, length)) as Blocks);
        // The descriptor names its own file by the name that it had at first.
        let within = if alone { Some(Blocks::clone(file)) } else { None };
        parts.push(part(beside, extent, length, within, below)?);
        size = size.saturating_add(length);
    }
    if parts.is_empty() || (alone && parts.len() > 1) {
        return Err(beside.problem("the extents of the disk", format!("{} of them", parts.len())).advise(CONVERT));
    }
    Ok(Image { blocks: Arc::new(join(parts)), id: Some(descriptor.id) })
}

/// Opens one extent of `length` bytes.
fn part(
    beside: &mut Beside,
    extent: &Extent,
    length: u64,
    within: Option<Blocks>,
    below: Option<Blocks>,
) -> Result<Blocks, Problem> {
    match extent.kind.as_str() {
        "ZERO" => Ok(Arc::new(Zeros(length))),
        "FLAT" | "VMFS" => {
            let (path, file) = beside.named(&extent.name, "extent")?;
            let part = Part::new(file, extent.start.saturating_mul(SECTOR), length);
            if part.size() < length {
                let found = format!("{} bytes in {}", part.size(), path.display());
                return Err(beside
                    .problem(format!("an extent of {length} bytes"), found)
                    .advise("copy the extent again"));
            }
            Ok(Arc::new(part))
        }
        "SPARSE" => {
            let file = match within {
                Some(file) => file,
                None => beside.named(&extent.name, "extent")?.1,
            };
            let backed = below.is_some();
            let sparse = Sparse::open(file, length, backed).map_err(|error| {
                beside.problem(format!("a sound extent {:?}", extent.name), error.to_string()).advise(CONVERT)
            })?;
            Ok(Arc::new(Mapped::new(sparse, below)))
        }
        kind => Err(beside.problem("supported extents", format!("one of kind {kind}")).advise(CONVERT)),
    }
}

/// An extent of zeros.
struct Zeros(u64);

impl BlockRead for Zeros {
    fn size(&self) -> u64 {
        self.0
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.0.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        buffer.get_mut(..count).unwrap_or_default().fill(0);
        Ok(count)
    }
}

/// An extent of grains, each of which may be missing.
struct Sparse {
    pages: Pages,
    /// The start of the table of tables.
    tables: u64,
    /// The number of grains in one table.
    entries: u64,
    grain: u64,
    size: u64,
    packed: bool,
    /// Whether an entry of 1 is a grain of zeros.
    zeroed: bool,
    backed: bool,
}

impl Sparse {
    fn open(file: Blocks, size: u64, backed: bool) -> io::Result<Self> {
        let mut head = header(&file, 0, 512)?;
        let tables_at_end = le64(&head, 56) == Some(AT_END);
        if tables_at_end {
            // Before the last marker, which has one sector.
            head = header(&file, file.size().saturating_sub(2 * SECTOR), 512)?;
        }
        if !head.starts_with(b"KDMV") {
            let place = if tables_at_end { "at its end; it may be truncated" } else { "at its start" };
            return Err(bad(format!("no header {place}")));
        }
        let (version, flags) = (le32(&head, 4).unwrap_or_default(), le32(&head, 8).unwrap_or_default());
        let (capacity, grain) = (le64(&head, 12).unwrap_or_default(), le64(&head, 20).unwrap_or_default());
        let entries = u64::from(le32(&head, 44).unwrap_or_default());
        // If the line ends in the header have changed, somebody transferred the file as text.
        let as_text = flags & 1 != 0 && head.get(73..77) != Some(b"\n \r\n");
        let tables = le64(&head, 56).unwrap_or_default();
        let packed = flags & (1 << 16) != 0;
        let grain = grain.saturating_mul(SECTOR);
        if !(1..=3).contains(&version) || as_text {
            return Err(bad(format!(
                "a header of version {version} whose line ends {}",
                if as_text { "changed" } else { "are right" }
            )));
        }
        let sound = (SECTOR..=LARGEST_GRAIN).contains(&grain) && (1..=1 << 20).contains(&entries) && tables != AT_END;
        if !sound || capacity.saturating_mul(SECTOR) < size {
            return Err(bad(format!("{capacity} sectors in grains of {grain} bytes, {entries} a table")));
        }
        if packed && le16(&head, 77) != Some(1) {
            return Err(bad("grains with an unknown compression"));
        }
        let (tables, zeroed) = (tables.saturating_mul(SECTOR), flags & 4 != 0);
        Ok(Self { pages: Pages::new(file), tables, entries, grain, size, packed, zeroed, backed })
    }

    /// Returns the first sector of a grain, from its table.
    fn entry(&self, number: u64) -> io::Result<u64> {
        let (Some(table), Some(index)) = (number.checked_div(self.entries), number.checked_rem(self.entries)) else {
            return Err(bad("tables of no entries"));
        };
        let table = u32::from_le_bytes(self.pages.get(self.tables.saturating_add(table.saturating_mul(4)))?);
        if table == 0 {
            return Ok(0);
        }
        let at = u64::from(table).saturating_mul(SECTOR).saturating_add(index.saturating_mul(4));
        Ok(u64::from(u32::from_le_bytes(self.pages.get(at)?)))
    }
}

impl Map for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn run(&self, offset: u64) -> io::Result<Run> {
        let (Some(number), Some(within)) = (offset.checked_div(self.grain), offset.checked_rem(self.grain)) else {
            return Err(bad("grains of 0 bytes"));
        };
        let length = self.grain.saturating_sub(within);
        Ok(match self.entry(number)? {
            0 if self.backed => Run::Below(length),
            0 => Run::Zeros(length),
            1 if self.zeroed => Run::Zeros(length),
            _ if self.packed => Run::Piece { number, within: usize::try_from(within).map_err(io::Error::other)? },
            sector => {
                let at = sector.saturating_mul(SECTOR).saturating_add(within);
                Run::Stored { file: self.pages.file(), at, length }
            }
        })
    }

    fn piece(&self) -> Option<u64> {
        self.packed.then_some(self.grain)
    }

    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        let at = self.entry(number)?.saturating_mul(SECTOR);
        let file = self.pages.file();
        // The grain's first sector on the disk, and its compressed size in bytes.
        let head = header(&file, at, 12)?;
        let (first, length) = (le64(&head, 0).unwrap_or_default(), u64::from(le32(&head, 8).unwrap_or_default()));
        let wrong = |found: String| bad(format!("the packed grain at {at:#x}: {found}"));
        let expected = number.saturating_mul(self.grain) / SECTOR;
        if first != expected || length > self.grain.saturating_mul(2) {
            return Err(wrong(format!("{length} bytes of sector {first}, sector {expected} expected")));
        }
        let packed = header(&file, at.saturating_add(12), usize::try_from(length).map_err(io::Error::other)?)?;
        let grain = usize::try_from(self.grain).map_err(io::Error::other)?;
        let unpacked = inflate(&packed, grain, true).map_err(|error| wrong(error.to_string()))?;
        let left = usize::try_from(self.size.saturating_sub(number.saturating_mul(self.grain))).unwrap_or(usize::MAX);
        if unpacked.len() < grain.min(left) {
            return Err(wrong(format!("{} bytes unpacked, {} expected", unpacked.len(), grain.min(left))));
        }
        Ok(unpacked)
    }
}
