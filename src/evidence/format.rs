//! The format of a file that holds other files: a supported archive or image, or a format that is recognised and
//! refused with the command that helps. One table of first bytes, last bytes and extensions.

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

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A supported archive or compressed file.
    Archive(Kind),
    /// A disk image of a supported kind; the reader of images decides which.
    Image,
    /// A format that is recognised and refused.
    Refused(&'static Row),
}

/// Extensions of supported archives and images.
const READ: &[&str] = &[
    "zip", "tar", "ova", "7z", "gz", "tgz", "bz2", "tbz", "tbz2", "xz", "txz", "zst", "tzst", "zstd", "e01", "raw",
    "dd", "img", "001", "vhd", "avhd", "vmdk", "vdi", "vhdx", "avhdx", "qcow2", "qcow",
];

/// Returns whether a name has the extension of a container, supported or refused: the file is worth opening.
pub fn is_named_like_one(name: &str) -> bool {
    let known = || REFUSED.iter().any(|row| has_extension(name, row.extensions));
    has_extension(name, READ) || known() || first_part(name).is_some()
}

/// Returns the format of a file with this beginning, end and name; `None` for a file of no format in the table, such as
/// a hive.
///
/// A raw disk image has no signature of its own, and is not recognised here.
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
    // A program with an archive at its end is a self-extracting archive.
    if let Some(kind) = Kind::of(bytes).or_else(|| ends_as_zip(head).then_some(Kind::Zip)) {
        return Some(Format::Archive(kind));
    }
    REFUSED.iter().find(|row| matches!(row.mark, Mark::Named(_)) && row.is(head, name)).map(Format::Refused)
}

/// Returns the refused format of a file with this beginning, end and name.
pub fn refusal(head: &Head, name: &str) -> Option<&'static Row> {
    REFUSED.iter().find(|row| !matches!(row.mark, Mark::Named(_)) && row.is(head, name))
}

/// Returns whether the first or last bytes are the signature of an image.
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

/// Returns whether the file is a program whose last bytes contain the end record of a ZIP archive.
fn ends_as_zip(head: &Head) -> bool {
    let program = head.bytes.starts_with(b"MZ") || head.bytes.starts_with(b"\x7fELF") || head.bytes.starts_with(b"#!");
    program && head.end.windows(4).any(|four| four == b"PK\x05\x06")
}

/// Bytes at a program's start to search for an archive that the program extracts.
const MOST_PROGRAM: u64 = 4 << 20;

/// Returns the format and the start of the 7z or RAR archive that a program (`MZ`) extracts, in bytes from its start.
///
/// # Errors
/// The program is unreadable.
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
                // The version's first byte is 0; its second is 2 to 4.
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
