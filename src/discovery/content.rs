//! The kind of a file, by its first bytes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

#[cfg(feature = "images")]
use crate::evidence::disk;
use crate::evidence::file_system::Head;
use crate::evidence::format::{self, Format, Row};
use crate::evidence::kind::Kind;
use crate::hive::BaseBlock;
use crate::hive::base_block::begins_bin;

/// A text of this program; owned if a worker sent it.
pub(super) type Words = Cow<'static, str>;

/// The kind of a file, by its first bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Content {
    /// A primary file of a hive.
    Hive,
    /// A hive's transaction log: it begins like a hive, and its base block has another file type.
    Log,
    /// A file of 0 bytes.
    Empty,
    /// Possibly a damaged hive: the file ends within the base block, or has the size of a hive and no known signature.
    Unclear(Words),
    /// An archive, or a compressed file.
    Container(Kind),
    /// A format that is recognised and refused, and its advice.
    Refused { what: Words, advice: Words },
    /// A program, which may extract an archive from itself.
    Program,
    /// Text; its kind in words.
    Text(Words),
    /// Anything else, in words.
    Other(Words),
}

impl Content {
    /// Returns whether the file may be a later part of an image or an archive: neither text nor a known format.
    pub(super) fn may_be_part(&self) -> bool {
        matches!(self, Self::Unclear(_) | Self::Other(_))
    }
}

/// Returns the kind of a file. Its name counts only for a raw image whose first sectors are lost.
pub(super) fn of(head: &Head, name: &str) -> Content {
    match tell(head, name) {
        // A hive without its base block still has its bins.
        Content::Unclear(_) if begins_bin(&head.at_bins) => Content::Hive,
        Content::Unclear(why) => Kind::raw_by_name(head, name).map_or(Content::Unclear(why), Content::Container),
        told => told,
    }
}

/// Returns the kind of a file by its bytes.
fn tell(head: &Head, name: &str) -> Content {
    let (bytes, size) = (head.bytes.as_slice(), head.size);
    if bytes.starts_with(b"regf") {
        return match BaseBlock::read(bytes) {
            Ok(base_block) if is_log(base_block.file_type) => Content::Log,
            Ok(_) => Content::Hive,
            Err(_) => Content::Unclear("the first bytes of a hive: the file is truncated".into()),
        };
    }
    if bytes.is_empty() {
        return Content::Empty;
    }
    match format::of(head, name) {
        Some(Format::Refused(Row { what, advice, .. })) => {
            return Content::Refused { what: (*what).into(), advice: (*advice).into() };
        }
        Some(Format::Archive(kind)) => return Content::Container(Kind::Archive(kind)),
        Some(Format::Image) | None => {}
    }
    if let Some(kind) = Kind::image(head) {
        #[cfg(feature = "images")]
        if disk::is_fragment(bytes, size) {
            return Content::Other("the first sectors of a disk or a volume".into());
        }
        return Content::Container(kind);
    }
    let bytes = bytes.get(..512).unwrap_or(bytes);
    if bytes.starts_with(b"MZ") || bytes.starts_with(b"\x7fELF") {
        return Content::Program;
    }
    if let Some((_, what)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Content::Text((*what).into());
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Content::Unclear("zeros".into());
    }
    let begins = bytes.utf8_chunks().next();
    let text = begins.is_some_and(|chunk| {
        let cut_at_the_end = bytes.len().saturating_sub(chunk.valid().len()) < 4;
        cut_at_the_end && !chunk.valid().chars().any(|letter| letter.is_control() && !"\t\r\n\u{c}".contains(letter))
    });
    if text {
        Content::Text("a text file".into())
    } else if size > 4096 && size.is_multiple_of(4096) {
        // The size of a hive is a multiple of the page size.
        Content::Unclear("data without a hive's signature".into())
    } else {
        Content::Other("other data".into())
    }
}

/// Returns whether a file type is a log's. 1: Windows before 8.1; 2: also in use there; 6: Windows 8.1 and later.
fn is_log(file_type: u32) -> bool {
    matches!(file_type, 1 | 2 | 6)
}

/// Signatures of files that users name by mistake, or that contain hives and must be unpacked first.
const MARKS: [(&[u8], &str); 6] = [
    (b"REGEDIT4", "a .reg file"),
    (b"Windows Registry Editor", "a .reg file"),
    (b"\xff\xfeW\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0", "a .reg file"),
    (b"\xff\xfe", "a text file in UTF-16"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ElfFile", "an event log"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        let head = |bytes: &[u8], size| Head { bytes: bytes.to_vec(), size, ..Head::default() };
        let shown = |bytes: &[u8]| format!("{:?}", tell(&head(bytes, 8192), "a"));
        assert_eq!(shown(b""), "Empty");
        assert_eq!(shown(&[0; 512]), r#"Unclear("zeros")"#);
        assert_eq!(shown(b"regf"), r#"Unclear("the first bytes of a hive: the file is truncated")"#);
        assert_eq!(shown(b"Dear all,\r\n"), r#"Text("a text file")"#);
        assert_eq!(shown("Grüße".as_bytes()), r#"Text("a text file")"#);
        assert_eq!(shown(&"Grüße".as_bytes()[..3]), r#"Text("a text file")"#);
        assert_eq!(shown(b"PK\x03\x04..."), "Container(Archive(Zip))");
        assert_eq!(shown(b"\x01\x02\x03"), r#"Unclear("data without a hive's signature")"#);
        assert!(matches!(tell(&head(b"\x01\x02\x03", 3), "a"), Content::Other(_)));
        let mut mbr = [0; 512];
        (mbr[450], mbr[454], mbr[458]) = (7, 63, 100);
        mbr[510..].copy_from_slice(&[0x55, 0xaa]);
        #[cfg(feature = "images")]
        assert_eq!(tell(&head(&mbr, 512), "a"), Content::Other("the first sectors of a disk or a volume".into()));
        #[cfg(feature = "images")]
        assert!(matches!(tell(&head(&mbr, 1 << 20), "a"), Content::Container(Kind::Image)));
        let mut log = [0; 512];
        log[..4].copy_from_slice(b"regf");
        assert_eq!(shown(&log), "Hive");
        log[28] = 6;
        assert_eq!(shown(&log), "Log");
    }
}
