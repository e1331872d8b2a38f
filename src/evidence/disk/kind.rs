//! The kind of an image by its content: a supported disk image, or one that is recognised and refused.

use std::fmt;

use crate::evidence::file_system::Head;
use crate::evidence::format::{self, Row};

use super::field::{be32, le16, le32, le64};
use super::named::extension;
use super::split;

/// A supported kind of disk image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The disk's bytes as they are.
    Raw,
    /// The disk's bytes, divided into parts.
    SplitRaw,
    /// Expert Witness, as EnCase and FTK Imager write it: `.E01`, `.E02`.
    Ewf,
    /// Virtual PC and Hyper-V.
    Vhd,
    /// VMware.
    Vmdk,
    /// VirtualBox.
    Vdi,
    /// Hyper-V since 2012.
    Vhdx,
    /// QEMU.
    Qcow2,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::SplitRaw => "split raw",
            Self::Ewf => "E01",
            Self::Vhd => "VHD",
            Self::Vmdk => "VMDK",
            Self::Vdi => "VDI",
            Self::Vhdx => "VHDX",
            Self::Qcow2 => "QCOW2",
        })
    }
}

/// The first bytes of an Expert Witness file.
const EWF: &[u8] = b"EVF\x09\x0d\x0a\xff\0";

impl Kind {
    /// Returns QEMU's name of the format.
    pub(super) fn format(self) -> &'static str {
        match self {
            Self::Raw | Self::SplitRaw | Self::Ewf => "raw",
            Self::Vhd => "vpc",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
            Self::Vhdx => "vhdx",
            Self::Qcow2 => "qcow2",
        }
    }

    /// Recognises a kind: `beginning` is the first bytes of the file, `end` its last 512, or all of a shorter file. The
    /// first 512 bytes identify each kind, except that a GPT behind an empty sector needs 4,100. A raw image or its
    /// first part may have no signature; then the name decides.
    pub fn of(beginning: &[u8], end: &[u8], name: &str) -> Option<Self> {
        let starts = |signature: &[u8]| beginning.starts_with(signature);
        // Only the first segment is an image of its own.
        if starts(EWF) {
            return (le16(beginning, 9) == Some(1)).then_some(Self::Ewf);
        }
        if starts(b"KDMV") || is_descriptor(beginning) {
            return Some(Self::Vmdk);
        }
        if beginning.get(64..68) == Some(&[0x7f, 0x10, 0xda, 0xbe]) {
            return Some(Self::Vdi);
        }
        if starts(b"vhdxfile") {
            return Some(Self::Vhdx);
        }
        if starts(b"QFI\xfb") && be32(beginning, 4).is_some_and(|version| version >= 2) {
            return Some(Self::Qcow2);
        }
        // Only the end identifies a fixed VHD: without it, the file is a truncated VHD, not a raw image.
        let named = |names: &[&str]| names.iter().any(|known| extension(name).eq_ignore_ascii_case(known));
        if starts(b"conectix") || end.starts_with(b"conectix") || (named(&["vhd"]) && is_disk(beginning)) {
            return Some(Self::Vhd);
        }
        if refusal(beginning, end).is_some() || starts(b"regf") {
            return None;
        }
        if split::is_first(name) {
            return Some(Self::SplitRaw);
        }
        (named(&["raw", "dd", "img", "ima", "bin"]) || is_disk(beginning)).then_some(Self::Raw)
    }
}

/// Recognises a VMDK descriptor: text with this first line.
pub(super) fn is_descriptor(beginning: &[u8]) -> bool {
    const FIRST: &[u8] = b"# Disk DescriptorFile";
    let start = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    start.get(..FIRST.len()).is_some_and(|start| start.eq_ignore_ascii_case(FIRST))
}

