//! The files of a volume: NTFS, FAT12, FAT16, FAT32 and exFAT, read by keramics.
//!
//! Links are told apart and never followed; what the file system cannot give rightly (encrypted files, a stream that
//! ends before its size) is an error, never other bytes.

use std::io::{self, Read};

use keramics_core::{DataStreamReference, ErrorTrace};
use keramics_formats::PathComponent;
use keramics_formats::exfat::{ExFatFileEntry, ExFatFileSystem};
use keramics_formats::fat::{FatFileEntry, FatFileSystem};
use keramics_formats::ntfs::{NtfsFileEntry, NtfsFileSystem};

use super::block::Blocks;
use super::disk::keramics;
use super::volume::{VolumeKind, file_system_of};

/// Names in one folder that are looked at; a folder of Windows has some ten thousand.
const MOST_NAMES: usize = 200_000;
/// An NTFS file with this attribute is encrypted (FILE_ATTRIBUTE_ENCRYPTED).
const ENCRYPTED: u32 = 0x4000;

/// A file system of which the root folder can be had.
pub trait FileSystem {
    /// The root folder.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn root(&self) -> Result<Entry, String>;
}

/// A folder or a file.
pub enum Entry {
    /// On NTFS.
    Ntfs(Box<NtfsFileEntry>),
    /// On FAT.
    Fat(Box<FatFileEntry>),
    /// On exFAT.
    ExFat(Box<ExFatFileEntry>),
}

/// The file system of a volume; `Ok(None)` where it is none that is read.
///
/// # Errors
/// What is wrong with it, in words.
pub fn open(volume: &Blocks) -> Result<Option<Box<dyn FileSystem>>, String> {
    let stream = keramics::stream(Blocks::clone(volume));
    match file_system_of(volume) {
        VolumeKind::Ntfs => {
            let mut system = NtfsFileSystem::new();
            system.read_data_stream(&stream).map_err(|error| words(&error))?;
            Ok(Some(Box::new(system)))
        }
        VolumeKind::ExFat => {
            let mut system = ExFatFileSystem::new();
            system.read_data_stream(&stream).map_err(|error| words(&error))?;
            Ok(Some(Box::new(system)))
        }
        VolumeKind::Fat => {
            let mut system = FatFileSystem::new();
            system.read_data_stream(&stream).map_err(|error| words(&error))?;
            Ok(Some(Box::new(system)))
        }
        VolumeKind::BitLocker => {
            let why = "a volume that BitLocker encrypts; decrypt it with dislocker or bdemount, and name what it shows";
            Err(why.to_owned())
        }
        VolumeKind::Ext | VolumeKind::Irrelevant(_) | VolumeKind::Refused { .. } | VolumeKind::Unknown => Ok(None),
    }
}

impl FileSystem for NtfsFileSystem {
    fn root(&self) -> Result<Entry, String> {
        self.get_root_directory().map(|entry| Entry::Ntfs(Box::new(entry))).map_err(|error| words(&error))
    }
}

impl FileSystem for FatFileSystem {
    fn root(&self) -> Result<Entry, String> {
        self.get_root_directory().map(|entry| Entry::Fat(Box::new(entry))).map_err(|error| words(&error))
    }
}

impl FileSystem for ExFatFileSystem {
    fn root(&self) -> Result<Entry, String> {
        self.get_root_directory().map(|entry| Entry::ExFat(Box::new(entry))).map_err(|error| words(&error))
    }
}

