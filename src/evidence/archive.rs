//! Archives and compressed files: what of them can be a hive, a log, or a container with such is unpacked into memory.
//!
//! Nothing is written to a disk, and no name of a member is ever a name of the system. What a member is, its first bytes
//! say: others are passed over without being unpacked further, where the format allows it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sevenz_rust2::Password;

use super::directory::locator;
use super::tree::{BINS, Container, Member, Origin, Snapshot, Unpacked};
use crate::error::Problem;

/// Members of one container that are looked at. A collection of a whole machine has some ten thousand.
const MOST_MEMBERS: usize = 1_000_000;
/// Files of no bytes that are kept, for what their names say; other members say more.
const MOST_EMPTY: usize = 1_000;
/// Bytes that one item of the evidence is unpacked to, all that is in it together: some times the hives of a machine with
/// all its restore points.
const MOST_UNPACKED: u64 = 4 << 30;
/// A member may be unpacked to so many times its size; hives come to 20 at most, save for empty ones.
const HIGHEST_RATIO: u64 = 200;
/// Below so many bytes the ratio does not matter: a hive that is almost empty compresses to nothing.
const RATIO_FROM: u64 = 64 << 20;
/// Containers within containers: a collection, its data, an archive that somebody kept on the machine.
const DEEPEST: usize = 4;
/// Members that cannot be unpacked, told one by one; the rest are counted.
const MOST_TOLD: usize = 20;

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
    store: Option<std::fs::File>,
) -> io::Result<Contents> {
    let file = std::fs::File::open(path)?;
    let compressed = file.metadata()?.len();
    let unpacking = unpacking.clone();
    let store = store.map(|file| Store { file, at: 0, buffer: vec![0; STORED_AT_ONCE] });
    let mut unpacker =
        Unpacker { path: path.to_owned(), left: MOST_UNPACKED, contents: Contents::default(), unpacking, store };
    match (kind, wanted) {
        #[cfg(feature = "images")]
        (Kind::Image, wanted) => super::image::read(&mut unpacker, None, &locator, wanted, 0),
        _ => unpacker.container(BufReader::new(file), compressed, kind, locator, 0),
    }
    unpacker.contents.problems.sort();
    Ok(unpacker.contents)
}

/// Where a member of this name lies in its container.
fn inside(name: &str) -> PathBuf {
    name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect()
}

/// Where Windows keeps its memory while it sleeps, at the root of its volume. Of it four bytes are unpacked.
pub const HIBERNATION: &str = "hiberfil.sys";

fn is_hibernation(name: &str) -> bool {
    name.rsplit(['/', '\\']).next().is_some_and(|name| name.eq_ignore_ascii_case(HIBERNATION))
}

/// Whether a file of this name should be a hive, so that there is something to say if it is none.
fn is_expected(name: &str) -> bool {
    let mut parts = name.rsplit(['/', '\\']);
    let name = parts.next().unwrap_or_default();
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    let of_windows = parts.next().is_some_and(|folder| folder.eq_ignore_ascii_case("config"));
    ["SOFTWARE", "SYSTEM"].iter().any(is) || (of_windows && ["SAM", "SECURITY", "DEFAULT"].iter().any(is))
}

/// Takes what can matter out of a container, and keeps count.
pub(super) struct Unpacker {
    pub(super) path: PathBuf,
    /// Bytes that may still be unpacked.
    left: u64,
    pub(super) contents: Contents,
    pub(super) unpacking: Unpacking,
    store: Option<Store>,
}

/// Bytes that are read and stored at a time: as many pieces of an image as can be unpacked side by side.
const STORED_AT_ONCE: usize = 2 << 20;

/// A file to which members are written one after the other.
struct Store {
    file: std::fs::File,
    /// Where the next one goes.
    at: u64,
    buffer: Vec<u8>,
}

