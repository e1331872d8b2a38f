//! The image that the user named, and the files in its folder that it refers to.
//!
//! A name inside an image is never trusted: only its last part counts, and only a file that the user listed with this
//! name, or a regular file in the image's own folder, is opened for it, never a link.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Problem;
use crate::evidence::block::{Blocks, FileBlocks};
use crate::evidence::file::Acquisition;
use crate::evidence::listed::Listed;
use crate::evidence::local;

/// The most files of one image: segments, parts, extents of 2 GiB, parents. Each stays open, and a process may have
/// some thousand files open.
const MOST_FILES: usize = 1_000;
/// The longest chain of images: parents of parents, backing files of backing files.
const DEEPEST: usize = 16;

/// The files that were opened for one image.
pub(super) struct Beside {
    folder: PathBuf,
    /// Files that lay beside the image on its machine, and that the user listed.
    listed: Listed,
    /// The images from the one that the user named to the current one.
    chain: Vec<PathBuf>,
    files: Vec<PathBuf>,
    facts: Vec<String>,
    acquisition: Option<Acquisition>,
}

impl Beside {
    /// Opens the image that the user named. A link is followed, because the user named it.
    pub(super) fn open(path: &Path, listed: &Listed) -> Result<(Self, Blocks), Problem> {
        let file = FileBlocks::open(path).map_err(|error| unreadable(path, &error))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let files = vec![path.to_owned()];
        let (listed, chain) = (listed.clone(), files.clone());
        Ok((Self { folder, listed, chain, files, facts: Vec::new(), acquisition: None }, Arc::new(file)))
    }

    /// Returns an image that is in a container: no file of this machine lies beside it.
    pub(super) fn within(name: &Path) -> Self {
        Self {
            folder: name.to_owned(),
            listed: Listed::default(),
            chain: vec![name.to_owned()],
            files: Vec::new(),
            facts: Vec::new(),
            acquisition: None,
        }
    }

