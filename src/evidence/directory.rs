//! Folders: walking a tree without leaving it, naming its entries, and keeping output out of it.
//!
//! A walk is in the order of file names, so that the result does not depend on the disk. Links below the root are not
//! followed: a junction of a mounted volume, or a link that somebody planted, leads nowhere.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

/// An entry of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder; the first entry of a walk is the tree's own root.
    Folder(PathBuf),
    /// A regular file.
    File(PathBuf),
}

/// A file or folder that a walk could not read.
#[derive(Debug)]
pub struct Obstacle {
    /// The file or folder.
    pub path: PathBuf,
    /// The operating system's error.
    pub source: io::Error,
}

/// Walks a tree by file name and yields its folders and regular files, each folder before its content. The root may be
/// a link. Links below it, and everything else that is neither file nor folder, are skipped.
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

/// Returns the names of the regular files in one folder, sorted.
///
/// # Errors
/// The operating system's error for the folder.
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

/// Returns a folder that the system can list: the empty parent of a bare file name becomes `.`.
pub(crate) fn listable(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Returns advice in the form that fits the end of a sentence: the first letter in lower case.
pub(crate) fn within_a_sentence(advice: &str) -> String {
    let mut letters = advice.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

/// Returns a failure in words, and advice as a sentence.
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

/// Returns the name of a path of this machine in reports; see [`super::locator`].
pub fn locator(path: &Path) -> String {
    super::locator::Locator::of(path).to_string()
}

/// Returns the piece of evidence that writing to `output` would change; `None` if no evidence would change.
///
/// The output need not exist. Links and `..` in its path are resolved. Folders are also compared by identity: another
/// spelling of the same folder is detected too, as on a disk that ignores letter case. A hive's transaction logs count
/// as part of the hive.
pub fn contains(evidence: &[PathBuf], output: &Path) -> Option<PathBuf> {
    let output = resolve(output);
    evidence.iter().find(|piece| holds(piece, &output)).cloned()
}

/// Returns the file that contains the place `name`, such as `case.zip` for `case.zip!C/Windows`: the text before the
/// first `!` that follows a file's name. `None` if the whole name exists, or no such file does.
pub fn container_of(name: &Path) -> Option<PathBuf> {
    if name.symlink_metadata().is_ok() {
        return None;
    }
    let text = name.to_str()?;
    let outermost = |(at, _): (usize, &str)| text.get(..at).map(PathBuf::from).filter(|path| path.is_file());
    text.match_indices('!').find_map(outermost)
}

fn holds(evidence: &Path, output: &Path) -> bool {
    // The evidence of a place inside a container is the container.
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

/// Returns whether two paths are one file or folder on the disk, by the numbers that the file system gives them.
#[cfg(unix)]
fn is_same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    // Some user-space file systems number nothing: 0 is no identity.
    matches!((identity(a), identity(b)), (Some(a), Some(b)) if a == b && a.1 != 0)
}

/// Compares canonical paths where the system does not number files.
#[cfg(not(unix))]
fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

/// The number of links that Linux follows in one path.
const LINKS: usize = 40;

/// Resolves a path whose end need not exist. Dangling links are followed too, because writing to one creates the file
/// that it names. At most 40 links are followed.
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
        // Pushing the root replaces the whole path, and so follows an absolute link.
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
