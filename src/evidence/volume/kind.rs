//! The kind of a volume.

/// The kind of a volume by its content, otherwise by its type in the partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeKind {
    /// NTFS.
    Ntfs,
    /// FAT12, FAT16 or FAT32, including an EFI partition.
    Fat,
    /// exFAT.
    ExFat,
    /// ext2, ext3 or ext4.
    Ext,
    /// A volume that BitLocker encrypts or did encrypt, including BitLocker To Go.
    BitLocker,
    /// A volume that cannot hold a user's files; the reason.
    Irrelevant(&'static str),
    /// An unsupported file system, or an unsupported layer below one.
    Refused {
        /// The name with its article.
        what: &'static str,
        /// What the user can do.
        advice: &'static str,
    },
    /// Unknown data.
    Unknown,
}

impl VolumeKind {
    /// Returns whether this program reads its files.
    pub fn is_readable(self) -> bool {
        matches!(self, Self::Ntfs | Self::Fat | Self::ExFat | Self::Ext)
    }

    /// Returns the kind in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ntfs => "NTFS",
            Self::Fat => "FAT",
            Self::ExFat => "exFAT",
            Self::Ext => "ext2, ext3 or ext4",
            Self::BitLocker => "a volume that BitLocker encrypts",
            Self::Irrelevant(what) | Self::Refused { what, .. } => what,
            Self::Unknown => "no known file system",
        }
    }
}
