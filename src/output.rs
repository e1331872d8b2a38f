//! Writing results: never into the evidence, never half.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Refuses an output path that lies inside the evidence, through links and `..` too.
///
/// # Errors
/// [`Error::OutputInsideEvidence`].
pub fn keep_out_of_evidence(evidence: &[PathBuf], output: &Path) -> Result<(), Error> {
    match crate::evidence::directory::contains(evidence, output) {
        Some(evidence) => Err(Error::OutputInsideEvidence { output: output.to_owned(), evidence }),
        None => Ok(()),
    }
}

/// Writes a file whole or not at all: beside its place first, then renamed into it.
///
/// # Errors
/// What the system says, or what `write` does.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let place = || -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = io::BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
        write(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        readable(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    place().map_err(|source| Error::Write { path: path.display().to_string(), source })
}

/// A temporary file is its owner's alone; a result is as readable as any file.
fn readable(file: &fs::File) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Writes a new folder with these files, whole or not at all: beside its place first, then renamed into it. A folder
/// that is there already is refused, so that no file of another run can be taken for one of this.
///
/// # Errors
/// Where it is there already, or cannot be written.
pub fn write_folder(parent: &Path, name: &str, files: &[(String, Vec<u8>)]) -> Result<PathBuf, Error> {
    let folder = parent.join(name);
    let failed = |source| Error::Write { path: folder.display().to_string(), source };
    if folder.symlink_metadata().is_ok() {
        return Err(Error::Refused {
            reason: format!("{}: is there already", folder.display()),
            advice: "Name a new folder, so that its files are not mixed with older ones".to_owned(),
        });
    }
    let write = || -> io::Result<()> {
        fs::create_dir_all(parent)?;
        let place = tempfile::Builder::new().prefix(".hivemend").tempdir_in(parent)?;
        for (name, bytes) in files {
            let mut file = fs::File::create_new(place.path().join(name))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755))?;
        fs::rename(place.path(), &folder)?;
        // Renamed: there is nothing left to clean up.
        let _ = place.keep();
        Ok(())
    };
    write().map_err(failed)?;
    Ok(folder)
}
