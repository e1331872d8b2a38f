//! Reports, line by line, what importers would do with a received `.reg` file, and what they would silently drop.
//!
//! ```
//! use hivemend::lint::{LintOptions, LintedFile};
//!
//! let text = "Windows Registry Editor Version 5.00\n\n[HKLM\\SOFTWARE\\Example]\n\"a\"=dword:1\n";
//! let file = LintedFile::new("example.reg", text.as_bytes(), &LintOptions::default())?;
//! assert!(!file.is_accepted());
//! let mut page = Vec::new();
//! hivemend::lint::render(&[file], &hivemend::report::table::Style::default(), &mut page)?;
//! assert!(String::from_utf8_lossy(&page).contains("[abbreviated-root]"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::evidence::output::nameless;
use crate::reg_file::{CodePage, Importer, Verdict};
use crate::report::table::Style;

pub(crate) mod excerpt;
mod foreign;
mod gather;
mod json;
mod listing;
mod pass;
mod remark;
mod source;
mod table;
mod utf8;

use foreign::foreign;
use gather::Summary;
use pass::Failure;
use remark::Remark;
use source::{Input, Source};

/// The bytes at the start of a file that are enough to recognise a file that is not text.
const BEGINNING: usize = 4104;
/// The largest file that is read into memory whole, to be compared with a hive.
const LARGEST: u64 = 512 << 20;
/// What to do if a file cannot be read.
const ADVICE: &str = "Name .reg files, or - for one on stdin";

/// The options of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LintOptions {
    /// The ANSI code page of the machine that imports 8-bit text, if it is known.
    pub code_page: Option<CodePage>,
    /// The importer that will import the file; `None` for all importers.
    pub importer: Option<Importer>,
    /// Whether a copy of stdin is kept in a temporary file. [`render_json`] reads the input a second time.
    pub keep_input: bool,
}

/// A `.reg` file and the remarks on it.
#[derive(Clone, Debug)]
pub struct LintedFile {
    /// The path of the file, as the user named it.
    path: String,
    source: Source,
    options: LintOptions,
    /// What regedit does with it.
    regedit: Summary,
    /// What hivexregedit does with it, if requested. Beside regedit, for the text converted to UTF-8.
    hivexregedit: Option<Summary>,
    /// The remarks, each once, sorted by first place.
    remarks: Vec<Remark>,
}

/// Returns the bytes of a file, or of stdin if the path is `-`.
///
/// # Errors
/// Returns an error if the file cannot be read, is larger than 512 MiB, or is a hive, an archive, or an image.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| unreadable(path, source);
    let source = open(path).map_err(failed)?.0;
    let mut bytes = Vec::new();
    // A file that is not text is recognised by its start, so that a disk image is not read completely.
    let mut source = source.take(LARGEST.saturating_add(1));
    source.by_ref().take(BEGINNING as u64).read_to_end(&mut bytes).map_err(failed)?;
    refuse_foreign(path, &bytes)?;
    source.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::Refused {
            reason: format!("{}: more than {} MiB", path.display(), LARGEST >> 20),
            advice: "Name a .reg file, or a part of this one".to_owned(),
        });
    }
    Ok(bytes)
}

/// Opens a file, or stdin if the path is `-`, and returns where it can be read again.
fn open(path: &Path) -> io::Result<(Box<dyn Read>, Source)> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(io::stdin().lock()), Source::Gone));
    }
    let file = File::open(path)?;
    let source = Source::of(path, &file)?;
    Ok((Box::new(file), source))
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    let path = if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() };
    Error::Read { path, source, advice: ADVICE }
}

/// Refuses a file that is not a `.reg` file.
fn refuse_foreign(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    match foreign(bytes.get(..BEGINNING).unwrap_or(bytes), path) {
        None => Ok(()),
        Some((what, advice)) => {
            Err(Error::Refused { reason: format!("{}: {what}, not a .reg file", path.display()), advice })
        }
    }
}

impl LintedFile {
    /// Reads the bytes of a `.reg` file as its importers do.
    ///
    /// # Errors
    /// Returns an error if a line with its continuation lines has more than 32 million characters.
    pub fn new(path: impl Into<String>, bytes: &[u8], options: &LintOptions) -> Result<Self, Error> {
        let path = path.into();
        let mut input = Input::new(Box::new(bytes), None);
        input.next().map_err(|source| unreadable(Path::new(&path), source))?;
        Self::examine(path, &mut input, Source::Bytes(Arc::from(bytes)), options)
    }

    /// Reads a `.reg` file, or stdin if the path is `-`, as its importers do. The memory that this needs does not grow
    /// with the file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, if it is a hive, an archive, or an image, or if a line with its
    /// continuation lines has more than 32 million characters.
    pub fn read(path: &Path, options: &LintOptions) -> Result<Self, Error> {
        let failed = |source| unreadable(path, source);
        let (reader, source) = open(path).map_err(failed)?;
        let copy = matches!(source, Source::Gone) && options.keep_input;
        let mut input = Input::new(reader, copy.then(nameless).transpose().map_err(failed)?);
        input.next().map_err(failed)?;
        refuse_foreign(path, input.piece())?;
        let mut file = Self::examine(path.to_string_lossy().into_owned(), &mut input, source, options)?;
        if let Some(copy) = input.into_copy() {
            file.source = Source::Copy(Arc::new(copy));
        }
        Ok(file)
    }

    fn examine(path: String, input: &mut Input<'_>, source: Source, options: &LintOptions) -> Result<Self, Error> {
        match pass::examine(input, options) {
            Ok((regedit, hivexregedit, remarks)) => {
                Ok(Self { path, source, options: *options, regedit, hivexregedit, remarks })
            }
            Err(Failure::Input(source)) => Err(unreadable(Path::new(&path), source)),
            Err(Failure::TooLong(line)) => Err(Error::Refused {
                reason: format!("{path}: line {line}: too long with the lines that continue it"),
                advice: "Name a .reg file with shorter values".to_owned(),
            }),
        }
    }

    /// Returns whether there are no remarks for the chosen importer, or for regedit if none was chosen.
    pub fn is_accepted(&self) -> bool {
        self.reading().verdict == Verdict::Accept
    }

    /// Returns what the chosen importer does with the file, or regedit if none was chosen.
    fn reading(&self) -> &Summary {
        match (&self.hivexregedit, self.options.importer) {
            (Some(reading), Some(Importer::Hivexregedit)) => reading,
            _ => &self.regedit,
        }
    }
}

/// Writes the result for people: what each file is, what regedit would do, and the remarks with their places.
///
/// # Errors
/// Returns the error of the writer.
pub fn render(files: &[LintedFile], style: &Style, writer: &mut dyn Write) -> io::Result<()> {
    table::render(files, *style, writer)
}

/// Writes JSON: `{"schema_version", "files": [{"path", "encoding", "header", "strict", "operations": [{"line", "op",
/// "key", "name", "type", "raw"}], "diagnostics": [{"line", "column", "severity", "code", "message", "importers", "count",
/// "lines"}]}]}`.
///
/// `strict` and `operations` are those of regedit, whatever the importer. `header` is `null` if it makes regedit import
/// nothing. `type` is the number of the registry type. Lines and columns count from 1, columns in UTF-16 units. A
/// remark appears once, at its first place; `lines` lists its lines, at most the first 10,000.
///
/// # Errors
/// Returns the error of the writer, or that of reading a file again.
pub fn render_json(files: &[LintedFile], writer: &mut dyn Write) -> io::Result<()> {
    json::render(files, writer)
}
