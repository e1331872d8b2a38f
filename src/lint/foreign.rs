//! Recognises files that are not `.reg` files: a hive, an archive, a disk image.

use std::path::Path;

use crate::evidence::file_system::{HEAD, Head};
use crate::evidence::format::{self, Format};

/// The end of the first sector of a disk, and of a FAT or NTFS volume.
const BOOT: (usize, &[u8]) = (510, &[0x55, 0xaa]);

/// Returns what a file with this start is, with its article, and what to do with it; `None` if it may be a `.reg` file.
pub(super) fn foreign(bytes: &[u8], path: &Path) -> Option<(String, String)> {
    if bytes.starts_with(b"regf") {
        let advice = "See it with `hivemend show`, or audit it with `hivemend audit`".to_owned();
        return Some(("a registry hive".to_owned(), advice));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = bytes.get(..HEAD).unwrap_or(bytes);
    let head = Head { bytes: bytes.to_vec(), at_bins: [0; 4], end: Vec::new(), size: bytes.len() as u64 };
    let audit = || "Audit it with `hivemend audit`, or name the .reg file in it".to_owned();
    match format::of(&head, &name) {
        Some(Format::Archive(kind)) => Some((format!("an archive or compressed file ({kind})"), audit())),
        Some(Format::Image) => Some(("a disk image".to_owned(), audit())),
        Some(Format::Refused(row)) => Some((row.what.to_owned(), "Name a .reg file".to_owned())),
        None if bytes.get(BOOT.0..).is_some_and(|end| end.starts_with(BOOT.1)) => {
            Some(("a disk or a volume".to_owned(), audit()))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(bytes: &[u8], name: &str) -> Option<String> {
        foreign(bytes, Path::new(name)).map(|(what, _)| what)
    }

    #[test]
    fn hives_archives_and_images_are_named_and_texts_are_not() {
        assert_eq!(what(b"regf\x01\0\0\0", "SYSTEM").as_deref(), Some("a registry hive"));
        assert_eq!(what(b"PK\x03\x04rest", "x.reg").as_deref(), Some("an archive or compressed file (zip)"));
        assert_eq!(what(b"\x1f\x8b\x08", "x.reg").as_deref(), Some("an archive or compressed file (gzip)"));
        assert_eq!(what(b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0", "x.reg").as_deref(), Some("a disk image"));
        let mut disk = vec![0; 512];
        disk[510..].copy_from_slice(BOOT.1);
        assert_eq!(what(&disk, "x.reg").as_deref(), Some("a disk or a volume"));
        for text in [&b"REGEDIT4\n"[..], b"", b"\xff\xfeW\0i\0n\0", b"\xef\xbb\xbfWindows", &[b' '; 600]] {
            assert_eq!(what(text, "x.reg"), None);
        }
    }
}
