//! The gate that every output of every command goes through: nothing is written to what is read, nothing that is there
//! is replaced unless the user says so, and what is written is there whole or not at all.
//!
//! It is passed in three steps. [`Gate::new`] checks paths before any work. [`Gate::seal`] is told which files the work
//! opened, and checks them against the outputs before the first byte. What then is written is checked once more before
//! it gets its name, in a folder that was held open since the first step: a path that leads elsewhere by then does not
//! matter.
//!
//! A file is written without a name (`O_TMPFILE`) and linked into its place, or renamed onto the file that it replaces,
//! whose mode and, where the system permits it, owner it takes over. Where a file system cannot do that, it is written
//! under a name that begins with `.hivemend-part-` and that errors and signals remove. Character devices and pipes are
//! written into, and so is `-`, which is standard output. A symbolic link that is named is not replaced: without
//! `--overwrite` it is refused, with it the file that it leads to is written.

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
mod written;

use identity::Identity;
pub use inputs::Inputs;
use inputs::Protected;
use patches::Patches;
use place::{Goal, Place};
use refusal::{ANOTHER, refuse};
pub use written::Written;
use written::{Hashing, List};

/// The outputs that a command was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'p> {
    /// Standard output: for what is named `-`, and for the result where nothing is named.
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
    /// Which output cannot be written, or must not be: it is or lies in what is read, looks like evidence, is there
    /// already, is of a kind that is not written to, or is the same as another.
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

    /// Checks the outputs against every file that was opened, whatever revealed it. Nothing is written before.
    ///
    /// # Errors
    /// Which output is one of them.
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
    /// Where the result goes: `--output`, or standard output.
    pub fn output(&self) -> Destination<'_> {
        Destination { place: &self.0.output, protected: &self.0.protected, written: self.listed() }
    }

    /// Where outputs are listed, where a custody record is to have them.
    fn listed(&self) -> Option<&List> {
        self.0.custody.as_ref().map(|_| &self.0.written)
    }

    /// Every output that was written so far, where a custody record was asked for; that itself is none of them.
    pub fn written(&self) -> Vec<Written> {
        self.0.written.all()
    }

    /// Where the custody record goes, where one is asked for.
    pub fn custody(&self) -> Option<Destination<'_>> {
        self.0.custody.as_ref().map(|place| Destination { place, protected: &self.0.protected, written: None })
    }

    /// Checks that the folders of these installations can be written into the folder of patches, before anything is.
    ///
    /// # Errors
    /// Which one is there already and not to be replaced, or holds what is not ours.
    pub fn admit_patches<'n>(&self, installations: impl Iterator<Item = &'n str>) -> Result<(), Error> {
        self.0.patches.as_ref().map_or(Ok(()), |patches| patches.admit(installations, &self.0.protected))
    }

    /// Writes the files of one installation, by name, into a folder of its name in the folder of patches: whole or not
    /// at all. Its path, as the user named the outer one.
    ///
    /// # Errors
    /// Where it cannot be written; where no folder of patches was asked for.
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

/// Where something is written to.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'g> {
    place: &'g Place,
    protected: &'g Protected,
    /// Where it is listed.
    written: Option<&'g List>,
}

impl<'g> Destination<'g> {
    /// The path as the user named it; `-` for standard output.
    pub fn path(self) -> &'g Path {
        &self.place.shown
    }

    /// Whether it is standard output.
    pub fn is_stdout(self) -> bool {
        matches!(self.place.goal, Goal::Stdout(_))
    }

    /// Whether somebody reads it on a terminal, as standard output.
    pub fn is_terminal(self) -> bool {
        matches!(&self.place.goal, Goal::Stdout(stdout) if stdout.is_terminal())
    }

    /// Writes a file whole or not at all, or into a stream; that the reader of a stream has gone is no error.
    ///
    /// # Errors
    /// What the system says, or `write`; what by now must not be written to.
    pub fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let Some(list) = self.written else { return self.place.write(self.protected, write) };
        let mut sum = None;
        self.place.write(self.protected, |out| {
            let mut hashing = Hashing::new(out);
            write(&mut hashing)?;
            sum = Some(hashing.sum());
            Ok(())
        })?;
        list.add(self.path(), sum);
        Ok(())
    }
}

/// Refuses two outputs that are one: by path, by what the disk calls it, or but for letter case, which many disks ignore.
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

/// Refuses an output in the folder of patches, whose files are those of patches alone; or where that folder is to be.
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
