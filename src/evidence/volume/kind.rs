//! What a volume is.

/// What a volume is, by its content, or else by what the partition table says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeKind {
    /// NTFS.
    Ntfs,
    /// FAT12, FAT16 or FAT32; of an EFI partition, too.
    Fat,
    /// exFAT.
    ExFat,
    /// ext2, ext3 or ext4.
    Ext,
    /// A volume that BitLocker encrypts, or did; BitLocker To Go, too.
    BitLocker,
    /// Nothing that could hold a user's files, and why.
    Irrelevant(&'static str),
    /// A file system, or a layer below one, that is not read.
    Refused {
        /// What it is, with its article.
        what: &'static str,
        /// What the user can do.
        advice: &'static str,
    },
    /// Data that nothing is known of.
    Unknown,
}

impl VolumeKind {
    /// Whether there is a reader for its files.
    pub fn is_readable(self) -> bool {
        matches!(self, Self::Ntfs | Self::Fat | Self::ExFat | Self::Ext)
    }

    /// Returns what it is, in words.
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