    /// Returns the path of the current image.
    pub(super) fn image(&self) -> &Path {
        self.chain.last().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Returns a problem of the current image.
    pub(super) fn problem(&self, expected: impl Into<String>, found: impl Into<String>) -> Problem {
        Problem::of(self.image().display().to_string(), expected, found)
    }

    /// Returns the problem of an unreadable image.
    pub(super) fn unreadable(&self, error: &io::Error) -> Problem {
        unreadable(self.image(), error)
    }

    /// Adds a fact about the current image to the report.
    pub(super) fn fact(&mut self, fact: impl Into<String>) {
        self.facts.push(fact.into());
    }

    /// Returns every file that was opened so far; the file that the user named is first.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Keeps the facts of the case in an image's header; the first image with such facts counts.
    pub(super) fn acquired(&mut self, acquisition: Acquisition) {
        self.acquisition.get_or_insert(acquisition);
    }

    /// Returns all opened files in order, the facts about the images, and the facts of the case.
    pub(super) fn into_parts(self) -> (Vec<PathBuf>, Vec<String>, Option<Acquisition>) {
        (self.files, self.facts, self.acquisition)
    }

    /// Opens a file that the image names; `role` is its role there. The name may be a path of Windows or of Unix.
    pub(super) fn named(&mut self, name: &str, role: &str) -> Result<(PathBuf, Blocks), Problem> {
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        if matches!(last, "" | "." | "..") || last.contains('\0') {
            return Err(self.problem(format!("the name of the {role}"), format!("{name:?}")));
        }
        self.room()?;
        let (path, file) = self.beside(last).map_err(|error| {
            let found = if error.kind() == io::ErrorKind::NotFound { "no such file".into() } else { error.to_string() };
            let whole = if last == name { String::new() } else { format!(" (the image says {name:?})") };
            self.problem(format!("the {role} {last:?} beside it{whole}"), found)
                .advise("copy that file beside the image under this name; links are not followed")
        })?;
        if last != name {
            let fact = format!("{}: names {name:?} as its {role}; {last:?} beside it was used", self.image().display());
            self.fact(fact);
        }
        self.add(path.clone());
        Ok((path, Arc::new(file)))
    }

    /// Opens a later segment, if it exists.
    pub(super) fn segment(&mut self, name: &str) -> Result<Option<Blocks>, Problem> {
        self.room()?;
        match self.beside(name) {
            Ok((path, file)) => {
                self.add(path);
                Ok(Some(Arc::new(file)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&self.folder.join(name), &error)),
        }
    }

    /// Returns the names in the image's folder, and of the files that the user listed.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = local::names(&self.folder)?;
        names.extend(self.listed.names().map(str::to_owned));
        Ok(names)
    }

    /// Makes the parent image at `path` the current one.
    pub(super) fn descend(&mut self, path: PathBuf) -> Result<(), Problem> {
        if self.chain.contains(&path) {
            let found = format!("{} again: the chain is a loop", path.display());
            return Err(self.problem("a chain of images that ends", found));
        }
        if self.chain.len() >= DEEPEST {
            return Err(self.problem(format!("at most {DEEPEST} images in a chain"), "more"));
        }
        self.chain.push(path);
        Ok(())
    }

    /// Returns from a parent to its child.
    pub(super) fn ascend(&mut self) {
        self.chain.pop();
    }

    /// Opens a file that the user listed with this name, or a regular file in the folder of the image that the user
    /// named, and no link. Returns its path, too.
    fn beside(&self, name: &str) -> io::Result<(PathBuf, FileBlocks)> {
        let (path, file) = match self.listed.file(name)? {
            Some(path) => (path.to_owned(), local::open(path)?),
            None => (self.folder.join(name), local::open_beside(&self.folder, name)?),
        };
        Ok((path, FileBlocks::of(file)?))
    }

    /// Checks that one more file may be opened.
    fn room(&self) -> Result<(), Problem> {
        if self.files.len() < MOST_FILES {
            return Ok(());
        }
        Err(self.problem(format!("an image of at most {MOST_FILES} files"), "more"))
    }

    fn add(&mut self, path: PathBuf) {
        if !self.files.contains(&path) {
            self.files.push(path);
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::of(path.display().to_string(), "an image that can be read", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_in_the_folder_of_the_image_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for name in ["image", "extent", "other"] {
            std::fs::write(place(name), name).unwrap();
        }
        std::fs::create_dir(place("folder")).unwrap();
        std::os::unix::fs::symlink(place("extent"), place("link")).unwrap();
        let (mut beside, _) = Beside::open(&place("image"), &Listed::default()).unwrap();
        assert_eq!(beside.named("extent", "extent").unwrap().0, place("extent"));
        assert_eq!(beside.named("/etc/../other", "extent").unwrap().0, place("other"));
        assert_eq!(beside.named(r"C:\VMs\extent", "parent").unwrap().0, place("extent"));
        for wrong in ["/etc/passwd", "..", "a/..", "", "folder", "link", "none", "a\0b"] {
            assert!(beside.named(wrong, "extent").is_err(), "{wrong:?}");
        }
        let problem = beside.named("/etc/passwd", "extent").err().unwrap().to_string();
        assert!(
            problem.contains("the extent \"passwd\" beside it (the image says \"/etc/passwd\"), found no such file")
        );
        let (files, facts, _) = beside.into_parts();
        assert_eq!((files, facts.len()), (vec![place("image"), place("extent"), place("other")], 2));
        // A link that the user named is followed.
        assert!(Beside::open(&place("link"), &Listed::default()).is_ok());
        assert!(Beside::open(&place("folder"), &Listed::default()).is_err());
    }

    #[test]
    fn a_chain_that_is_a_circle_or_too_deep_ends() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("image"), "").unwrap();
        let (mut beside, _) = Beside::open(&folder.path().join("image"), &Listed::default()).unwrap();
        assert!(beside.descend(folder.path().join("image")).is_err());
        for depth in 1..DEEPEST {
            beside.descend(folder.path().join(depth.to_string())).unwrap();
        }
        assert!(beside.descend(folder.path().join("more")).is_err());
    }
}
