//! QEMU's format, versions 2 and 3, as QEMU's `docs/interop/qcow2` describes it.

use std::io::{self, Read};
use std::sync::Arc;

use super::beside::Beside;
use super::field::{be32, be64};
use super::map::{Map, Mapped, Run, bad, inflate};
use super::pages::{Pages, header};
use crate::error::Problem;
use crate::evidence::block::Blocks;

/// The bits of an entry that are a place in the file.
const PLACE: u64 = 0x00ff_ffff_ffff_fe00;
/// The flag of a compressed cluster.
const PACKED: u64 = 1 << 62;
/// The unit of the size of compressed clusters, in bytes.
const SECTOR: u64 = 512;
/// The header extension with the format of the backing file.
const BACKING_FORMAT: u32 = 0xe279_2aca;
/// The most entries of the table of tables.
const MOST_TABLES: u64 = 4 << 20;

struct Qcow2 {
    pages: Pages,
    /// The start of the table of tables, in bytes from the file's start.
    tables: u64,
    bits: u32,
    version: u32,
    zstd: bool,
    backed: bool,
    size: u64,
}

pub(super) fn open(beside: &mut Beside, file: Blocks) -> Result<Blocks, Problem> {
    let length = usize::try_from(file.size().min(112)).unwrap_or_default();
    let head = header(&file, 0, length).map_err(|error| beside.unreadable(&error))?;
    let (at32, at64) = (|at| be32(&head, at).unwrap_or_default(), |at| be64(&head, at).unwrap_or_default());
    let (version, bits, size) = (at32(4), at32(20), at64(24));
    let refuse = |found: String, advice: &str| Err(beside.problem("a supported QCOW2 image", found).advise(advice));
    let convert = "convert it: qemu-img convert -O raw IN.qcow2 OUT.raw";
    if !matches!(version, 2 | 3) {
        return refuse(format!("version {version}"), convert);
    }
    match at32(32) {
        0 => {}
        1 => return refuse("one encrypted with AES".into(), "decrypt it with qemu-img convert and its secret"),
        _ => return refuse("an encrypted one".into(), "decrypt it with qemu-img convert and its secret"),
    }
    let (features, extensions) = if version == 3 { (at64(72), u64::from(at32(100))) } else { (0, 72) };
    let known = [
        (1 << 1, "one marked as corrupt", "repair a copy: qemu-img check -r all COPY.qcow2"),
        (1 << 2, "one with its data in another file", convert),
        (1 << 4, "one with subclusters (extended_l2)", convert),
        (!0x1f, "one with an unknown feature", convert),
    ];
    for (bit, found, advice) in known {
        if features & bit != 0 {
            return refuse(format!("{found} (incompatible features {features:#x})"), advice);
        }
    }
    let zstd = match head.get(104).filter(|_| features & (1 << 3) != 0 && extensions > 104) {
        None | Some(0) => false,
        Some(1) => true,
        Some(other) => return refuse(format!("one with the compression type {other}"), convert),
    };
    let (count, tables) = (u64::from(at32(36)), at64(40));
    let sound = (9..=21).contains(&bits) && {
        // A cluster of tables maps as many clusters as it has 8-byte entries.
        let span = 1_u64.checked_shl(bits.saturating_mul(2).saturating_sub(3)).unwrap_or(1);
        size.div_ceil(span) <= count && count <= MOST_TABLES
    };
    if !sound {
        return refuse(format!("{size} bytes in clusters of 2^{bits}, {count} tables"), "compare it with its original");
    }
    let (name_at, name_length) = (at64(8), at32(16));
    let (snapshots, dirty) = (at32(60), features & 1 != 0);
    if snapshots > 0 {
        beside.fact(format!("{}: {snapshots} internal snapshots; the current state is read", beside.image().display()));
    }
    if dirty {
        beside.fact(format!(
            "{}: the image was not closed; this affects only its reference counts",
            beside.image().display()
        ));
    }
    let below = if name_at == 0 { None } else { Some(backing(beside, &file, (name_at, name_length), extensions)?) };
    let backed = below.is_some();
    Ok(Arc::new(Mapped::new(Qcow2 { pages: Pages::new(file), tables, bits, version, zstd, backed, size }, below)))
}

