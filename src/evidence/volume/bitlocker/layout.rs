//! The sources of a decrypted volume's bytes: sectors that are encrypted, plain, or stored elsewhere, and BitLocker's
//! own metadata, which Windows shows as zeros.

use super::boot::{Boot, Places};
use super::conversion::{self, Conversion, Physical};
use super::metadata::Metadata;
use crate::error::Problem;
use crate::evidence::block::Blocks;
use crate::evidence::disk::field::{bytes, le16, le32};

/// Vista does not encrypt the beginning of a volume.
const VISTA_PLAIN: u64 = 0x2000;

/// How to get bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Read and decrypt them, from this place of the volume.
    Encrypted(u64),
    /// Read them, from this place of the volume.
    Plain(u64),
    /// Read and restore the boot sector that Vista changed.
    VistaBoot(u64),
    Zeros,
    Unclear(&'static str),
}

/// How far a volume is encrypted.
#[derive(Debug)]
enum Extent {
    /// Encrypted up to the first place, and certainly plain from the second on.
    Until(u64, u64),
    Books(Conversion),
}

/// A part of a volume that is not simply stored in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Special {
    start: u64,
    end: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zeros,
    /// Stored from this place on.
    Relocated(u64),
    VistaBoot,
    Plain,
    Unclear(&'static str),
}

/// The sources of a volume's bytes.
#[derive(Debug)]
pub(super) struct Layout {
    extent: Extent,
    /// The special parts, in the order of the volume, without overlaps.
    special: Vec<Special>,
}

/// Returns the possible sizes of a sector, in bytes: by the boot sector, which no checksum covers, and by the metadata.
/// The flag is true if both agree.
///
/// # Errors
/// Neither states a size.
pub(super) fn sectors(boot: &Boot, metadata: &Metadata) -> Result<(Vec<u64>, bool), Problem> {
    let stored = metadata.relocated.map(|(_, size)| size);
    let derived = stored.and_then(|size| size.checked_div(u64::from(metadata.relocated_sectors)));
    let derived = derived.filter(|size| matches!(size, 512 | 1024 | 2048 | 4096));
    let mut sizes: Vec<u64> = boot.sector.into_iter().chain(derived).collect();
    let sure = boot.sector == derived || (metadata.version == 1 && boot.sector.is_some());
    sizes.dedup();
    if sizes.is_empty() {
        return Err(Problem::at(11, "the size of a sector: 512 to 4096", "none"));
    }
    Ok((sizes, sure))
}

/// Returns whether the first sector of a file system states sectors of `size` bytes.
pub(super) fn says(first: &[u8; 512], size: u64) -> bool {
    let signature = bytes::<8>(first, 3);
    let said = match signature.as_ref() {
        Some(b"EXFAT   ") => first.get(108).and_then(|shift| 1_u64.checked_shl(u32::from(*shift))),
        Some(b"ReFS\0\0\0\0") => le32(first, 32).map(u64::from),
        _ => le16(first, 11).map(u64::from).filter(|_| first.ends_with(&[0x55, 0xaa])),
    };
    said == Some(size)
}

impl Layout {
    /// Determines the layout by the first of `blocks`, which are all valid, in sectors of `sector` bytes.
    ///
    /// # Errors
    /// The metadata do not determine it, or contradict themselves.
    pub(super) fn new(volume: &Blocks, boot: &Boot, blocks: &[&Metadata], sector: u64) -> Result<Self, Problem> {
        let Some(metadata) = blocks.first() else {
            return Err(Problem::at(0, "a sound metadata block", "none"));
        };
        let mut zeros = Vec::new();
        let size = metadata_size(boot, metadata, sector);
        zeros.extend(metadata.places.map(|place| (place, size)));
        let extent = if let Places::Converting(_, places) = boot.places {
            let books = conversion::read(volume, places, sector, metadata.next_state != DECRYPTED)?;
            zeros.extend(books.books.iter().copied());
            Extent::Books(books)
        } else {
            extent(blocks, sector)?
        };
        let mut special = Vec::new();
        if metadata.version == 1 {
            vista(volume, boot, sector, &mut special);
        } else {
            relocated(metadata, blocks, sector, &mut special, &mut zeros)?;
        }
        if let Some((place, _)) = zeros.iter().find(|(place, _)| !place.is_multiple_of(sector)) {
            return Err(Problem::at(*place, format!("metadata at a multiple of {sector} bytes"), "another place"));
        }
        let zeros = zeros.into_iter().map(|(start, size)| (start, start.saturating_add(size)));
        Ok(Self { extent, special: lay(&special, zeros.collect()) })
    }

