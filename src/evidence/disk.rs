//! Disks inside image files: read in place, by position, in every format of image.
//!
//! Our own code reads each format. It refuses unknown features and checks everything that the format lets it check: a
//! wrong byte without an error would be the worst possible result here.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::Blocks;
use super::file::Acquisition;
use super::file_system::Vouched;
use super::listed::Listed;
use crate::error::{Code, Problem};

mod beside;
mod ewf;
mod ewf_header;
mod ewf_segment;
mod ewf_volume;
pub(in crate::evidence) mod field;
pub(in crate::evidence) mod kept;
mod kind;
mod map;
mod named;
mod pages;
mod qcow2;
mod split;
mod stored;
mod vdi;
mod vhd;
mod vhdx;
mod vhdx_header;
mod vmdk;
mod vmdk_descriptor;

use beside::Beside;
pub use kind::{Kind, is_fragment, refusal};
pub use stored::{Algorithm, Checked, StoredHash};

/// Bytes of a file that identify the kind of image: a GPT may start behind a sector of 4,096 bytes.
const BEGINNING: u64 = 4104;

/// An open disk.
pub struct Disk {
    /// The kind of image.
    pub kind: Kind,
    /// The disk's bytes.
    pub blocks: Blocks,
    /// Every file that was opened for the disk; the file that the user named is first.
    pub files: Vec<PathBuf>,
    /// Hashes of the disk that the image stores.
    pub stored: Vec<StoredHash>,
    /// Facts about the image for the report, in sentences.
    pub facts: Vec<String>,
    /// The image header's facts of the case.
    pub acquisition: Option<Acquisition>,
}

impl Disk {
    /// Returns whether the file is only the beginning of a disk or a volume; see [`is_fragment`].
    pub fn is_fragment(&self) -> bool {
        let (size, kind) = (self.blocks.size(), self.kind);
        kind == Kind::Raw && ends(&self.blocks).is_ok_and(|(beginning, _)| is_fragment(&beginning, size))
    }

    /// Returns whether the image stores a checksum of each block: reading a block with a wrong checksum is an error.
    pub fn vouched(&self) -> Vouched {
        match self.kind {
            Kind::Ewf => Vouched::by("the checksum of each chunk (E01)"),
            _ => Vouched::Unprotected,
        }
    }
}

/// An image that cannot be opened. Its display is its problem.
#[derive(Debug)]
pub struct Failed {
    /// The defect, and the command that helps.
    pub problem: Box<Problem>,
    /// Every file that was opened before the failure; the file that the user named is first. All of them are evidence.
    pub files: Vec<PathBuf>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

/// Opens the image at `path` and the files that it needs.
///
/// # Errors
/// The image is unreadable, of a refused kind, or known to be wrong. The error lists the files that were opened.
pub fn open(path: &Path) -> Result<Disk, Failed> {
    open_listed(path, None, &Listed::default())
}

/// Opens the image at `path` as [`open`] does. `name` is its name on its machine, if that is another, and `listed` has
/// files that lay beside it there.
///
/// # Errors
/// As [`open`].
pub fn open_listed(path: &Path, name: Option<&str>, listed: &Listed) -> Result<Disk, Failed> {
    let (beside, file) =
        Beside::open(path, listed).map_err(|problem| Failed { problem: Box::new(problem), files: Vec::new() })?;
    disk(beside, name.unwrap_or(&name_of(path)), file)
}

/// Opens an image that was extracted from a container; `name` is its name in reports. The image must be whole: the
/// files beside it were not extracted.
///
/// # Errors
/// As [`open`].
pub fn open_within(name: &Path, file: Blocks) -> Result<Disk, Failed> {
    disk(Beside::within(name), &name_of(name), file)
}

/// Opens an image whose first file is open.
fn disk(mut beside: Beside, name: &str, file: Blocks) -> Result<Disk, Failed> {
    let mut stored = Vec::new();
    match image(&mut beside, name, file, None, &mut stored) {
        Ok((kind, image)) => {
            let (files, facts, acquisition) = beside.into_parts();
            Ok(Disk { kind, blocks: image.blocks, files, stored, facts, acquisition })
        }
        Err(problem) => Err(Failed { problem: Box::new(problem), files: beside.files().to_vec() }),
    }
}

/// One image of a chain.
struct Image {
    blocks: Blocks,
    /// The identifier that a child stores for its parent.
    id: Option<String>,
}

/// Opens one image of a chain; `format` is the format that its child states.
fn image(
    beside: &mut Beside,
    name: &str,
    file: Blocks,
    format: Option<&str>,
    stored: &mut Vec<StoredHash>,
) -> Result<(Kind, Image), Problem> {
    let alone = |blocks| Image { blocks, id: None };
    if format == Some("raw") {
        return Ok((Kind::Raw, alone(file)));
    }
    let (beginning, end) = ends(&file).map_err(|error| beside.unreadable(&error))?;
    if let Some(row) = refusal(&beginning, &end) {
        return Err(beside
            .problem("a supported disk image", row.what)
            .code(Code::UnsupportedFormat)
            .advise(row.advice));
    }
    let Some(kind) = Kind::of(&beginning, &end, name) else {
        return Err(beside.problem("a disk image", "an unknown format"));
    };
    let image = match kind {
        Kind::Raw => alone(file),
        Kind::SplitRaw => alone(Arc::new(split::open(beside, name, file)?)),
        Kind::Ewf => alone(ewf::open(beside, name, file, stored)?),
        Kind::Vdi => alone(vdi::open(beside, file)?),
        Kind::Qcow2 => alone(qcow2::open(beside, file)?),
        Kind::Vhd => vhd::open(beside, file)?,
        Kind::Vmdk => vmdk::open(beside, &file)?,
        Kind::Vhdx => vhdx::open(beside, file)?,
    };
    Ok((kind, image))
}

/// Opens the parent of an image, by the first of `names` that exists. `id` is the parent's expected identifier and
/// `format` its expected format, where the child states them.
fn parent(
    beside: &mut Beside,
    names: &[String],
    role: &str,
    id: Option<&str>,
    format: Option<&str>,
) -> Result<Blocks, Problem> {
    let mut opened = Err(beside.problem(format!("the name of its {role}"), "none"));
    let mut name = "";
    for one in names {
        name = one.rsplit(['/', '\\']).next().unwrap_or_default();
        opened = beside.named(one, role);
        if opened.is_ok() {
            break;
        }
    }
    let (path, file) = opened?;
    beside.descend(path.clone())?;
    let (kind, image) = image(beside, name, file, format, &mut Vec::new())?;
    beside.ascend();
    if let Some(format) = format.filter(|format| *format != kind.format()) {
        return Err(beside.problem(format!("a {role} of format {format}"), format!("{}, {kind}", path.display())));
    }
    if let Some(id) = id.filter(|id| image.id.as_deref() != Some(id)) {
        let found = format!("{}, which is {}", path.display(), image.id.as_deref().unwrap_or("without an identifier"));
        let problem = beside.problem(format!("its {role} with the identifier {id}"), found);
        return Err(problem.advise("put the original image there, unchanged since this one was made on it"));
    }
    Ok(image.blocks)
}

/// Returns the name of an image's file.
fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Returns the first bytes of a file and its last 512 bytes; fewer if the file is shorter.
fn ends(file: &Blocks) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let part = |start: u64, most: u64| {
        let length = usize::try_from(file.size().saturating_sub(start).min(most)).unwrap_or_default();
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, start).map(|()| bytes)
    };
    Ok((part(0, BEGINNING)?, part(file.size().saturating_sub(512), 512)?))
}
