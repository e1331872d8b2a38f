//! Folders: walking a tree without leaving it, naming what is in it, and keeping output out of it.
//!
//! A tree is walked in the order of its file names, so that what is found does not depend on the disk. Links in it
//! are not followed: a junction of a mounted volume, or a link that was put there, leads nowhere.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

/// Something that is met on a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder; the first entry of a walk is the tree's own root.
    Folder(PathBuf),
    /// A regular file.
    File(PathBuf),
}

/// What could not be read on a walk.
#[derive(Debug)]
pub struct Obstacle {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Walks a tree: its folders and regular files, parents before what is in them, by file name. The root may itself be
/// a link; links below it, and whatever else is neither file nor folder, are passed over.
pub fn walk(root: &Path) -> impl Iterator<Item = Result<Entry, Obstacle>> {
    let root_path = root.to_owned();
    WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter().filter_map(move |entry| match entry {
        Ok(entry) if entry.file_type().is_dir() || (entry.depth() == 0 && entry.path().is_dir()) => {
            Some(Ok(Entry::Folder(entry.into_path())))
        }
        Ok(entry) if entry.file_type().is_file() => Some(Ok(Entry::File(entry.into_path()))),
        Ok(_) => None,
        Err(error) => {
            let path = error.path().unwrap_or(&root_path).to_owned();
            Some(Err(Obstacle { path, source: error.into() }))
        }
    })
}

/// The names of the regular files in one folder, sorted.
///
/// # Errors
/// What the system says of the folder.
pub fn files_in(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(listable(folder))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A folder as the system takes it: the one of a file that was named without any is the current one.
pub(crate) fn listable(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// A piece of advice as the end of a sentence.
pub(crate) fn within_a_sentence(advice: &str) -> String {
    let mut letters = advice.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

/// A failure in words, and what to do about it as a sentence.
pub(crate) fn explain(source: &io::Error) -> (String, &'static str) {
    match source.kind() {
        io::ErrorKind::NotFound => ("nothing of that name".to_owned(), "Check the spelling; letter case matters here"),
        io::ErrorKind::PermissionDenied => (
            "permission denied".to_owned(),
            "Run hivemend as a user who may read it, or copy the hives to a place that you may read",
        ),
        _ => (source.to_string(), "Check the disk and the mount, or copy the hives to another disk"),
    }
}

/// How reports name a path of this machine; see [`super::locator`].
pub fn locator(path: &Path) -> String {
    super::locator::Locator::of(path).to_string()
}

/// Whether writing to `output` would change the evidence: then the piece of evidence that it lies in.
///
/// The output need not exist yet. Links and `..` on the way to it are resolved, and folders are compared by identity
/// too, so that another spelling of the same folder, as on a disk without letter case, does not get past this. A
/// hive's transaction logs count as part of it.
pub fn contains(evidence: &[PathBuf], output: &Path) -> Option<PathBuf> {
    let output = resolve(output);
    evidence.iter().find(|piece| holds(piece, &output)).cloned()
}

/// The file that a name such as `case.zip!C/Windows` is inside of: what is before its first `!` that follows a file's
/// name. `None` where something of the whole name is there, or there is no such file.
pub fn container_of(name: &Path) -> Option<PathBuf> {
    if name.symlink_metadata().is_ok() {
        return None;
    }
    let text = name.to_str()?;
    let outermost = |(at, _): (usize, &str)| text.get(..at).map(PathBuf::from).filter(|path| path.is_file());
    text.match_indices('!').find_map(outermost)
}

fn holds(evidence: &Path, output: &Path) -> bool {
    // Of a place inside a container, the container is the evidence.
    let outermost = container_of(evidence);
    let Ok(real) = fs::canonicalize(outermost.as_deref().unwrap_or(evidence)) else { return false };
    if output.ancestors().any(|ancestor| ancestor == real || is_same(ancestor, &real)) {
        return true;
    }
    let log_of_it = |name: &OsStr, hive: &OsStr| {
        let (name, hive) = (name.to_string_lossy().to_lowercase(), hive.to_string_lossy().to_lowercase());
        name.strip_prefix(&hive).is_some_and(|rest| matches!(rest, ".log" | ".log1" | ".log2"))
    };
    real.is_file()
        && output.parent() == real.parent()
        && output.file_name().zip(real.file_name()).is_some_and(|(name, hive)| log_of_it(name, hive))
}

/// Whether two paths are one file or folder on the disk, as the file system numbers them.
#[cfg(unix)]
fn is_same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    // Some user-space file systems number nothing: 0 is no identity.
    matches!((identity(a), identity(b)), (Some(a), Some(b)) if a == b && a.1 != 0)
}

/// Where the system does not number files, canonical paths have to do.
#[cfg(not(unix))]
fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

/// As many links as Linux follows on the way to one file.
const LINKS: usize = 40;

/// Where a path leads, although its end may not exist: links are followed also where they dangle, because writing to
/// such a link makes the file that it names. More than 40 are not.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut pending: Vec<OsString> = reversed(&absolute);
    let mut resolved = PathBuf::new();
    let mut links = 0_usize;
    while let Some(part) = pending.pop() {
        if part == ".." {
            resolved.pop();
            continue;
        }
        // Pushing the root replaces everything: that is how an absolute link is followed.
        let next = resolved.join(&part);
        match fs::read_link(&next) {
            Ok(target) if links < LINKS => {
                links = links.saturating_add(1);
                pending.extend(reversed(&target));
            }
            _ => resolved = next,
        }
    }
    resolved
}

fn reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let mut parts: Vec<OsString> = parts.map(|part| part.as_os_str().to_owned()).collect();
    parts.reverse();
    parts
}