/// Recognises the first sector of a disk or a volume: the signature at its end, and a partition table or a boot sector.
/// A GPT needs none of these.
fn is_disk(beginning: &[u8]) -> bool {
    if is_gpt(beginning) {
        return true;
    }
    if beginning.get(510..512) != Some(&[0x55, 0xaa]) {
        return false;
    }
    let boot = matches!(beginning.first(), Some(0xeb | 0xe9));
    let table = || beginning.get(446..510).unwrap_or_default().chunks_exact(16);
    let used = |entry: &[u8]| entry.get(4).is_some_and(|kind| *kind != 0);
    let ordinary = table().all(|entry| matches!(entry.first(), Some(0 | 0x80)));
    // Some disks have another status byte; then the rest of the table must be valid.
    let odd = || {
        let whole = |entry: &[u8]| {
            le32(entry, 8).is_some_and(|start| start > 0) && le32(entry, 12).is_some_and(|count| count > 0)
        };
        table().all(|entry| if used(entry) { whole(entry) } else { entry.iter().all(|byte| *byte == 0) })
    };
    boot || (ordinary || odd()) && table().any(used)
}

/// Recognises the header of a GPT behind a first sector of 512 or of 4,096 bytes, as far as the beginning reaches.
fn is_gpt(beginning: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"EFI PART";
    let stands = |at: usize| {
        let there = beginning.get(at..).unwrap_or_default();
        let there = there.get(..SIGNATURE.len()).unwrap_or(there);
        there.len() >= 4 && SIGNATURE.starts_with(there)
    };
    stands(512) || stands(4096)
}

/// A file below this size in bytes may be a copy of a disk's or a volume's first sectors.
const FRAGMENT: u64 = 1 << 20;

/// Returns whether a file of `size` bytes is only the beginning of a disk or a volume, such as a collected MBR, or the
/// $Boot of an NTFS volume. Such a file begins like a raw disk image, and ends before the range that its first sector
/// describes.
pub fn is_fragment(beginning: &[u8], size: u64) -> bool {
    if size >= FRAGMENT || Kind::of(beginning, &[], "") != Some(Kind::Raw) {
        return false;
    }
    let sector = u64::from(le16(beginning, 11).unwrap_or_default());
    let has = |name: &[u8]| beginning.get(3..).is_some_and(|rest| rest.starts_with(name));
    let stated = if has(b"NTFS    ") {
        le64(beginning, 40).unwrap_or_default().saturating_mul(sector)
    } else if has(b"EXFAT   ") || has(b"-FVE-FS-") || is_gpt(beginning) {
        // The smallest exFAT volume, BitLocker volume and GPT disk have this size.
        FRAGMENT
    } else if matches!(beginning.first(), Some(0xeb | 0xe9)) && matches!(sector, 512 | 1024 | 2048 | 4096) {
        let small = le16(beginning, 19).map_or(0, u64::from);
        let large = le32(beginning, 32).map_or(0, u64::from);
        (if small > 0 { small } else { large }).saturating_mul(sector)
    } else {
        let table = beginning.get(446..510).unwrap_or_default().chunks_exact(16);
        let used = table.filter(|entry| entry.get(4).is_some_and(|kind| *kind != 0));
        let start = used.filter_map(|entry| le32(entry, 8)).min().map_or(0, u64::from);
        start.saturating_add(1).saturating_mul(512)
    };
    size < stated
}

