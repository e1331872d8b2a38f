//! Reports, line by line, what importers would do with a received `.reg` file, and what they would silently drop.
//!
//! ```
//! use hivemend::lint::{LintOptions, LintedFile};
//!
//! let text = "Windows Registry Editor Version 5.00\n\n[HKLM\\SOFTWARE\\Example]\n\"a\"=dword:1\n";
//! let file = LintedFile::new("example.reg", text.as_bytes(), &LintOptions::default());
//! assert!(!file.is_accepted());
//! let mut page = Vec::new();
//! hivemend::lint::render(&[file], &hivemend::report::table::Style::default(), &mut page)?;
//! assert!(String::from_utf8_lossy(&page).contains("[abbreviated-root]"));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::Error;
use crate::reg_file::{self, CodePage, Encoding, Importer, ReadOptions, Reading, Verdict};
use crate::report::table::Style;

pub(crate) mod excerpt;
mod foreign;
mod json;
mod remark;
mod table;

use foreign::foreign;
use remark::Remark;

/// The bytes at the start of a file that are enough to recognise a file that is not text.
const BEGINNING: u64 = 4104;
/// The largest accepted file. The exported registry of a whole Windows is about this large.
const LARGEST: u64 = 512 << 20;

/// The options of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LintOptions {
    /// The ANSI code page of the machine that imports 8-bit text, if it is known.
    pub code_page: Option<CodePage>,
    /// The importer that will import the file; `None` for all importers.
    pub importer: Option<Importer>,
}

/// A `.reg` file and the remarks on it.
#[derive(Clone, Debug)]
pub struct LintedFile {
    /// The path of the file, as the user named it.
    path: String,
    /// What regedit does with it.
    regedit: Reading,
    /// What hivexregedit does with it, if requested. Beside regedit, for the text converted to UTF-8.
    hivexregedit: Option<Reading>,
    /// The remarks, each once, sorted by first place.
    remarks: Vec<Remark>,
    importer: Option<Importer>,
}

/// Returns the bytes of a file, or of stdin if the path is `-`.
///
/// # Errors
/// Returns an error if the file cannot be read, is larger than 512 MiB, or is a hive, an archive, or an image.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let from_stdin = path.as_os_str() == "-";
    let failed = |source| Error::Read {
        path: if from_stdin { "stdin".to_owned() } else { path.display().to_string() },
        source,
        advice: "Name .reg files, or - for one on stdin",
    };
    let source: Box<dyn Read> =
        if from_stdin { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(failed)?) };
    let mut bytes = Vec::new();
    // A file that is not text is recognised by its start, so that a disk image is not read completely.
    let mut source = source.take(LARGEST.saturating_add(1));
    source.by_ref().take(BEGINNING).read_to_end(&mut bytes).map_err(failed)?;
    if let Some((what, advice)) = foreign(&bytes, path) {
        return Err(Error::Refused { reason: format!("{}: {what}, not a .reg file", path.display()), advice });
    }
    source.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::Refused {
            reason: format!("{}: more than {} MiB", path.display(), LARGEST >> 20),
            advice: "Name a .reg file, or a part of this one".to_owned(),
        });
    }
    Ok(bytes)
}

impl LintedFile {
    /// Reads the bytes of a `.reg` file as its importers do.
    pub fn new(path: impl Into<String>, bytes: &[u8], options: &LintOptions) -> Self {
        let read_as = |importer| ReadOptions { code_page: options.code_page, importer };
        let as_regedit = read_as(Importer::Regedit);
        let regedit = reg_file::parse_with(bytes, &as_regedit);
        let as_hivexregedit = read_as(Importer::Hivexregedit);
        let hivexregedit = match options.importer {
            Some(Importer::Regedit) => None,
            Some(_) => Some(reg_file::parse_with(bytes, &as_hivexregedit)),
            // hivexregedit's manual tells its users to convert the file first.
            None => Some(reg_file::parse_with(&in_utf8(bytes, &regedit), &as_hivexregedit)),
        };
        let mut remarks = Vec::new();
        if options.importer != Some(Importer::Hivexregedit) {
            remarks = remark::gather(&regedit.diagnostics);
            remark::add_excerpts(&mut remarks, &reg_file::text_of(bytes, &as_regedit));
        }
        if let Some(reading) = &hivexregedit {
            let mut others = remark::gather(&reading.diagnostics);
            if options.importer.is_some() {
                remark::add_excerpts(&mut others, &reg_file::text_of(bytes, &as_hivexregedit));
            }
            remark::join(&mut remarks, others);
        }
        Self { path: path.into(), regedit, hivexregedit, remarks, importer: options.importer }
    }

    /// Returns whether there are no remarks for the chosen importer, or for regedit if none was chosen.
    pub fn is_accepted(&self) -> bool {
        self.reading().verdict() == Verdict::Accept
    }

    /// Returns what the chosen importer does with the file, or regedit if none was chosen.
    fn reading(&self) -> &Reading {
        match (&self.hivexregedit, self.importer) {
            (Some(reading), Some(Importer::Hivexregedit)) => reading,
            _ => &self.regedit,
        }
    }
}

/// Returns a UTF-16 file as `iconv -t UTF-8` and `dos2unix` convert it, and any other file unchanged.
fn in_utf8<'b>(bytes: &'b [u8], regedit: &Reading) -> Cow<'b, [u8]> {
    if regedit.encoding != Encoding::Utf16Le {
        return Cow::Borrowed(bytes);
    }
    let text = String::from_utf16_lossy(&reg_file::text_of(bytes, &ReadOptions::default()));
    Cow::Owned(text.replace("\r\n", "\n").into_bytes())
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
/// remark appears once, at its first place; `lines` lists all its lines.
///
/// # Errors
/// Returns the error of the writer.
pub fn render_json(files: &[LintedFile], writer: &mut dyn Write) -> io::Result<()> {
    json::render(files, writer)
}
