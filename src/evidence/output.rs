//! The gate for every output of every command. No input is ever written. No existing file is replaced unless the user
//! asks for it. A file is written whole or not at all.
//!
//! The gate has three steps. [`Gate::new`] checks paths before any work. [`Gate::seal`] receives the files that the
//! work opened, and checks the outputs against them before the first byte. The third check is made after writing,
//! before a file gets its name, in a folder that is held open since the first step: a path that leads elsewhere by then
//! does not matter.
//!
//! A file is written without a name (`O_TMPFILE`). It is then linked into its place, or renamed onto the file that it
//! replaces. It gets that file's mode and, if the system permits it, its owner. If the file system cannot do that,
//! the file is written under a name that begins with `.hivemend-part-`; errors and signals remove it. Character devices
//! and pipes are written directly, and so is `-`, which is standard output. A symbolic link is never replaced: without
//! `--overwrite` it is refused; with `--overwrite` its target is written.

use std::io::{self, IsTerminal, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use crate::error::Error;
use crate::evidence::sha256_of;

mod held;
mod identity;
mod inputs;
mod leftover;
mod part;
mod patches;
mod place;
mod precious;
mod refusal;
mod stream;
mod writing;
mod written;

use identity::Identity;
pub use inputs::Inputs;
use inputs::Protected;
use patches::Patches;
use place::{Goal, Place};
use refusal::{ANOTHER, refuse};
pub use writing::{Writing, nameless};
use written::List;
pub use written::Written;

/// The outputs that the user asked for.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'p> {
    /// Standard output: for an output named `-`, and for the result if no output is named.
    pub stdout: BorrowedFd<'static>,
    /// `--output`.
    pub output: Option<&'p Path>,
    /// `--custody`.
    pub custody: Option<&'p Path>,
    /// `--patch`.
    pub patch: Option<&'p Path>,
    /// `--overwrite`.
    pub overwrite: bool,
}

/// Outputs whose paths were checked.
#[derive(Debug)]
pub struct Gate {
    protected: Protected,
    output: Place,
    custody: Option<Place>,
    patches: Option<Patches>,
    written: List,
}

impl Gate {
    /// Checks every path, and holds the folders open.
    ///
    /// # Errors
    /// Which output cannot be written, or must not be. An output must not be an input or lie in one, and
    /// must not look like evidence or exist already. Its kind must be writable, and it must differ from other outputs.
    pub fn new(outputs: &Outputs<'_>, inputs: &Inputs) -> Result<Self, Error> {
        let protected = Protected::new(inputs);
        let at = |option, path| Place::at(option, path, outputs.stdout, &protected, outputs.overwrite);
        let output = match outputs.output {
            Some(path) => at("--output", path)?,
            None => Place::stdout("--output", outputs.stdout),
        };
        let custody = outputs.custody.map(|path| at("--custody", path)).transpose()?;
        let patches = outputs.patch.map(|path| Patches::at(path, &protected, outputs.overwrite)).transpose()?;
        let gate = Self { protected, output, custody, patches, written: List::default() };
        if let Some(custody) = &gate.custody {
            distinct(&gate.output, custody)?;
        }
        for place in gate.places() {
            place.allow(&gate.protected)?;
            if let Some(patches) = &gate.patches {
                outside(place, patches)?;
            }
        }
        Ok(gate)
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.output).chain(&self.custody)
    }

    /// Returns the destination of the result, to ask what it is.
    pub fn output(&self) -> Destination<'_> {
        Destination { place: &self.output, protected: &self.protected, written: None }
    }

    /// Begins to write the result while the evidence is still being read; [`Sealed::end`] ends it. With `hold`, nothing
    /// goes into a stream before the end.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn begin(&self, hold: bool) -> Result<Writing, Error> {
        self.output.begin(hold, self.custody.is_some())
    }

    /// Checks the outputs against every file that was opened. Nothing is written before.
    ///
    /// # Errors
    /// Which output is one of these files.
    pub fn seal<'p>(mut self, opened: impl Iterator<Item = &'p Path>) -> Result<Sealed, Error> {
        self.protected.add(opened);
        for place in self.places() {
            place.allow(&self.protected)?;
        }
        if let Some(patches) = &self.patches {
            patches.allow(&self.protected)?;
        }
        Ok(Sealed(self))
    }
}

/// Outputs that can be written.
#[derive(Debug)]
pub struct Sealed(Gate);