    /// Returns the source of the byte at `offset`, and how many bytes from there on share it.
    pub(super) fn source(&self, offset: u64) -> (Source, u64) {
        let next = self.special.partition_point(|one| one.start <= offset);
        let here = next.checked_sub(1).and_then(|place| self.special.get(place)).filter(|one| offset < one.end);
        let Some(special) = here else {
            let end = self.special.get(next).map_or(u64::MAX, |one| one.start);
            return self.stored(offset, end.saturating_sub(offset));
        };
        let rest = special.end.saturating_sub(offset);
        let within = offset.saturating_sub(special.start);
        match special.kind {
            Kind::Zeros => (Source::Zeros, rest),
            Kind::Relocated(to) => self.stored(to.saturating_add(within), rest),
            Kind::VistaBoot => (Source::VistaBoot(special.start), rest),
            Kind::Plain => (Source::Plain(offset), rest),
            Kind::Unclear(why) => (Source::Unclear(why), rest),
        }
    }

    fn stored(&self, at: u64, most: u64) -> (Source, u64) {
        let (kind, rest) = match &self.extent {
            Extent::Until(end, _) if at < *end => (Physical::Encrypted, end.saturating_sub(at)),
            Extent::Until(_, end) if at < *end => {
                let why = "the metadata blocks differ on whether it is encrypted";
                (Physical::Unclear(why), end.saturating_sub(at))
            }
            Extent::Until(..) => (Physical::Plain, u64::MAX),
            Extent::Books(books) => books.at(at),
        };
        let source = match kind {
            Physical::Encrypted => Source::Encrypted(at),
            Physical::Plain => Source::Plain(at),
            Physical::Unclear(why) => Source::Unclear(why),
        };
        (source, rest.min(most))
    }
}

/// The state of a volume that was decrypted again, or never encrypted.
pub(super) const DECRYPTED: u16 = 1;
const CONVERTING_LARGE: u16 = 2;
const PAUSED: u16 = 3;
const ENCRYPTED: u16 = 4;
const CONVERTING: u16 = 5;

/// Returns words for the state of a volume. dissect.fve and dislocker name the numbers.
pub(super) fn state(number: u16) -> String {
    match number {
        DECRYPTED => "decrypted".to_owned(),
        CONVERTING_LARGE | CONVERTING => "being encrypted or decrypted".to_owned(),
        PAUSED => "partly encrypted".to_owned(),
        ENCRYPTED => "encrypted".to_owned(),
        other => format!("unknown state {other}"),
    }
}

fn extent(blocks: &[&Metadata], sector: u64) -> Result<Extent, Problem> {
    let ends: Vec<u64> = blocks.iter().map(|block| end(block, sector)).collect::<Result<_, _>>()?;
    let all = || ends.iter().copied();
    Ok(Extent::Until(all().min().unwrap_or_default(), all().max().unwrap_or_default()))
}

/// Returns the end of the volume's encrypted part by a metadata block, in bytes from the volume's start.
fn end(block: &Metadata, sector: u64) -> Result<u64, Problem> {
    let at = block.places[0];
    let wrong = |expected: &str, found: String| {
        let advice = "let Windows finish the conversion of the volume, or copy the files under Windows";
        Err(Problem::at(at, expected, found).advise(advice))
    };
    match (block.state, block.encrypted) {
        (DECRYPTED, 0) => Ok(0),
        (ENCRYPTED, 0) => Ok(u64::MAX),
        (CONVERTING_LARGE, place) if block.converting != 0 => {
            let found = format!("one that was interrupted at {place:#x}, so that {} bytes are torn", block.converting);
            wrong("a finished or paused encryption or decryption", found)
        }
        (CONVERTING_LARGE | PAUSED | ENCRYPTED | CONVERTING, place) if place != 0 && place.is_multiple_of(sector) => {
            Ok(place)
        }
        (number, place) => {
            let found = format!("{} ({number}), encrypted up to {place:#x}", state(number));
            wrong("a known state of the volume that matches how far it is encrypted", found)
        }
    }
}

/// Returns the bytes of the file that reserves a metadata block: 16 KiB in whole clusters for Vista, otherwise 64 KiB
/// in whole sectors.
fn metadata_size(boot: &Boot, metadata: &Metadata, sector: u64) -> u64 {
    let (size, unit) = if metadata.version == 1 { (0x4000, boot.cluster.max(sector)) } else { (0x1_0000_u64, sector) };
    size.div_ceil(unit).saturating_mul(unit)
}

