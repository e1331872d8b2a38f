//! What a file is, by its content: a disk image of a kind that is read, or of one that is known and refused.

use std::fmt;

use super::field::{be32, le16};
use super::split;

/// A kind of disk image that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The disk's bytes as they are.
    Raw,
    /// The same, cut into parts.
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

/// How an Expert Witness file begins.
const EWF: &[u8] = b"EVF\x09\x0d\x0a\xff\0";

impl Kind {
    /// What QEMU calls it.
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

    /// What begins and ends like this: `beginning` is at least the first 1,024 bytes of the file, `end` its last 512, or
    /// all there is. Where the content does not tell, the name does: of a raw image, or of its first part.
    pub fn of(beginning: &[u8], end: &[u8], name: &str) -> Option<Self> {
        let starts = |signature: &[u8]| beginning.starts_with(signature);
        // Only the first segment is an image by itself.
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
        // A fixed VHD is told by its end alone: without that, it is one that was cut short, and no raw image.
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

/// What stands behind the last dot of a name; nothing where there is no dot.
pub(super) fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// A VMDK descriptor: text that says so in its first line.
pub(super) fn is_descriptor(beginning: &[u8]) -> bool {
    const FIRST: &[u8] = b"# Disk DescriptorFile";
    let start = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    start.get(..FIRST.len()).is_some_and(|start| start.eq_ignore_ascii_case(FIRST))
}

/// The first sector of a disk or a volume: the mark at its end, and a partition table or a boot sector.
fn is_disk(beginning: &[u8]) -> bool {
    if beginning.get(510..512) != Some(&[0x55, 0xaa]) {
        return false;
    }
    let boot = matches!(beginning.first(), Some(0xeb | 0xe9));
    let mut table = beginning.get(446..510).unwrap_or_default().chunks_exact(16);
    let sound = table.clone().all(|entry| matches!(entry.first(), Some(0 | 0x80)));
    boot || sound && table.any(|entry| entry.get(4).is_some_and(|kind| *kind != 0))
}

/// A kind of image that is known and not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it is.
    pub what: &'static str,
    /// What gets the user there.
    pub advice: &'static str,
}

/// The kind of image that begins and ends like this and is not read, with what to do instead; arguments as for
/// [`Kind::of`].
pub fn refusal(beginning: &[u8], end: &[u8]) -> Option<Refusal> {
    let starts = |signature: &[u8]| beginning.starts_with(signature);
    let (what, advice) = if starts(EWF) {
        if le16(beginning, 9) == Some(1) {
            return None;
        }
        ("a later segment of an E01 image", "name the first segment (.E01) instead")
    } else if starts(b"EVF2\x0d\x0a\x81\0") {
        ("an Ex01 image", "export it: ewfexport -u -f raw -t OUT IN.Ex01")
    } else if starts(b"LVF\x09\x0d\x0a\xff\0") || starts(b"LEF2\x0d\x0a\x81\0") {
        ("an L01 or Lx01 image of files, not of a disk", "export its files with the program that made it")
    } else if starts(b"AFF10\x0d\x0a\0") || starts(b"AFF") {
        ("an AFF image", "convert it: affconvert -r IN.aff")
    } else if starts(b"COWD") {
        ("a VMDK of kind COWD (ESX)", "convert it: qemu-img convert -O raw IN.vmdk OUT.raw")
    } else if starts(&[0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0]) {
        ("a VMDK of kind SESparse (ESXi)", "convert it: qemu-img convert -O raw IN.vmdk OUT.raw")
    } else if starts(b"WithoutFreeSpace") || starts(b"WithouFreSpacExt") {
        ("a Parallels disk", "convert it: qemu-img convert -O raw IN.hdd OUT.raw")
    } else if starts(b"QFI\xfb\0\0\0\x01") {
        ("a QCOW image of version 1", "convert it: qemu-img convert -O raw IN.qcow OUT.raw")
    } else if starts(b"QED\0") {
        ("a QED image", "convert it: qemu-img convert -O raw IN.qed OUT.raw")
    } else if starts(b"MSWIM\0\0\0") || starts(b"WLPWM\0\0\0") {
        ("a WIM image", "unpack it: wimlib-imagex apply IN.wim 1 FOLDER")
    } else if starts(b"LUKS\xba\xbe") {
        ("a LUKS volume, which is encrypted", "open it with cryptsetup open --readonly and name the device's copy")
    } else if end.starts_with(b"koly") {
        ("a DMG image", "convert it: qemu-img convert -O raw IN.dmg OUT.raw")
    } else {
        return None;
    };
    Some(Refusal { what, advice })
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
    fn what_is_known_and_not_read_is_named() {
        for (start, end, what) in [
            (&b"EVF2\x0d\x0a\x81\0"[..], &b""[..], "Ex01"),
            (b"EVF\x09\x0d\x0a\xff\0\x01\x02\0\0\0", b"", "later segment"),
            (b"COWD", b"", "COWD"),
            (b"", b"koly", "DMG"),
        ] {
            let refusal = refusal(start, end).unwrap();
            assert!(refusal.what.contains(what) && !refusal.advice.is_empty(), "{refusal:?}");
        }
        assert_eq!((refusal(b"regf", b"hbin"), refusal(b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0", b"")), (None, None));
    }
}
