//! What a file is, by its first bytes.

use std::io;
use std::path::Path;

use crate::evidence::archive::Kind;
#[cfg(feature = "images")]
use crate::evidence::disk;
use crate::evidence::tree::{Beginning, Tree};
use crate::hive::BaseBlock;
use crate::hive::base_block::begins_bin;

/// What a look at the first bytes of a file says.
#[derive(Debug)]
pub(super) enum Content {
    /// A primary file.
    Hive,
    /// A hive's transaction log: it begins as a hive does, and says in the base block that it is none.
    Log,
    /// No bytes at all.
    Empty,
    /// Something that a hive which was damaged could be: it ends within the base block, or is as
    /// large as a hive and begins with no known mark.
    Unclear(&'static str),
    /// An archive, or a compressed file.
    Container(Kind),
    /// A disk image of a kind that is not read, and what to do with it.
    #[cfg(feature = "images")]
    Refused { what: &'static str, advice: &'static str },
    /// Something else, in words.
    Other(&'static str),
}

/// Looks at the beginning of a file.
///
/// # Errors
/// What the system says of the file.
pub(super) fn look(tree: &dyn Tree, path: &Path) -> io::Result<Content> {
    let Beginning { bytes, at_bins, size } = tree.look(path)?;
    Ok(match tell(&bytes, size) {
        // A hive that has lost its base block still has its bins.
        Content::Unclear(_) if begins_bin(&at_bins) => Content::Hive,
        Content::Unclear(why) => Kind::of_file(&bytes, path, size).map_or(Content::Unclear(why), Content::Container),
        told => told,
    })
}

/// What a file of that many bytes is that begins like this.
fn tell(bytes: &[u8], size: u64) -> Content {
    if bytes.starts_with(b"regf") {
        return match BaseBlock::read(bytes) {
            Ok(base_block) if is_log(base_block.file_type) => Content::Log,
            Ok(_) => Content::Hive,
            Err(_) => Content::Unclear("the first bytes of a hive: the file is truncated"),
        };
    }
    if bytes.is_empty() {
        return Content::Empty;
    }
    if let Some(kind) = Kind::of(bytes) {
        #[cfg(feature = "images")]
        if kind.is_image() && disk::is_fragment(bytes, size) {
            return Content::Other("the first sectors of a disk or a volume");
        }
        return Content::Container(kind);
    }
    let bytes = bytes.get(..512).unwrap_or(bytes);
    #[cfg(feature = "images")]
    if let Some(disk::Refusal { what, advice }) = disk::refusal(bytes, &[]) {
        return Content::Refused { what, advice };
    }
    if let Some((_, what)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Content::Other(what);
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Content::Unclear("zeros");
    }
    let begins = bytes.utf8_chunks().next();
    let text = begins.is_some_and(|chunk| {
        let cut_at_the_end = bytes.len().saturating_sub(chunk.valid().len()) < 4;
        cut_at_the_end && !chunk.valid().chars().any(|letter| letter.is_control() && !"\t\r\n\u{c}".contains(letter))
    });
    if text {
        Content::Other("a text file")
    } else if size > 4096 && size.is_multiple_of(4096) {
        // Hives are of whole pages.
        Content::Unclear("data without a hive's signature")
    } else {
        Content::Other("other data")
    }
}

/// 1: a log of Windows before 8.1; 2: also in use for such; 6: a log of Windows 8.1 and later.
fn is_log(file_type: u32) -> bool {
    matches!(file_type, 1 | 2 | 6)
}

/// Marks at the beginning of files that people name by mistake, or that hold hives which must be unpacked first.
const MARKS: [(&[u8], &str); 11] = [
    (b"REGEDIT4", "a .reg file"),
    (b"Windows Registry Editor", "a .reg file"),
    (b"\xff\xfeW\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0", "a .reg file"),
    (b"\xff\xfe", "a text file in UTF-16"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"EVF\x09\x0d\x0a\xff", "a disk image (EWF)"),
    (b"vhdxfile", "a disk image (VHDX)"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ElfFile", "an event log"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        let shown = |bytes: &[u8]| format!("{:?}", tell(bytes, 8192));
        assert_eq!(shown(b""), "Empty");
        assert_eq!(shown(&[0; 512]), r#"Unclear("zeros")"#);
        assert_eq!(shown(b"regf"), r#"Unclear("the first bytes of a hive: the file is truncated")"#);
        assert_eq!(shown(b"Dear all,\r\n"), r#"Other("a text file")"#);
        assert_eq!(shown("Grüße".as_bytes()), r#"Other("a text file")"#);
        assert_eq!(shown(&"Grüße".as_bytes()[..3]), r#"Other("a text file")"#);
        assert_eq!(shown(b"PK\x03\x04..."), "Container(Zip)");
        assert_eq!(shown(b"\x01\x02\x03"), r#"Unclear("data without a hive's signature")"#);
        assert!(matches!(tell(b"\x01\x02\x03", 3), Content::Other("other data")));
        let mut mbr = [0; 512];
        (mbr[450], mbr[454], mbr[458]) = (7, 63, 100);
        mbr[510..].copy_from_slice(&[0x55, 0xaa]);
        #[cfg(feature = "images")]
        assert!(matches!(tell(&mbr, 512), Content::Other("the first sectors of a disk or a volume")));
        #[cfg(feature = "images")]
        assert!(matches!(tell(&mbr, 1 << 20), Content::Container(Kind::Image)));
        let mut log = [0; 512];
        log[..4].copy_from_slice(b"regf");
        assert_eq!(shown(&log), "Hive");
        log[28] = 6;
        assert_eq!(shown(&log), "Log");
    }
}