impl Sealed {
    /// Returns the destination of the result: `--output`, or standard output.
    pub fn output(&self) -> Destination<'_> {
        Destination { place: &self.0.output, protected: &self.0.protected, written: self.listed() }
    }

    /// Ends the result that [`Gate::begin`] began: a file gets its name, and what was held back goes into its stream.
    ///
    /// # Errors
    /// The operating system's error; a destination that must not be written to any more.
    pub fn end(&self, writing: Writing) -> Result<(), Error> {
        let sum = self.0.output.end(writing, &self.0.protected)?;
        if let Some(list) = self.listed() {
            list.add(&self.0.output.shown, sum.flatten());
        }
        Ok(())
    }

    /// Returns the list of written outputs, if a custody record was asked for.
    fn listed(&self) -> Option<&List> {
        self.0.custody.as_ref().map(|_| &self.0.written)
    }

    /// Returns every output that was written so far, if a custody record was asked for; without the record itself.
    pub fn written(&self) -> Vec<Written> {
        self.0.written.all()
    }

    /// Returns the destination of the custody record, if one was asked for.
    pub fn custody(&self) -> Option<Destination<'_>> {
        self.0.custody.as_ref().map(|place| Destination { place, protected: &self.0.protected, written: None })
    }

    /// Checks that the folders of these installations can be written into the folder of patches, before any is written.
    ///
    /// # Errors
    /// Which folder exists and must not be replaced, or contains a file that no patch has.
    pub fn admit_patches<'n>(&self, installations: impl Iterator<Item = &'n str>) -> Result<(), Error> {
        self.0.patches.as_ref().map_or(Ok(()), |patches| patches.admit(installations, &self.0.protected))
    }

    /// Writes the files of one installation, by name, into the installation's folder in the folder of patches: whole or
    /// not at all. Returns the path of that folder, below the path as the user named it.
    ///
    /// # Errors
    /// The folder cannot be written; no folder of patches was asked for.
    pub fn write_patch(&self, installation: &str, files: &[(String, Vec<u8>)]) -> Result<PathBuf, Error> {
        let Some(patches) = &self.0.patches else {
            let advice = "Name a folder with --patch".to_owned();
            return Err(Error::Refused { reason: "no folder for patches was named".to_owned(), advice });
        };
        let folder = patches.write(installation, files, &self.0.protected)?;
        if let Some(list) = self.listed() {
            for (name, bytes) in files {
                list.add(&folder.join(name), Some((bytes.len() as u64, sha256_of(bytes))));
            }
        }
        Ok(folder)
    }
}

/// The destination of an output.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'g> {
    place: &'g Place,
    protected: &'g Protected,
    /// The list that records the output.
    written: Option<&'g List>,
}

impl<'g> Destination<'g> {
    /// Returns the path as the user named it; `-` for standard output.
    pub fn path(self) -> &'g Path {
        &self.place.shown
    }

    /// Returns whether the destination is standard output.
    pub fn is_stdout(self) -> bool {
        matches!(self.place.goal, Goal::Stdout(_))
    }

    /// Returns whether the destination is standard output on a terminal.
    pub fn is_terminal(self) -> bool {
        matches!(&self.place.goal, Goal::Stdout(stdout) if stdout.is_terminal())
    }

    /// Writes a file whole or not at all, or into a stream. A stream whose reader has gone is no error.
    ///
    /// # Errors
    /// The operating system's error, or that of `write`; a destination that must not be written to any more.
    pub fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let sum = self.place.write(self.protected, self.written.is_some(), write)?;
        if let Some(list) = self.written {
            list.add(self.path(), sum.flatten());
        }
        Ok(())
    }
}

/// Refuses two outputs that are one: by path, by identity, or but for letter case, which many disks ignore.
fn distinct(one: &Place, other: &Place) -> Result<(), Error> {
    let identity = |place: &Place| place.existing().as_ref().and_then(|stat: &Stat| Identity::of(stat));
    let same = match (&one.goal, &other.goal) {
        (Goal::Stdout(_), Goal::Stdout(_)) => true,
        (Goal::File(folder, name, _), Goal::File(other, other_name, _)) => {
            lower(&folder.path().join(name)) == lower(&other.path().join(other_name))
                || (lower(name.as_ref()) == lower(other_name.as_ref())
                    && folder.lineage().ok().and_then(|all| all.first().copied())
                        == other.lineage().ok().and_then(|all| all.first().copied()))
        }
        _ => false,
    };
    let identical = matches!((identity(one), identity(other)), (Some(one), Some(other)) if one == other);
    if !same && !identical {
        return Ok(());
    }
    let found = format!("the same as {} {}", one.option, one.shown.display());
    Err(refuse(other.option, &other.shown, "a file of its own", found, ANOTHER))
}

/// Refuses an output in the folder of patches, which contains only patches; or at the path of that folder.
fn outside(place: &Place, patches: &Patches) -> Result<(), Error> {
    let Goal::File(folder, name, _) = &place.goal else { return Ok(()) };
    let (file, patch) = (lower(&folder.path().join(name)), lower(&patches.real()));
    let own = patches.folder().and_then(|folder| folder.lineage().ok()?.first().copied());
    let inside = own.is_some_and(|own| folder.lineage().is_ok_and(|lineage| lineage.contains(&own)));
    if !inside && !file.starts_with(&patch) && !patch.starts_with(&file) {
        return Ok(());
    }
    Err(refuse(place.option, &place.shown, "a file outside of the folder of --patch", "one in it", ANOTHER))
}

fn lower(path: &Path) -> PathBuf {
    PathBuf::from(path.to_string_lossy().to_lowercase())
}
