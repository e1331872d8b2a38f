//! Archives and compressed files: what of them can be a hive, a log, or a container with such is unpacked into memory.
//!
//! Nothing is written to a disk, and no name of a member is ever a name of the system. What a member is, its first bytes
//! say: others are passed over without being unpacked further, where the format allows it.

pub mod container;

mod bzip2;
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

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sevenz_rust2::Password;

use super::tree::{Container, Member, Origin, Snapshot};
use super::unpacker::{Open, Unpacker};
use crate::error::Problem;

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A ZIP archive.
    Zip,
    /// A tar archive.
    Tar,
    /// A gzip stream.
    Gzip,
    /// An xz stream.
    Xz,
    /// A Zstandard stream.
    Zstd,
    /// A bzip2 stream.
    Bzip2,
    /// A 7z archive.
    SevenZip,
    /// A disk image; of which kind, it says itself.
    #[cfg(feature = "images")]
    Image,
}

/// What the user said of unpacking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacking {
    /// For encrypted members of archives.
    pub password: Option<String>,
    /// Whether each image is read whole, and compared with the hash that it holds.
    pub verify_image: bool,
    /// Whether shadow copies are listed only, save where one is named: other generations are not judged.
    pub live_only: bool,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::SevenZip => "7z",
            #[cfg(feature = "images")]
            Self::Image => "image",
        })
    }
}

impl Kind {
    /// What begins like this.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(Self::SevenZip),
            _ if beginning.get(257..262) == Some(b"ustar") => Some(Self::Tar),
            _ => Self::image(beginning),
        }
    }

    #[cfg(not(feature = "images"))]
    fn image(_: &[u8]) -> Option<Self> {
        None
    }

    /// An extent of a VMDK is a sparse file without the descriptor, which is in another file.
    #[cfg(feature = "images")]
    fn image(beginning: &[u8]) -> Option<Self> {
        let extent = beginning.starts_with(b"KDMV") && beginning.get(28..36) == Some(&[0; 8]);
        super::disk::Kind::of(beginning, &[], "").filter(|_| !extent).map(|_| Self::Image)
    }

    /// Whether it is a disk image.
    pub fn is_image(self) -> bool {
        #[cfg(feature = "images")]
        return self == Self::Image;
        #[cfg(not(feature = "images"))]
        false
    }

    /// What a failure to read it says that was expected.
    pub fn expected(self) -> &'static str {
        match self {
            #[cfg(feature = "images")]
            Self::Image => "a disk image that can be read",
            _ => "an archive that can be read",
        }
    }
}

/// What a container and those within it came to.
#[derive(Debug, Default)]
pub struct Contents {
    /// A tree for each container that holds something.
    pub containers: Vec<Container>,
    /// Files that were compressed one by one; with others of their folder they make a tree.
    pub singles: Vec<(PathBuf, Member)>,
    /// The shadow copies that volumes list, read or not.
    pub shadow_copies: Vec<Snapshot>,
    /// What could not be unpacked.
    pub problems: Vec<Problem>,
    /// Where was looked, and how much there was: for saying so where nothing was found.
    pub looked: Vec<String>,
    /// How many members there were in all.
    pub members: usize,
    /// Files of the system that belong to it, beside the one that was named: segments, extents, parents.
    pub files: Vec<PathBuf>,
}

/// Unpacks the container at `path`, which reports name `locator`, and those within it. Of a disk image `wanted` says
/// what of it: the rest of a locator behind the image's name and the `!` that follows it.
///
/// # Errors
/// What the system says of the file.
pub fn unpack(
    path: &Path,
    locator: String,
    kind: Kind,
    wanted: Option<&str>,
    unpacking: &Unpacking,
) -> io::Result<Contents> {
    unpack_to(path, locator, kind, wanted, unpacking, None)
}

/// [`unpack`]; what is kept is written to `store`, if there is one, and not held in memory.
pub(super) fn unpack_to(
    path: &Path,
    locator: String,
    kind: Kind,
    wanted: Option<&str>,
    unpacking: &Unpacking,
    store: Option<File>,
) -> io::Result<Contents> {
    let file = File::open(path)?;
    let compressed = file.metadata()?.len();
    let mut unpacker = Unpacker::new(path, unpacking, store);
    match (kind, wanted) {
        #[cfg(feature = "images")]
        (Kind::Image, wanted) => super::image::read(&mut unpacker, None, &locator, wanted, 0),
        _ => unpacker.container(BufReader::new(file), compressed, kind, locator, 0),
    }
    unpacker.contents.problems.sort();
    Ok(unpacker.contents)
}

impl Unpacker {
    pub(super) fn container(
        &mut self,
        reader: impl Read + Seek,
        compressed: u64,
        kind: Kind,
        locator: String,
        depth: usize,
    ) {
        let mut open = Open::new(locator, Origin { format: kind.to_string(), ..Origin::default() });
        match kind {
            Kind::Zip => self.zip(reader, &mut open),
            Kind::Tar => self.tar(reader, compressed, &mut open),
            Kind::SevenZip => self.seven_zip(reader, compressed, &mut open),
            _ => self.stream(reader, compressed, kind, &mut open),
        }
        // Compressed files that belong together lie beside each other, each in a container of its own.
        let single = !matches!(kind, Kind::Zip | Kind::Tar | Kind::SevenZip);
        if single && open.files.len() == 1 && depth == 0 {
            let own = |(inside, member): (PathBuf, Member)| {
                let named = format!("{}!{}", open.locator, super::directory::locator(&inside));
                (inside, Member { locator: Some(named), ..member })
            };
            let files: Vec<_> = open.files.into_iter().map(own).collect();
            self.contents.singles.extend(files);
            open.files = BTreeMap::new();
        }
        self.finish(open, depth);
    }