/// Opens the backing file. `name` is the place of its name, and the name's length.
fn backing(beside: &mut Beside, file: &Blocks, name: (u64, u32), extensions: u64) -> Result<Blocks, Problem> {
    let (at, length) = (name.0, usize::try_from(name.1.min(1023)).unwrap_or_default());
    let unreadable = |error: io::Error| beside.unreadable(&error);
    let bytes = header(file, at, length).map_err(unreadable)?;
    let name = String::from_utf8_lossy(&bytes).into_owned();
    // The extensions end with one of type 0, before the name.
    let (mut place, mut format) = (extensions, None);
    while place.saturating_add(8) <= at {
        let head = header(file, place, 8).map_err(unreadable)?;
        let (kind, length) = (be32(&head, 0).unwrap_or_default(), be32(&head, 4).unwrap_or_default());
        place = place.saturating_add(8);
        if kind == 0 {
            break;
        }
        if kind == BACKING_FORMAT {
            let length = usize::try_from(length.min(64)).unwrap_or_default();
            format = Some(String::from_utf8_lossy(&header(file, place, length).map_err(unreadable)?).into_owned());
        }
        place = place.saturating_add(u64::from(length).next_multiple_of(8));
    }
    if name.starts_with("json:") || name.contains("://") {
        let problem = beside.problem("a backing file beside the image", format!("{name:?}"));
        return Err(problem.advise("convert it where its backing file is: qemu-img convert -O raw IN.qcow2 OUT.raw"));
    }
    super::parent(beside, &[name], "backing file", None, format.as_deref())
}

impl Qcow2 {
    /// Returns the entry of the cluster that contains `offset`; 0 if the cluster has no table.
    fn entry(&self, offset: u64) -> io::Result<u64> {
        let number = offset.checked_shr(self.bits).unwrap_or_default();
        let table_bits = self.bits.saturating_sub(3);
        let table = number.checked_shr(table_bits).unwrap_or_default();
        let index = number & 1_u64.checked_shl(table_bits).unwrap_or(1).saturating_sub(1);
        let table = u64::from_be_bytes(self.pages.get(self.tables.saturating_add(table.saturating_mul(8)))?) & PLACE;
        if table == 0 {
            return Ok(0);
        }
        Ok(u64::from_be_bytes(self.pages.get(table.saturating_add(index.saturating_mul(8)))?))
    }

    fn cluster(&self) -> u64 {
        1_u64.checked_shl(self.bits).unwrap_or(1)
    }
}

impl Map for Qcow2 {
    fn size(&self) -> u64 {
        self.size
    }

    fn run(&self, offset: u64) -> io::Result<Run> {
        let entry = self.entry(offset)?;
        let within = offset & self.cluster().saturating_sub(1);
        let length = self.cluster().saturating_sub(within);
        if entry & PACKED != 0 {
            let number = offset.checked_shr(self.bits).unwrap_or_default();
            return Ok(Run::Piece { number, within: usize::try_from(within).map_err(io::Error::other)? });
        }
        // Version 2 has no flag for zeros.
        if self.version > 2 && entry & 1 != 0 {
            return Ok(Run::Zeros(length));
        }
        match entry & PLACE {
            0 if self.backed => Ok(Run::Below(length)),
            0 => Ok(Run::Zeros(length)),
            place if place & self.cluster().saturating_sub(1) != 0 => Err(bad(format!("a cluster at {place:#x}"))),
            place => Ok(Run::Stored { file: self.pages.file(), at: place.saturating_add(within), length }),
        }
    }

    fn piece(&self) -> Option<u64> {
        Some(self.cluster())
    }

    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        let entry = self.entry(number.checked_shl(self.bits).unwrap_or_default())?;
        // The low bits are the place; the others are the number of sectors after the first.
        let bits = 70_u32.saturating_sub(self.bits);
        let place = entry & 1_u64.checked_shl(bits).unwrap_or(1).saturating_sub(1);
        let more = (entry & PACKED.saturating_sub(1)).checked_shr(bits).unwrap_or_default();
        let length = more.saturating_add(1).saturating_mul(SECTOR).saturating_sub(place % SECTOR);
        // The last sector may be incomplete.
        let file = self.pages.file();
        let length = length.min(file.size().saturating_sub(place));
        let packed = header(&file, place, usize::try_from(length).map_err(io::Error::other)?)?;
        let cluster = usize::try_from(self.cluster()).map_err(io::Error::other)?;
        let unpacked = if self.zstd { zstd(&packed, cluster) } else { inflate(&packed, cluster, false) };
        let wrong = |found: String| bad(format!("the packed cluster at {place:#x}: {found}"));
        match unpacked {
            Ok(unpacked) if unpacked.len() == cluster => Ok(unpacked),
            Ok(unpacked) => Err(wrong(format!("{} bytes unpacked, {cluster} expected", unpacked.len()))),
            Err(error) => Err(wrong(error.to_string())),
        }
    }
}

/// Decompresses `size` bytes of Zstandard.
fn zstd(packed: &[u8], size: usize) -> io::Result<Vec<u8>> {
    let stream = ruzstd::decoding::StreamingDecoder::new(packed).map_err(|error| bad(error.to_string()))?;
    let mut unpacked = Vec::with_capacity(size);
    stream.take(size as u64).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}