/// Adds the first sectors of a Vista volume: Vista changes only two fields of the boot sector and of its last copy.
fn vista(volume: &Blocks, boot: &Boot, sector: u64, special: &mut Vec<Special>) {
    special.push(Special { start: 0, end: sector, kind: Kind::VistaBoot });
    special.push(Special { start: sector, end: VISTA_PLAIN.max(sector), kind: Kind::Plain });
    let last = volume
        .size()
        .checked_div(sector)
        .and_then(|count| count.checked_sub(1))
        .map(|number| number.saturating_mul(sector));
    let mut copies: Vec<u64> = last.into_iter().chain([boot.sectors.saturating_mul(sector)]).collect();
    copies.sort_unstable();
    copies.dedup();
    for start in copies.into_iter().filter(|start| *start >= VISTA_PLAIN) {
        // An encrypted sector does not have the signature.
        let mut first = [0; 11];
        let is_copy = volume.read_exact_at(&mut first, start).is_ok() && first.ends_with(&super::boot::SIGNATURE);
        if is_copy && special.last().is_none_or(|before| before.end <= start) {
            special.push(Special { start, end: start.saturating_add(sector), kind: Kind::VistaBoot });
        }
    }
}

/// Adds the first sectors as Windows 7 and later store them: elsewhere, where Windows shows zeros.
fn relocated(
    metadata: &Metadata,
    blocks: &[&Metadata],
    sector: u64,
    special: &mut Vec<Special>,
    zeros: &mut Vec<(u64, u64)>,
) -> Result<(), Problem> {
    let place = metadata.relocated_to;
    let counted = u64::from(metadata.relocated_sectors).saturating_mul(sector);
    let stored = metadata.relocated.map_or(0, |(_, size)| size);
    let (least, most) = match (counted, stored) {
        (0, size) | (size, 0) => (size, size),
        (one, other) => (one.min(other), one.max(other)),
    };
    let same = |other: &&Metadata| {
        (other.relocated_to, other.relocated, other.relocated_sectors)
            == (place, metadata.relocated, metadata.relocated_sectors)
    };
    let agree = metadata.relocated.is_none_or(|(other, _)| other == place) && blocks.iter().all(same);
    let sound = agree && place != 0 && most != 0 && [place, least, most].iter().all(|one| one.is_multiple_of(sector));
    if !sound || place.checked_add(most).is_none() {
        let found = format!("{most} bytes at {place:#x}, and an entry that says {:x?}", metadata.relocated);
        return Err(Problem::at(metadata.places[0], "the place of the volume's first sectors", found));
    }
    special.push(Special { start: 0, end: least, kind: Kind::Relocated(place) });
    if least < most {
        let kind = Kind::Unclear("the metadata contradict each other on whether it is stored elsewhere");
        special.push(Special { start: least, end: most, kind });
    }
    zeros.push((place, most));
    Ok(())
}

/// Sorts special parts and zeros (start and end). Where both overlap, the part is unclear.
fn lay(special: &[Special], mut zeros: Vec<(u64, u64)>) -> Vec<Special> {
    zeros.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, end) in zeros {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    let mut laid: Vec<Special> = Vec::new();
    let mut push = |start: u64, end: u64, kind: Kind| {
        if start < end {
            laid.push(Special { start, end, kind });
        }
    };
    // Between two neighbouring edges, all bytes are of one kind.
    let mut edges: Vec<u64> = special.iter().flat_map(|one| [one.start, one.end]).collect();
    edges.extend(merged.iter().flat_map(|(start, end)| [*start, *end]));
    edges.sort_unstable();
    edges.dedup();
    for (start, end) in edges.iter().copied().zip(edges.iter().copied().skip(1)) {
        let at = merged.partition_point(|zero| zero.0 <= start);
        let zero = at.checked_sub(1).and_then(|at| merged.get(at)).is_some_and(|zero| start < zero.1);
        let one = special.iter().find(|one| one.start <= start && start < one.end);
        match (one, zero) {
            (Some(_), true) => push(start, end, Kind::Unclear("the metadata state places that overlap other sectors")),
            (Some(Special { kind: Kind::Relocated(to), start: from, .. }), false) => {
                push(start, end, Kind::Relocated(to.saturating_add(start.saturating_sub(*from))));
            }
            (Some(one), false) => push(start, end, one.kind),
            (None, true) => push(start, end, Kind::Zeros),
            (None, false) => {}
        }
    }
    laid
}
