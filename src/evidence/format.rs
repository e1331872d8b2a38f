//! What a file is that holds other files: an archive or image that is read, or a format that is known and refused, with
//! the command that helps. One table, by first bytes, last bytes, or extension.

use std::io;

use super::archive::container::Kind;
use super::block::Blocks;
use super::file_system::Head;

mod part;
mod refused;
mod row;

pub use part::first_part;
pub use refused::REFUSED;
use row::has_extension;
pub use row::{Mark, Row};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An archive or compressed file that is read.
    Archive(Kind),
    /// A disk image of a kind that is read; of which kind, the images' own reader says.
    Image,
    /// A format that is known and not read.
    Refused(&'static Row),
}

/// Extensions of archives and images that are read.
const READ: &[&str] = &[
    "zip", "tar", "ova", "7z", "gz", "tgz", "bz2", "tbz", "tbz2", "xz", "txz", "zst", "tzst", "zstd", "e01", "raw",
    "dd", "img", "001", "vhd", "avhd", "vmdk", "vdi", "vhdx", "avhdx", "qcow2", "qcow",
];

/// Returns whether a name has the extension of a container, read or not: one that is worth opening to look.
pub fn is_named_like_one(name: &str) -> bool {
    let known = || REFUSED.iter().any(|row| has_extension(name, row.extensions));
    has_extension(name, READ) || known() || first_part(name).is_some()
}

/// Returns what a file with this beginning, end and name is; `None` where it is none of the table, as a hive.
///
/// A raw disk image has no mark of its own, and is not found here.
pub fn of(head: &Head, name: &str) -> Option<Format> {
    let bytes = head.bytes.as_slice();
    if bytes.starts_with(b"regf") || bytes.is_empty() {
        return None;
    }
    if let Some(row) = refusal(head, name) {
        return Some(Format::Refused(row));
    }
    if is_image(head) {
        return Some(Format::Image);
    }
    // A program with an archive at its end unpacks itself.
    if let Some(kind) = Kind::of(bytes).or_else(|| ends_as_zip(head).then_some(Kind::Zip)) {
        return Some(Format::Archive(kind));
    }
    REFUSED.iter().find(|row| matches!(row.mark, Mark::Named(_)) && row.is(head, name)).map(Format::Refused)
}

/// Returns the format that is known and not read which a file with this beginning and end is, by its bytes alone.
pub fn refusal(head: &Head, name: &str) -> Option<&'static Row> {
    REFUSED.iter().find(|row| !matches!(row.mark, Mark::Named(_)) && row.is(head, name))
}

/// Returns whether the first or last bytes are those of an image.
fn is_image(head: &Head) -> bool {
    let starts = |mark: &[u8]| head.bytes.starts_with(mark);
    starts(b"EVF\x09\x0d\x0a\xff\0")
        || starts(b"KDMV")
        || starts(b"# Disk DescriptorFile")
        || starts(b"vhdxfile")
        || starts(b"QFI\xfb")
        || starts(b"conectix")
        || head.end.len() == 512 && head.end.starts_with(b"conectix")
        || head.bytes.get(64..68) == Some(&[0x7f, 0x10, 0xda, 0xbe])
}

/// Returns whether it is a program whose last bytes hold the end record of a ZIP archive.
fn ends_as_zip(head: &Head) -> bool {
    let program = head.bytes.starts_with(b"MZ") || head.bytes.starts_with(b"\x7fELF") || head.bytes.starts_with(b"#!");
    program && head.end.windows(4).any(|four| four == b"PK\x05\x06")
}

/// Bytes of a program in which an archive that it unpacks is looked for.
const MOST_PROGRAM: u64 = 4 << 20;

/// Returns where in a program (`MZ`) a 7z or RAR archive begins that it unpacks, in bytes from its start.
///
/// # Errors
/// What reading says.
pub fn unpacks_itself(program: &Blocks) -> io::Result<Option<(Format, u64)>> {
    const PIECE: usize = 64 << 10;
    let mut buffer = vec![0; PIECE.saturating_add(8)];
    let mut at = 0;
    while at < MOST_PROGRAM.min(program.size()) {
        let mut filled = 0_usize;
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match program.read_at(free, at.saturating_add(filled as u64))? {
                0 => break,
                count => filled = filled.saturating_add(count),
            }
        }
        let piece = buffer.get(..filled).unwrap_or_default();
        for (place, window) in (0_u64..).zip(piece.windows(8)) {
            let found = match window {
                // The version's first byte is 0, its second 2 to 4.
                [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, 0, 2..=4] => Some(Format::Archive(Kind::SevenZip)),
                [b'R', b'a', b'r', b'!', 0x1a, 7, 0 | 1, _] => {
                    REFUSED.iter().find(|row| row.extensions.contains(&"rar")).map(Format::Refused)
                }
                _ => None,
            };
            if let Some(found) = found {
                return Ok(Some((found, at.saturating_add(place))));
            }
        }
        at = at.saturating_add(PIECE as u64);
    }
    Ok(None)
}