/// Returns the refused kind of image with this beginning and end, and its advice; arguments as for [`Kind::of`].
pub fn refusal(beginning: &[u8], end: &[u8]) -> Option<&'static Row> {
    let head = Head { bytes: beginning.to_vec(), end: end.to_vec(), size: u64::MAX, ..Head::default() };
    format::refusal(&head, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_before_the_name() {
        let mut disk = vec![0; 1024];
        (disk[446 + 4], disk[510], disk[511]) = (7, 0x55, 0xaa);
        let mut footer = vec![0; 512];
        footer[..8].copy_from_slice(b"conectix");
        let of = |start: &[u8], end: &[u8], name| Kind::of(start, end, name);
        assert_eq!(of(b"QFI\xfb\0\0\0\x03", &[], "a.001"), Some(Kind::Qcow2));
        assert_eq!(of(b"# disk descriptorfile\n", &[], "a.raw"), Some(Kind::Vmdk));
        assert_eq!(of(&disk, &footer, "a.raw"), Some(Kind::Vhd));
        assert_eq!(of(&disk, &disk, "a.raw"), Some(Kind::Raw));
        assert_eq!(of(&disk, &disk, "a.VHD"), Some(Kind::Vhd));
        assert_eq!(of(&disk, &disk, "a.001"), Some(Kind::SplitRaw));
        assert_eq!(of(&disk, &disk, "a"), Some(Kind::Raw));
        assert_eq!(of(&[0; 1024], &[0; 512], "a.DD"), Some(Kind::Raw));
        assert_eq!(of(b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0", &[], "x"), Some(Kind::Ewf));
        for (start, name) in [
            (&b"regf"[..], "a.img"),
            (b"text", "a.txt"),
            (b"QFI\xfb\0\0\0\x01", "a.qcow"),
            (b"EVF\x09\x0d\x0a\xff\0\x01\x02\0\0\0", "a.E02"),
            (b"COWD", "a.vmdk"),
            (&[0; 1024], "a"),
        ] {
            assert_eq!(of(start, &[], name), None, "{name}");
        }
    }

    #[test]
    fn a_disk_is_known_by_a_gpt_and_by_an_mbr_with_an_odd_status() {
        for at in [512, 4096] {
            let mut disk = vec![0; at + 4];
            disk[at..].copy_from_slice(b"EFI ");
            assert_eq!(Kind::of(&disk, &[], "a"), Some(Kind::Raw), "{at}");
            assert_eq!(Kind::of(&disk[..at + 3], &[], "a"), None, "{at}");
            disk[at] = b'e';
            assert_eq!(Kind::of(&disk, &[], "a"), None, "{at}");
        }
        let mut disk = vec![0; 512];
        (disk[446], disk[450], disk[454], disk[458]) = (0x81, 7, 63, 100);
        disk[510..].copy_from_slice(&[0x55, 0xaa]);
        assert_eq!(Kind::of(&disk, &[], "a"), Some(Kind::Raw));
        // Text and code that end with the signature have other bytes in the entries too.
        disk[462] = 1;
        assert_eq!(Kind::of(&disk, &[], "a"), None);
    }

    #[test]
    fn first_sectors_that_were_collected_are_no_images() {
        let mut boot = vec![0; 512];
        boot[..11].copy_from_slice(b"\xeb\x52\x90NTFS    ");
        boot[11..13].copy_from_slice(&[0, 2]);
        boot[40..44].copy_from_slice(&2000_u32.to_le_bytes());
        boot[510..].copy_from_slice(&[0x55, 0xaa]);
        assert!(is_fragment(&boot, 8192) && !is_fragment(&boot, 2000 * 512) && !is_fragment(&boot, 2 << 20));
        let mut mbr = vec![0; 512];
        (mbr[450], mbr[454], mbr[458]) = (7, 63, 100);
        mbr[510..].copy_from_slice(&[0x55, 0xaa]);
        assert!(is_fragment(&mbr, 512) && is_fragment(&mbr, 63 * 512) && !is_fragment(&mbr, 64 * 512));
        assert!(!is_fragment(b"QFI\xfb\0\0\0\x03", 512));
    }

    #[test]
    fn what_is_known_and_not_read_is_named() {
        let trailer = [b"koly".as_slice(), &[0; 508]].concat();
        for (start, end, what) in [
            (&b"EVF2\x0d\x0a\x81\0"[..], &b""[..], "Ex01"),
            (b"EVF\x09\x0d\x0a\xff\0\x01\x02\0\0\0", b"", "later segment"),
            (b"COWD", b"", "COWD"),
            (b"x", &trailer, "DMG"),
        ] {
            let refusal = refusal(start, end).unwrap();
            assert!(refusal.what.contains(what) && !refusal.advice.is_empty(), "{refusal:?}");
        }
        assert_eq!((refusal(b"regf", b"hbin"), refusal(b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0", b"")), (None, None));
    }
}
