//! Archives and compressed files as file systems, every checksum compared: bytes in, entries out, no policy.

use serde::{Deserialize, Serialize};

use super::budget;
#[cfg(feature = "images")]
use super::volume::bitlocker::Keys;

mod bzip2;
pub mod container;
mod expanded;
mod field;
mod gzip;
mod heads;
mod index;
pub mod limits;
pub mod refused;
mod seekable;
pub mod seven_zip;
mod seven_zip_member;
pub mod single;
pub mod source;
pub mod stream;
pub mod tar;
mod tar_cursor;
mod tar_header;
mod tar_links;
mod tar_pax;
mod tar_sparse;
mod tar_walk;
mod told;
mod velociraptor;
mod xz;
mod xz_index;
pub mod zip;
mod zip_crypto;
mod zip_directory;
mod zip_end;
mod zip_method;
mod zstd;

pub use container::{Kind, open};
pub use limits::Limits;
pub use refused::{Cause, Refused};
pub use stream::Codec;

/// The user's options for containers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacking {
    /// The password of encrypted members of archives.
    pub password: Option<String>,
    /// For BitLocker volumes.
    #[cfg(feature = "images")]
    pub keys: Keys,
    /// Whether each image is read whole and compared with the hash that it stores.
    pub verify_image: bool,
    /// Whether shadow copies are only listed, except one that the user named. Other generations are not judged.
    pub live_only: bool,
    /// Whether a volume is searched only in the places where Windows keeps hives.
    pub places: bool,
    /// The run's limits that the user gave.
    pub limits: budget::Limits,
}