    fn seven_zip(&mut self, reader: impl Read + Seek, compressed: u64, open: &mut Open) {
        let password = self.unpacking.password.as_deref().map_or_else(Password::empty, Password::from);
        let mut archive = match sevenz_rust2::ArchiveReader::new(reader, password) {
            Ok(archive) => archive,
            Err(error) => {
                let why = self.locked(&error.to_string());
                return self.broken(open, "a 7z archive that can be read", &why);
            }
        };
        let read = archive.for_each_entries(|entry, reader| {
            if !self.counts(open) {
                return Ok(false);
            }
            if !entry.is_directory() {
                self.member(open, entry.name(), reader, compressed);
            }
            // What is packed together is unpacked in one stream.
            io::copy(reader, &mut io::sink())?;
            Ok(true)
        });
        if let Err(error) = read {
            let why = self.locked(&error.to_string());
            self.broken(open, "a 7z archive that can be read to its end", &why);
        }
    }

    /// An error of an archive that may be encrypted.
    fn locked(&self, why: &str) -> String {
        match self.unpacking.password {
            None if why.to_lowercase().contains("password") => {
                format!("{why}: it is encrypted, name a file with its password (--password-file)")
            }
            _ => why.to_owned(),
        }
    }

    fn zip(&mut self, reader: impl Read + Seek, open: &mut Open) {
        let mut archive = match ::zip::ZipArchive::new(reader) {
            Ok(archive) => archive,
            Err(error) => return self.broken(open, "a ZIP archive that can be read", &error.to_string()),
        };
        let password = self.unpacking.password.clone();
        for index in 0..archive.len() {
            if !self.counts(open) {
                return;
            }
            let (encrypted, name) = archive.by_index_raw(index).map_or_else(
                |_| (false, format!("member {index}")),
                |member| (member.encrypted(), String::from_utf8_lossy(member.name_raw()).into_owned()),
            );
            let member = match &password {
                Some(password) if encrypted => archive.by_index_decrypt(index, password.as_bytes()),
                _ => archive.by_index(index),
            };
            match member {
                Ok(mut member) => {
                    if member.is_dir() || member.is_symlink() {
                        continue;
                    }
                    let compressed = member.compressed_size();
                    self.member(open, &name, &mut member, compressed);
                }
                Err(error) => {
                    let why = self.locked(&error.to_string());
                    self.failed(open, &name, &why);
                }
            }
        }
    }

    fn tar(&mut self, reader: impl Read, compressed: u64, open: &mut Open) {
        let mut archive = ::tar::Archive::new(reader);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return self.broken(open, "a tar archive that can be read", &error.to_string()),
        };
        for entry in entries {
            if !self.counts(open) {
                return;
            }
            match entry {
                Ok(mut entry) if entry.header().entry_type().is_file() => {
                    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                    self.member(open, &name, &mut entry, compressed);
                }
                Ok(_) => {}
                // What follows cannot be found.
                Err(error) => {
                    return self.broken(open, "a tar archive that can be read to its end", &error.to_string());
                }
            }
        }
    }

    fn stream(&mut self, reader: impl Read, compressed: u64, kind: Kind, open: &mut Open) {
        let mut stream: Box<dyn Read + '_> = match kind {
            Kind::Gzip => Box::new(flate2::read::MultiGzDecoder::new(reader)),
            Kind::Bzip2 => Box::new(::bzip2::read::MultiBzDecoder::new(reader)),
            Kind::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(reader, true, 256 << 10)),
            Kind::Zstd => match ruzstd::decoding::StreamingDecoder::new(reader) {
                Ok(stream) => Box::new(stream),
                Err(error) => return self.broken(open, "a Zstandard file that can be read", &error.to_string()),
            },
            _ => return,
        };
        let mut beginning = Vec::new();
        if let Err(error) = stream.by_ref().take(512).read_to_end(&mut beginning) {
            return self.broken(open, "a compressed file that can be read", &error.to_string());
        }
        let whole = Cursor::new(beginning.clone()).chain(stream);
        if Kind::of(&beginning) == Some(Kind::Tar) {
            return self.tar(whole, compressed, open);
        }
        let name = open.locator.rsplit(['/', '!']).next().unwrap_or_default().to_owned();
        let known = [".gz", ".xz", ".zst", ".bz2", ".zstd"];
        let stem = known.iter().find_map(|end| {
            let at = name.len().checked_sub(end.len())?;
            name.get(at..)?.eq_ignore_ascii_case(end).then(|| name.get(..at)).flatten()
        });
        let stem = stem.filter(|stem| !stem.is_empty()).unwrap_or(&name).to_owned();
        if self.counts(open) {
            self.member(open, &stem, &mut { whole }, compressed);
        }
    }

    fn broken(&mut self, open: &Open, expected: &str, why: &str) {
        let problem = Problem::of(&open.locator, expected, why.to_owned());
        self.tell(problem.advise("copy the archive again"));
    }
}