/// keramics tells the way of an error, innermost first.
fn words(error: &ErrorTrace) -> String {
    let text = error.to_string();
    let lines = text
        .lines()
        .map(|line| line.trim_start_matches(|letter: char| letter == '#' || letter.is_ascii_digit()).trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

impl Entry {
    /// Its name, as stored; U+FFFD for what is no Unicode.
    pub fn name(&self) -> String {
        match self {
            Self::Ntfs(entry) => entry.get_name().map(ToString::to_string),
            Self::Fat(entry) => entry.get_name().map(|name| name.to_string()),
            Self::ExFat(entry) => entry.get_name().map(ToString::to_string),
        }
        .unwrap_or_default()
    }

    /// Whether it is a folder, and no link to one.
    pub fn is_folder(&self) -> bool {
        !self.is_link()
            && match self {
                Self::Ntfs(entry) => entry.is_directory(),
                Self::Fat(entry) => entry.is_directory(),
                Self::ExFat(entry) => entry.is_directory(),
            }
    }

    /// Whether it leads elsewhere: a symbolic link or a junction.
    pub fn is_link(&self) -> bool {
        matches!(self, Self::Ntfs(entry) if entry.is_symbolic_link() || entry.is_junction())
    }

    /// Bytes of a file.
    pub fn size(&self) -> u64 {
        match self {
            Self::Ntfs(entry) => entry.get_size(),
            Self::Fat(entry) => entry.get_size(),
            Self::ExFat(entry) => entry.get_size(),
        }
    }

    /// What is in a folder, in its own order, and what of it cannot be read.
    pub fn children(&mut self) -> (Vec<Self>, Vec<String>) {
        let (mut children, mut problems) = (Vec::new(), Vec::new());
        let mut take = |child: Result<Self, ErrorTrace>| match child {
            Ok(child) => {
                if !matches!(child.name().as_str(), "" | "." | "..") {
                    children.push(child);
                }
            }
            Err(error) => problems.push(words(&error)),
        };
        match self {
            Self::Ntfs(entry) => match entry.get_number_of_sub_file_entries() {
                Ok(count) => {
                    for index in 0..count.min(MOST_NAMES) {
                        take(entry.get_sub_file_entry_by_index(index).map(|entry| Self::Ntfs(Box::new(entry))));
                    }
                }
                Err(error) => take(Err(error)),
            },
            Self::Fat(entry) => {
                for child in entry.sub_file_entries().take(MOST_NAMES) {
                    take(child.map(|entry| Self::Fat(Box::new(entry))));
                }
            }
            Self::ExFat(entry) => {
                for child in entry.sub_file_entries().take(MOST_NAMES) {
                    take(child.map(|entry| Self::ExFat(Box::new(entry))));
                }
            }
        }
        (children, problems)
    }

    /// What has this name in a folder, in any letter case; `None` where nothing has.
    ///
    /// # Errors
    /// What of the folder cannot be read.
    pub fn child(&mut self, name: &str) -> Result<Option<Self>, String> {
        let component = PathComponent::from(name);
        let found = match self {
            Self::Ntfs(entry) => {
                entry.get_sub_file_entry_by_name(&component).map(|found| found.map(|entry| Self::Ntfs(Box::new(entry))))
            }
            Self::Fat(entry) => {
                entry.get_sub_file_entry_by_name(&component).map(|found| found.map(|entry| Self::Fat(Box::new(entry))))
            }
            Self::ExFat(entry) => entry
                .get_sub_file_entry_by_name(&component)
                .map(|found| found.map(|entry| Self::ExFat(Box::new(entry)))),
        };
        found.map_err(|error| words(&error))
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// That they are encrypted, or cannot be had.
    pub fn stream(&self) -> io::Result<Stream> {
        let stream = match self {
            Self::Ntfs(entry) if entry.get_file_attribute_flags() & ENCRYPTED != 0 => {
                return Err(io::Error::other("a file that EFS encrypts; only its owner's key opens it"));
            }
            Self::Ntfs(entry) => entry.get_data_stream(),
            Self::Fat(entry) => entry.get_data_stream(),
            Self::ExFat(entry) => entry.get_data_stream(),
        };
        let stream = stream.map_err(|error| io::Error::other(words(&error)))?;
        if stream.is_none() && self.size() > 0 {
            return Err(io::Error::other(format!("a size of {} bytes, and no data", self.size())));
        }
        Ok(Stream { stream, left: self.size() })
    }
}

/// The bytes of a file, one after the other.
pub struct Stream {
    stream: Option<DataStreamReference>,
    left: u64,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let (Some(stream), Some(buffer)) = (&self.stream, buffer.get_mut(..count)) else { return Ok(0) };
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut stream = stream.write().map_err(|_| io::Error::other("a reader that failed before"))?;
        let read = stream.read(buffer).map_err(|error| io::Error::other(words(&error)))?;
        if read == 0 {
            let missing = format!("{} bytes less than its size says", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, missing));
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}
