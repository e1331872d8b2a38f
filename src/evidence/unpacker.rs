//! What is taken out of a container, archive or image: files that can be hives or logs, containers in it, and how much of
//! all that there may be.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::archive::{Contents, Kind, Unpacking};
use super::directory::locator;
use super::tree::{BINS, Container, Member, Origin, Unpacked};
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

/// Where Windows keeps its memory while it sleeps, at the root of its volume. Of it four bytes are unpacked.
pub(crate) const HIBERNATION: &str = "hiberfil.sys";

/// Whether a file is the hibernation file, by its name.
pub(crate) fn is_hibernation(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.eq_ignore_ascii_case(HIBERNATION))
}

/// Whether a file should be a hive, by its name, so that there is something to say if it is none.
fn is_expected(file: &Path) -> bool {
    let Some(name) = file.file_name() else { return false };
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    let folder = file.parent().and_then(Path::file_name);
    let of_windows = folder.is_some_and(|folder| folder.eq_ignore_ascii_case("config"));
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

impl Unpacker {
    /// For the evidence at `path`; what is kept is written to `store`, if there is one, and not held in memory.
    pub(super) fn new(path: &Path, unpacking: &Unpacking, store: Option<File>) -> Self {
        Self {
            path: path.to_owned(),
            left: MOST_UNPACKED,
            contents: Contents::default(),
            unpacking: unpacking.clone(),
            store: store.map(|file| Store { file, at: 0, buffer: vec![0; STORED_AT_ONCE] }),
        }
    }
}

/// Bytes that are read and stored at a time: as many pieces of an image as can be unpacked side by side.
const STORED_AT_ONCE: usize = 2 << 20;

/// A file to which members are written one after the other.
struct Store {
    file: File,
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
        let inside: PathBuf = name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
        if is_hibernation(&inside) {
            bytes.truncate(4);
            // Who looks at a whole volume comes by it once more.
            if !open.files.contains_key(&inside) {
                match self.rest(bytes, &mut io::empty(), 4, true) {
                    Ok((unpacked, _)) => self.keep(open, name, inside, unpacked),
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
        } else if nested.is_none() && !bins && !bytes.starts_with(b"regf") && !is_expected(&inside) {
            #[cfg(feature = "images")]
            if let Some(super::disk::Refusal { what, .. }) = super::disk::refusal(&bytes, &[]) {
                self.failed(open, name, what);
            }
            return;
        }
        #[cfg(feature = "images")]
        let sectors = nested.filter(|kind| kind.is_image()).map(|_| bytes.clone());
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
        // The $Boot of a volume, or an MBR that was collected, is no image.
        #[cfg(feature = "images")]
        if sectors.is_some_and(|sectors| super::disk::is_fragment(&sectors, size)) {
            return;
        }
        if let Some(kind) = nested {
            open.nested.push((inside, kind, unpacked));
            return;
        }
        self.keep(open, name, inside, unpacked);
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

    fn keep(&mut self, open: &mut Open, name: &str, inside: PathBuf, bytes: Unpacked) {
        match open.files.entry(inside) {
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
}