impl Store {
    /// Writes a member that begins so, and goes on for up to `most` bytes; a longer one is not kept. Its size, too.
    fn take(&mut self, beginning: &[u8], reader: &mut dyn Read, most: u64) -> io::Result<(Unpacked, u64)> {
        self.file.write_all_at(beginning, self.at)?;
        let mut size = beginning.len() as u64;
        let mut reader = reader.take(most);
        loop {
            let mut filled = 0_usize;
            while let Some(rest) = self.buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match reader.read(rest) {
                    Ok(0) => break,
                    Ok(count) => filled = filled.saturating_add(count),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            let full = filled == self.buffer.len();
            self.file.write_all_at(self.buffer.get(..filled).unwrap_or_default(), self.at.saturating_add(size))?;
            size = size.saturating_add(filled as u64);
            if !full {
                break;
            }
        }
        let end = self.at.saturating_add(size);
        let place = |at: u64| usize::try_from(at).map_err(io::Error::other);
        let unpacked = Unpacked::sent(place(self.at)?..place(end)?);
        if size <= most {
            self.at = end;
        }
        Ok((unpacked, size))
    }
}

/// One container as it is unpacked.
pub(super) struct Open {
    pub(super) locator: String,
    origin: Origin,
    pub(super) shadow_copy: bool,
    pub(super) files: BTreeMap<PathBuf, Member>,
    nested: Vec<(PathBuf, Kind, Unpacked)>,
    /// The folders that were looked into, where not all were.
    pub(super) places: Vec<String>,
    members: usize,
    empty: usize,
    failed: usize,
}

impl Open {
    /// One of which nothing has been unpacked yet.
    pub(super) fn new(locator: String, origin: Origin) -> Self {
        Self {
            locator,
            origin,
            shadow_copy: false,
            files: BTreeMap::new(),
            nested: Vec::new(),
            places: Vec::new(),
            members: 0,
            empty: 0,
            failed: 0,
        }
    }
}

impl Unpacker {
    fn container(&mut self, reader: impl Read + Seek, compressed: u64, kind: Kind, locator: String, depth: usize) {
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

    /// A container is at its end: those within it are next.
    pub(super) fn finish(&mut self, open: Open, depth: usize) {
        let more = open.failed.saturating_sub(MOST_TOLD);
        if more > 0 {
            self.contents.problems.push(Problem::of(
                &open.locator,
                "members that can be unpacked",
                format!("{more} more that cannot"),
            ));
        }
        self.contents.members = self.contents.members.saturating_add(open.members);
        let Open { locator, origin, shadow_copy, files, nested, members, places, .. } = open;
        if members > 0 || origin.offset.is_some() {
            let within = if places.is_empty() { String::new() } else { format!(" in {}", places.join(", ")) };
            let counted = if members == 1 { "1 file".to_owned() } else { format!("{members} files") };
            self.contents.looked.push(format!("{locator}: {counted}{within}"));
        }
        for (inside, kind, bytes) in nested {
            let size = bytes.as_ref().len() as u64;
            let name = format!("{locator}!{}", super::directory::locator(&inside));
            let deeper = depth.saturating_add(1);
            if deeper >= DEEPEST {
                let found = format!("containers within containers, {DEEPEST} deep");
                self.contents.problems.push(Problem::of(name, "hives", found).advise("unpack it by hand"));
                continue;
            }
            match kind {
                #[cfg(feature = "images")]
                Kind::Image => super::image::read(self, Some(bytes), &name, None, deeper),
                _ => self.container(Cursor::new(bytes), size, kind, name, deeper),
            }
        }
        if !files.is_empty() {
            self.contents.containers.push(Container { locator, shadow_copy, files });
        }
    }

    /// Something to say of the container, or of what is in it.
    pub(super) fn tell(&mut self, problem: Problem) {
        self.contents.problems.push(problem);
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
        let mut archive = match zip::ZipArchive::new(reader) {
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
        let mut archive = tar::Archive::new(reader);
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
            Kind::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
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

    /// Whether one member more may be looked at.
    pub(super) fn counts(&mut self, open: &mut Open) -> bool {
        open.members = open.members.saturating_add(1);
        let total = self.contents.members.saturating_add(open.members);
        if total > MOST_MEMBERS {
            let expected = format!("a container with up to {MOST_MEMBERS} members");
            self.contents.problems.push(
                Problem::of(&open.locator, expected, "more, which were not looked at")
                    .advise("unpack the hives by hand"),
            );
        }
        total <= MOST_MEMBERS
    }

    /// Keeps a member that can matter.
    pub(super) fn member(&mut self, open: &mut Open, name: &str, reader: &mut dyn Read, compressed: u64) {
        let mut bytes = Vec::new();
        // Enough for the signature, and for what is left of a hive without its first page.
        if let Err(error) = reader.take((BINS as u64).saturating_add(4)).read_to_end(&mut bytes) {
            return self.failed(open, name, &error.to_string());
        }
        if is_hibernation(name) {
            bytes.truncate(4);
            // Who looks at a whole volume comes by it once more.
            if !open.files.contains_key(&inside(name)) {
                match self.rest(bytes, &mut io::empty(), 4, true) {
                    Ok((unpacked, _)) => self.keep(open, name, unpacked),
                    Err(error) => self.failed(open, name, &error.to_string()),
                }
            }
            return;
        }
        let nested = Kind::of(&bytes);
        let bins = bytes.get(BINS..).is_some_and(|bins| bins.starts_with(b"hbin"));
        if bytes.is_empty() {
            open.empty = open.empty.saturating_add(1);
            if open.empty > MOST_EMPTY {
                return;
            }
        } else if nested.is_none() && !bins && !bytes.starts_with(b"regf") && !is_expected(name) {
            #[cfg(feature = "images")]
            if let Some(super::disk::Refusal { what, .. }) = super::disk::refusal(&bytes, &[]) {
                self.failed(open, name, what);
            }
            return;
        }
        let most = self.left.min(compressed.saturating_mul(HIGHEST_RATIO).max(RATIO_FROM));
        let (unpacked, size) = match self.rest(bytes, reader, most, nested.is_none()) {
            Ok(unpacked) => unpacked,
            Err(error) => return self.failed(open, name, &error.to_string()),
        };
        if size > most {
            let why = if most == self.left {
                format!("more than {} GiB unpacked in all", MOST_UNPACKED >> 30)
            } else {
                format!("more than {HIGHEST_RATIO} times its compressed size")
            };
            return self.failed(open, name, &why);
        }
        self.left = self.left.saturating_sub(size);
        if let Some(kind) = nested {
            open.nested.push((inside(name), kind, unpacked));
            return;
        }
        self.keep(open, name, unpacked);
    }

    /// The rest of a member, up to `most` bytes and one more, and the size of the whole; `kept` says that it is not needed
    /// here any more.
    fn rest(
        &mut self,
        beginning: Vec<u8>,
        reader: &mut dyn Read,
        most: u64,
        kept: bool,
    ) -> io::Result<(Unpacked, u64)> {
        if let Some(store) = self.store.as_mut().filter(|_| kept) {
            return store.take(&beginning, reader, most);
        }
        let mut bytes = beginning;
        reader.take(most).read_to_end(&mut bytes)?;
        let size = bytes.len() as u64;
        Ok((Unpacked::from(bytes), size))
    }

    fn keep(&mut self, open: &mut Open, name: &str, bytes: Unpacked) {
        match open.files.entry(inside(name)) {
            Entry::Occupied(_) => self.failed(open, name, "a second member of that name, which was not looked at"),
            Entry::Vacant(place) => {
                place.insert(Member { bytes, path: self.path.clone(), locator: None, origin: open.origin.clone() });
            }
        }
    }

    pub(super) fn failed(&mut self, open: &mut Open, name: &str, why: &str) {
        open.failed = open.failed.saturating_add(1);
        if open.failed <= MOST_TOLD {
            let place = format!("{}!{}", open.locator, locator(Path::new(name)));
            let problem = Problem::of(place, "a member that can be unpacked", why.to_owned());
            self.tell(problem.advise("unpack it by hand, and name what comes out"));
        }
    }

    fn broken(&mut self, open: &Open, expected: &str, why: &str) {
        let problem = Problem::of(&open.locator, expected, why.to_owned());
        self.tell(problem.advise("copy the archive again"));
    }
}
