//! The formats that are recognised and refused, each with the command that helps.

use super::row::{Mark, Row};
use crate::evidence::file_system::Head;

/// The refused formats; the first row that matches decides.
pub static REFUSED: &[Row] = &[
    // Images of disks and of files.
    Row {
        what: "an AFF4 image",
        extensions: &["aff4"],
        advice: "convert it to a raw image: aff4imager -e STREAM -o OUT.raw IN.aff4",
        mark: Mark::Is(is_aff4),
    },
    Row {
        what: "an AD1 image of files",
        extensions: &["ad1"],
        advice: "export its files with FTK Imager",
        mark: Mark::At(0, &[b"ADSEGMENTEDFILE\0"]),
    },
    Row {
        what: "an image that FTK Imager encrypted",
        extensions: &[],
        advice: "decrypt it with FTK Imager: File, Decrypt AD encryption",
        mark: Mark::At(0, &[b"ADCRYPT\0"]),
    },
    Row {
        what: "a later segment of an E01 image",
        extensions: &[],
        advice: "name the first segment (.E01) instead",
        mark: Mark::Is(|head| {
            head.bytes.starts_with(b"EVF\x09\x0d\x0a\xff\0") && head.bytes.get(9..11) != Some(&[1, 0])
        }),
    },
    Row {
        what: "an Ex01 image",
        extensions: &["ex01"],
        advice: "export it: ewfexport -u -f raw -t OUT IN.Ex01",
        mark: Mark::At(0, &[b"EVF2\x0d\x0a\x81\0"]),
    },
    Row {
        what: "an L01 or Lx01 image of files, not of a disk",
        extensions: &["l01", "lx01"],
        advice: "export its files with the program that made it",
        mark: Mark::At(0, &[b"LVF\x09\x0d\x0a\xff\0", b"LEF2\x0d\x0a\x81\0"]),
    },
    Row {
        what: "an AFF image",
        extensions: &["aff", "afd"],
        advice: "convert it: affconvert -r IN.aff",
        mark: Mark::At(0, &[b"AFF10\x0d\x0a\0", b"AFF\0"]),
    },
    Row {
        what: "a VMDK of kind COWD (ESX)",
        extensions: &[],
        advice: "convert it: qemu-img convert -O raw IN.vmdk OUT.raw",
        mark: Mark::At(0, &[b"COWD"]),
    },
    Row {
        what: "a VMDK of kind SESparse (ESXi)",
        extensions: &[],
        advice: "convert it: qemu-img convert -O raw IN.vmdk OUT.raw",
        mark: Mark::At(0, &[&[0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0]]),
    },
    Row {
        what: "a Parallels disk",
        extensions: &["hdd", "hds"],
        advice: "convert it: qemu-img convert -O raw IN.hdd OUT.raw",
        mark: Mark::At(0, &[b"WithoutFreeSpace", b"WithouFreSpacExt"]),
    },
    Row {
        what: "a QCOW image of version 1",
        extensions: &[],
        advice: "convert it: qemu-img convert -O raw IN.qcow OUT.raw",
        mark: Mark::At(0, &[b"QFI\xfb\0\0\0\x01"]),
    },
    Row {
        what: "a QED image",
        extensions: &["qed"],
        advice: "convert it: qemu-img convert -O raw IN.qed OUT.raw",
        mark: Mark::At(0, &[b"QED\0"]),
    },
    Row {
        what: "a DMG image",
        extensions: &["dmg"],
        advice: "convert it: qemu-img convert -O raw IN.dmg OUT.raw",
        mark: Mark::End(b"koly"),
    },
    Row {
        what: "a WIM or ESD image",
        extensions: &["wim", "esd", "swm"],
        advice: "unpack it: wimlib-imagex apply IN.wim 1 FOLDER",
        mark: Mark::At(0, &[b"MSWIM\0\0\0", b"WLPWM\0\0\0"]),
    },
    Row {
        what: "a LUKS volume, which is encrypted",
        extensions: &["luks"],
        advice: "open it with cryptsetup open --readonly, and name a copy of the opened device",
        mark: Mark::At(0, &[b"LUKS\xba\xbe"]),
    },
    Row {
        what: "a SquashFS file system",
        extensions: &["squashfs", "sfs", "snap"],
        advice: "unpack it: unsquashfs -d FOLDER IN",
        mark: Mark::At(0, &[b"hsqs", b"sqsh"]),
    },
    Row {
        what: "an image of partclone",
        extensions: &[],
        advice: "restore it: partclone.restore -C -s IN -O OUT.raw",
        mark: Mark::At(0, &[b"partclone-image"]),
    },
    Row {
        what: "an image of ntfsclone",
        extensions: &[],
        advice: "restore it: ntfsclone --restore-image --overwrite OUT.raw IN",
        mark: Mark::At(0, &[b"\0ntfsclone-image"]),
    },
    Row {
        what: "an archive of FSArchiver",
        extensions: &["fsa"],
        advice: "restore it: fsarchiver restfs IN.fsa id=0,dest=DEVICE",
        mark: Mark::At(0, &[b"FsArCh_0"]),
    },
    // Backups.
    Row {
        what: "a Windows backup (NTBackup, .bkf)",
        extensions: &["bkf"],
        advice: "unpack it: mtftar < IN.bkf | tar -x",
        mark: Mark::Is(|head| head.bytes.starts_with(b"TAPE") && is_binary(head)),
    },
    Row {
        what: "a Norton Ghost image",
        extensions: &["gho", "ghs"],
        advice: "restore it with Ghost Explorer",
        mark: Mark::Named(|head| head.bytes.starts_with(&[0xfe, 0xef])),
    },
    Row {
        what: "an Acronis backup",
        extensions: &["tib", "tibx"],
        advice: "restore its files with Acronis, or convert it to VHD there",
        mark: Mark::Named(is_binary),
    },
    Row {
        what: "a Veeam backup",
        extensions: &["vbk", "vib", "vrb"],
        advice: "restore its files with Veeam Extract: extract IN.vbk FOLDER",
        mark: Mark::Named(is_binary),
    },
    Row {
        what: "a Macrium Reflect backup",
        extensions: &["mrimg", "mrbak"],
        advice: "convert it to VHDX: img_to_vhdx.exe IN OUT",
        mark: Mark::Named(is_binary),
    },
    Row {
        what: "a ShadowProtect backup",
        extensions: &["spf", "spi"],
        advice: "mount it with ShadowProtect and copy the hives",
        mark: Mark::Named(is_binary),
    },
    Row {
        what: "a VHD Set",
        extensions: &["vhds"],
        advice: "name the .avhdx files beside it instead",
        mark: Mark::Named(is_binary),
    },
    // Archives and compressed files.
    Row {
        what: "a RAR archive",
        extensions: &["rar"],
        advice: "unpack it: unrar x IN.rar, or 7z x IN.rar",
        mark: Mark::At(0, &[b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\x01\0"]),
    },
    Row {
        what: "a cabinet (CAB)",
        extensions: &["cab", "msu"],
        advice: "unpack it: cabextract IN.cab",
        mark: Mark::At(0, &[b"MSCF\0\0\0\0"]),
    },
    Row {
        what: "an InstallShield cabinet",
        extensions: &[],
        advice: "unpack it: unshield x IN.cab",
        mark: Mark::At(0, &[b"ISc("]),
    },
    Row {
        what: "the first part of a split zip archive",
        extensions: &[],
        advice: "join the parts: zip -s 0 IN.zip --out OUT.zip",
        mark: Mark::At(0, &[b"PK\x07\x08"]),
    },
    Row {
        what: "an LZ4 file",
        extensions: &["lz4"],
        advice: "decompress it: lz4 -d IN.lz4",
        mark: Mark::At(0, &[&[0x04, 0x22, 0x4d, 0x18], &[0x02, 0x21, 0x4c, 0x18]]),
    },
    Row {
        what: "a Zstandard file of before 2016",
        extensions: &[],
        advice: "decompress it: zstd -d IN.zst",
        mark: Mark::Is(|head| matches!(head.bytes.as_slice(), [0x22..=0x27, 0xb5, 0x2f, 0xfd, ..])),
    },
    Row {
        what: "an lzip file",
        extensions: &["lz", "tlz"],
        advice: "decompress it: lzip -d IN.lz",
        mark: Mark::At(0, &[b"LZIP\x01", b"LZIP\0"]),
    },
    Row {
        what: "an LZMA file (.lzma)",
        extensions: &["lzma", "tlz"],
        advice: "decompress it: xz -d IN.lzma",
        mark: Mark::Named(is_lzma),
    },
    Row {
        what: "an lzop file",
        extensions: &["lzo"],
        advice: "decompress it: lzop -d IN.lzo",
        mark: Mark::At(0, &[b"\x89LZO\0\x0d\x0a\x1a\x0a"]),
    },
    Row {
        what: "a file of compress (.Z)",
        extensions: &["z"],
        advice: "decompress it: gzip -d IN.Z",
        // The third byte is the width of the codes, 9 to 16, and a flag.
        mark: Mark::Is(
            |head| matches!(head.bytes.as_slice(), [0x1f, 0x9d, flags, ..] if matches!(flags & 0x7f, 9..=16)),
        ),
    },
    Row {
        what: "a cpio archive",
        extensions: &["cpio"],
        advice: "unpack it: cpio -idm < IN.cpio",
        mark: Mark::Is(is_cpio),
    },
    Row {
        what: "an ar archive",
        extensions: &["deb", "a"],
        advice: "unpack it: ar x IN",
        mark: Mark::At(0, &[b"!<arch>\n"]),
    },
    Row {
        what: "an LHA archive",
        extensions: &["lzh", "lha"],
        advice: "unpack it: 7z x IN",
        mark: Mark::Is(|head| {
            matches!(head.bytes.get(2..7), Some([b'-', b'l', b'h' | b'z', b'0'..=b'9' | b'd' | b's', b'-']))
        }),
    },
    Row {
        what: "an ARJ archive",
        extensions: &["arj"],
        advice: "unpack it: 7z x IN",
        mark: Mark::Named(|head| head.bytes.starts_with(&[0x60, 0xea])),
    },
    Row {
        what: "an ACE archive",
        extensions: &["ace"],
        advice: "unpack it with the program that made it",
        mark: Mark::At(7, &[b"**ACE**"]),
    },
    Row {
        what: "a ZPAQ archive",
        extensions: &["zpaq"],
        advice: "unpack it: zpaq x IN.zpaq",
        mark: Mark::At(0, &[b"7kSt\xa0\x31\x83\xd3\x8c\xb2\x28\xb0\xd3", b"zPQ\x01", b"zPQ\x02"]),
    },
    // Its signature is at byte 32,769, beyond the bytes that are read here.
    Row {
        what: "an ISO or UDF image of a disc",
        extensions: &["iso", "udf"],
        advice: "unpack it: 7z x IN.iso",
        mark: Mark::Named(|head| head.size > 0x8800 && is_binary(head)),
    },
];

/// Returns whether the bytes are not text, and enough for a container.
fn is_binary(head: &Head) -> bool {
    let text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x20..=0x7e | 0x80..);
    head.bytes.len() >= 512 && !head.bytes.iter().all(text)
}

/// Recognises a ZIP archive whose first member is one that the AFF4 standard prescribes (version 1.0, section 3).
fn is_aff4(head: &Head) -> bool {
    let names: [&[u8]; 2] = [b"container.description", b"information.turtle"];
    let name = head.bytes.get(30..).unwrap_or_default();
    head.bytes.starts_with(b"PK\x03\x04") && names.iter().any(|known| name.starts_with(known))
}

/// Recognises the header of an `.lzma` file: properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, and a size that is
/// unknown or below 256 GiB.
fn is_lzma(head: &Head) -> bool {
    let Some([properties, rest @ ..]) = head.bytes.first_chunk::<13>() else { return false };
    let (dictionary, size) = rest.split_at(4);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let (dictionary, size) = (number(dictionary), number(size));
    let usual = dictionary.is_power_of_two() || dictionary.count_ones() == 2 && dictionary & dictionary << 1 != 0;
    *properties < 225 && usual && (size == u64::MAX || size < 1 << 38)
}

/// Recognises the headers of cpio: two of text, and one of binary numbers in either byte order with a plausible name.
fn is_cpio(head: &Head) -> bool {
    let bytes = head.bytes.as_slice();
    let digits = |end: usize| bytes.get(6..end).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if bytes.starts_with(b"070701") || bytes.starts_with(b"070702") {
        return digits(110);
    }
    if bytes.starts_with(b"070707") {
        return digits(76);
    }
    let little = bytes.starts_with(&[0xc7, 0x71]);
    let name = match bytes.get(20..22) {
        Some([low, high]) if little => u16::from_le_bytes([*low, *high]),
        Some([high, low]) if bytes.starts_with(&[0x71, 0xc7]) => u16::from_be_bytes([*high, *low]),
        _ => return false,
    };
    // The name ends with a NUL at the place that the header's name size gives.
    let last = usize::from(name).saturating_add(25);
    (2..1024).contains(&name) && bytes.get(last) == Some(&0) && bytes.get(26).is_some_and(|letter| *letter >= b' ')
}
