//! The type of a partition in its partition table.
//!
//! GUIDs: UEFI specification, table 5.7; Microsoft's `PARTITION_INFORMATION_GPT`; the Discoverable Partitions
//! Specification. Bytes: <https://www.win.tue.nl/~aeb/partitions/partition_types-1.html>.

use super::field::{dword, qword, word};
use super::kind::VolumeKind;
use super::signature::{DYNAMIC, SPACES};

/// The type of a partition in its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// The type in words, or as in the table.
    pub(super) words: String,
    /// The kind of a partition of this type with unknown content.
    pub(super) kind: Option<VolumeKind>,
    /// Whether the partition belongs to the logical disk manager, which has its own table.
    pub(super) dynamic: bool,
}

/// A volume that may extend over several disks.
pub(super) const DYNAMIC_VOLUME: VolumeKind =
    VolumeKind::Refused { what: "a volume of a dynamic disk (LDM)", advice: DYNAMIC };
const SPACE: VolumeKind = VolumeKind::Refused { what: "a disk of a Storage Spaces pool", advice: SPACES };
const SWAP: VolumeKind = VolumeKind::Irrelevant("Linux swap space");

/// The types of GPT: the GUID, words, and the kind of a partition with unknown content.
const GUIDS: &[(&str, &str, Option<VolumeKind>)] = &[
    ("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "Microsoft basic data", None),
    ("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EFI system", None),
    (
        "E3C9E316-0B5C-4DB8-817D-F92DF00215AE",
        "Microsoft reserved",
        Some(VolumeKind::Irrelevant("the Microsoft reserved partition")),
    ),
    ("DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "Windows recovery", None),
    (
        "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3",
        "Microsoft LDM metadata",
        Some(VolumeKind::Irrelevant("the metadata of a dynamic disk (LDM)")),
    ),
    ("AF9B60A0-1431-4F62-BC68-3311714A69AD", "Microsoft LDM data", Some(DYNAMIC_VOLUME)),
    ("E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D", "Microsoft Storage Spaces", Some(SPACE)),
    ("558D43C5-A1AC-43C0-AAC8-D1472B2923D1", "Microsoft Storage Replica", None),
    (
        "21686148-6449-6E6F-744E-656564454649",
        "BIOS boot",
        Some(VolumeKind::Irrelevant("a BIOS boot partition: the code of a boot loader")),
    ),
    (
        "9E1A2D38-C612-4316-AA26-8B49521E5A8B",
        "PowerPC PReP boot",
        Some(VolumeKind::Irrelevant("a PReP boot partition: the code of a boot loader")),
    ),
    ("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap", Some(SWAP)),
    ("0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux file system", None),
    ("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", "Linux root", None),
    ("933AC7E1-2EB4-4F13-B844-0E14E2AEF915", "Linux home", None),
    ("E6D6D379-F507-44C2-A23C-238F2A3DF928", "Linux LVM", None),
    ("A19D880F-05FC-4D3B-A006-743F0F84911E", "Linux RAID", None),
    ("CA7D7CCB-63ED-4C53-861C-1742536059CC", "Linux LUKS", None),
    ("48465300-0000-11AA-AA11-00306543ECAC", "Apple HFS+", None),
    ("7C3457EF-0000-11AA-AA11-00306543ECAC", "Apple APFS", None),
    ("AA31E02A-400F-11DB-9590-000C2911D1B8", "VMware VMFS", None),
];

/// The type of the partitions of dynamic disks.
const DYNAMIC_GUID: &str = "AF9B60A0-1431-4F62-BC68-3311714A69AD";

/// The types of MBR: the byte, words, and the kind of a partition with unknown content.
const BYTES: &[(u8, &str, Option<VolumeKind>)] = &[
    (0x01, "FAT12", None),
    (0x04, "FAT16, small", None),
    (0x06, "FAT16", None),
    (0x07, "NTFS, exFAT or HPFS", None),
    (0x0b, "FAT32", None),
    (0x0c, "FAT32, LBA", None),
    (0x0e, "FAT16, LBA", None),
    (0x11, "hidden FAT12", None),
    (0x12, "diagnostics", None),
    (0x14, "hidden FAT16, small", None),
    (0x16, "hidden FAT16", None),
    (0x17, "hidden NTFS or exFAT", None),
    (0x1b, "hidden FAT32", None),
    (0x1c, "hidden FAT32, LBA", None),
    (0x1e, "hidden FAT16, LBA", None),
    (0x27, "Windows recovery", None),
    (0x42, "dynamic disk (LDM)", Some(DYNAMIC_VOLUME)),
    (0x82, "Linux swap or Solaris", Some(SWAP)),
    (0x83, "Linux", None),
    (0x8e, "Linux LVM", None),
    (0xa5, "FreeBSD", None),
    (0xaf, "Apple HFS or HFS+", None),
    (0xde, "Dell utilities", None),
    (0xe7, "Storage Spaces", Some(SPACE)),
    (0xef, "EFI system", None),
    (0xfb, "VMware VMFS", None),
    (0xfd, "Linux RAID", None),
];

/// Returns the label of a type GUID of a GPT, from its sixteen bytes on the disk.
pub(super) fn of_guid(bytes: &[u8]) -> Label {
    // The last two parts are big-endian.
    let rest = qword(bytes, 8).swap_bytes();
    let (clock, node) = (rest >> 48, rest & 0xffff_ffff_ffff);
    let guid = format!("{:08X}-{:04X}-{:04X}-{clock:04X}-{node:012X}", dword(bytes, 0), word(bytes, 4), word(bytes, 6));
    let dynamic = guid == DYNAMIC_GUID;
    match GUIDS.iter().find(|(known, ..)| *known == guid) {
        Some((_, words, kind)) => Label { words: (*words).to_owned(), kind: *kind, dynamic },
        None => Label { words: guid, kind: None, dynamic },
    }
}

/// Returns the label of a type byte of an MBR.
pub(super) fn of_byte(byte: u8) -> Label {
    let known = BYTES.iter().find(|(known, ..)| *known == byte);
    let words =
        known.map_or_else(|| format!("type {byte:#04x}"), |(_, words, _)| format!("type {byte:#04x} ({words})"));
    Label { words, kind: known.and_then(|(.., kind)| *kind), dynamic: byte == 0x42 }
}
