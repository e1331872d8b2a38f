//! The kinds of containers that are opened.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::archive;
use super::file_system::Head;

/// A kind of container that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// An archive, or a compressed file.
    Archive(archive::Kind),
    /// A disk image; its content decides which kind.
    #[cfg(feature = "images")]
    Image,
}

impl Kind {
    /// Returns the kind of container with this beginning.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        let head = Head { bytes: beginning.to_vec(), size: u64::MAX, ..Head::default() };
        archive::Kind::of(beginning).map(Self::Archive).or_else(|| Self::image(&head))
    }

    /// Returns `None`: this build reads no disk images.
    #[cfg(not(feature = "images"))]
    pub fn image(_: &Head) -> Option<Self> {
        None
    }

    /// Recognises a disk image by its beginning and end. An extent of a VMDK is a sparse file without a descriptor; the
    /// descriptor is in another file.
    #[cfg(feature = "images")]
    pub fn image(head: &Head) -> Option<Self> {
        let extent = head.bytes.starts_with(b"KDMV") && head.bytes.get(28..36) == Some(&[0; 8]);
        super::disk::Kind::of(&head.bytes, &head.end, "").filter(|_| !extent).map(|_| Self::Image)
    }

    /// Recognises a raw image whose first sectors are lost, by its name alone.
    #[cfg(feature = "images")]
    pub fn raw_by_name(head: &Head, name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let named = [".raw", ".dd", ".img", ".001"].iter().any(|end| name.ends_with(end));
        let raw = super::disk::Kind::of(&head.bytes, &head.end, &name).filter(|_| named && head.size >= 1 << 20);
        (raw? == super::disk::Kind::Raw || name.ends_with(".001")).then_some(Self::Image)
    }

    /// Returns `None`: this build reads no disk images.
    #[cfg(not(feature = "images"))]
    pub fn raw_by_name(_: &Head, _: &str) -> Option<Self> {
        None
    }

    /// Returns whether the container is a disk image.
    pub fn is_image(self) -> bool {
        !matches!(self, Self::Archive(_))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(kind) => kind.fmt(f),
            #[cfg(feature = "images")]
            Self::Image => f.write_str("image"),
        }
    }
}
