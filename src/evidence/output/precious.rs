//! Files that are never replaced, even with `--overwrite`: everything that looks like evidence.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags, Stat};

use super::held::Held;
use super::identity::Identity;
use crate::evidence::kind::Kind;

/// Bytes of a file to check, at its beginning and at its end.
const BEGINNING: usize = 1024;
const END: usize = 512;

/// First bytes of formats of evidence that are recognised nowhere else.
const KNOWN: [(&[u8], &str); 19] = [
    (b"regf", "a registry hive or its transaction log"),
    (b"HvLE", "a registry transaction log"),
    (b"EVF\x09\x0d\x0a\xff\0", "a segment of an E01 image"),
    (b"EVF2\x0d\x0a\x81\0", "a segment of an Ex01 image"),
    (b"MDF\x09\x0d\x0a\xff\0", "a segment of an E01 image"),
    (b"KDMV", "a VMDK disk image"),
    (b"COWD", "a VMDK disk image"),
    (b"# Disk DescriptorFile", "the descriptor of a VMDK disk image"),
    (b"vhdxfile", "a VHDX disk image"),
    (b"conectix", "a VHD disk image"),
    (b"QFI\xfb", "a QCOW disk image"),
    (b"ADSEGMENTEDFILE", "an AD1 image"),
    (b"Rar!\x1a\x07", "an archive (rar)"),
    (b"MSCF\0\0\0\0", "an archive (cab)"),
    (b"ISc(", "an archive (cab)"),
    (&[0x04, 0x22, 0x4d, 0x18], "a compressed file (lz4)"),
    (b"070701", "an archive (cpio)"),
    (b"070707", "an archive (cpio)"),
    (b"PK\x07\x08", "a part of an archive (zip)"),
];

/// Returns what a file looks like if it must not be replaced.
///
/// # Errors
/// The file is unreadable, or another file is at its place now.
pub(super) fn looks_like(folder: &Held, name: &OsStr, expected: &Stat) -> io::Result<Option<String>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?);
    let stat = rustix::fs::fstat(&file)?;
    if Identity::of(&stat) != Identity::of(expected) {
        return Err(io::Error::other("another file than a moment ago"));
    }
    let size = u64::try_from(stat.st_size).unwrap_or_default();
    let beginning = part(&file, 0, BEGINNING)?;
    let end = part(&file, size.saturating_sub(END as u64), END)?;
    Ok(what(&beginning, &end, &name.to_string_lossy()))
}

fn part(file: &File, from: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let mut filled = 0_usize;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Returns what a file with this beginning and end looks like, if it may be evidence. For a file that is not text, the
/// name counts too: the later parts of an image have no signature.
fn what(beginning: &[u8], end: &[u8], name: &str) -> Option<String> {
    if let Some((_, what)) = KNOWN.iter().find(|(start, _)| beginning.starts_with(start)) {
        return Some((*what).to_owned());
    }
    let name = if is_text(beginning) { "" } else { name };
    if is_part_of_an_image(name) {
        return Some("a part of a disk image".to_owned());
    }
    let archive = Kind::of(beginning).filter(|kind| !kind.is_image()).map(|kind| format!("an archive ({kind})"));
    archive.or_else(|| image(beginning, end, name))
}

#[cfg(feature = "images")]
fn image(beginning: &[u8], end: &[u8], name: &str) -> Option<String> {
    use crate::evidence::disk;
    let refused = disk::refusal(beginning, end).map(|refusal| refusal.what.to_owned());
    refused.or_else(|| disk::Kind::of(beginning, end, name).map(|kind| format!("a disk image ({kind})")))
}

#[cfg(not(feature = "images"))]
fn image(_: &[u8], _: &[u8], _: &str) -> Option<String> {
    None
}

/// Returns whether a file may be text: our outputs are, and an empty file is not evidence.
fn is_text(beginning: &[u8]) -> bool {
    let valid = beginning.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    // The last letter may be cut off.
    let whole = valid.len().saturating_add(3) >= beginning.len();
    let utf_16 = beginning.starts_with(b"\xff\xfe");
    utf_16 || (whole && !beginning.contains(&0))
}

/// Returns whether a name is that of a later part of an image: `.002`, `.E02`, `.vmdk` and the like.
fn is_part_of_an_image(name: &str) -> bool {
    let Some((_, extension)) = name.rsplit_once('.') else { return false };
    let extension = extension.to_ascii_lowercase();
    let numbered = matches!(extension.as_bytes(), [a, b, c] if [a, b, c].iter().all(|byte| byte.is_ascii_digit()));
    numbered || ["vmdk", "vhd", "vhdx", "vdi", "qcow", "qcow2", "avhd", "avhdx"].contains(&extension.as_str())
}

#[cfg(test)]
mod tests {
    use super::what;

    #[test]
    fn hives_images_and_archives_are_known_by_how_they_begin_or_end() {
        let mut footer = vec![0; 512];
        footer[..8].copy_from_slice(b"conectix");
        for (beginning, end, name) in [
            (&b"regf\0\0"[..], &b""[..], "report.json"),
            (b"EVF\x09\x0d\x0a\xff\0\x01\x01\0", b"", "report.json"),
            (b"EVF\x09\x0d\x0a\xff\0\x01\x02\0", b"", "report.json"),
            (b"PK\x03\x04", b"", "report.json"),
            (&[0; 1024], &footer, "report.json"),
            (&[0; 1024], b"", "case.002"),
            (&[0; 1024], b"", "flat-flat.vmdk"),
            (b"# Disk DescriptorFile\nversion=1", b"", "x"),
            (b"QFI\xfb\0\0\0\x03", b"", "x"),
            (b"Rar!\x1a\x07\0", b"", "x"),
        ] {
            assert!(what(beginning, end, name).is_some(), "{name}: {beginning:x?}");
        }
    }

    #[test]
    fn reports_and_patches_may_be_replaced_whatever_they_are_called() {
        for text in [&b"{\"schema_version\": \"1\"}"[..], b"", b"\xff\xfeW\0i\0n\0", "Größe".as_bytes(), b"Gr\xc3"] {
            for name in ["report.json", "report.001", "report.bin", "SOFTWARE"] {
                assert_eq!(what(text, text, name), None, "{name}: {text:x?}");
            }
        }
    }
}
