//! What regedit would do with a `.reg` file that somebody received, line by line, and what it would silently drop.
//!
//! ```
//! use hivemend::lint::LintedFile;
//! use hivemend::reg_file::ReadOptions;
//!
//! let text = "Windows Registry Editor Version 5.00\n\n[HKLM\\SOFTWARE\\Example]\n\"a\"=dword:1\n";
//! let file = LintedFile::new("example.reg", text.as_bytes(), &ReadOptions::default());
//! assert!(!file.is_accepted());
//! let mut page = Vec::new();
//! hivemend::lint::render(&[file], &hivemend::report::table::Style::default(), &mut page)?;
//! assert!(String::from_utf8_lossy(&page).contains("[abbreviated-root]"));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::Error;
use crate::reg_file::{self, Code, Diagnostic, ReadOptions, Reading, Verdict};
use crate::report::table::Style;

pub(crate) mod excerpt;
mod foreign;
mod json;
mod table;

use excerpt::Excerpt;
use foreign::foreign;

/// So many remarks of one code are shown to people, each with its line; the rest is counted.
const MOST_OF_A_CODE: usize = 5;
/// By so many bytes at its beginning a file is known that is no text.
const BEGINNING: u64 = 4104;
/// Larger files are refused: the registry of a whole Windows, exported, is about as large.
const LARGEST: u64 = 512 << 20;

/// A `.reg` file and what there is to say of it.
#[derive(Clone, Debug)]
pub struct LintedFile {
    /// The file, as it was named.
    path: String,
    /// What regedit does with it.
    reading: Reading,
    /// What is shown of the diagnostics where not all of them are, in their order.
    shown: Vec<Shown>,
}

/// A diagnostic that is shown, with the line it stands in.
#[derive(Clone, Debug)]
struct Shown {
    diagnostic: Diagnostic,
    /// How many of its code come behind it and are not shown; told at the last one.
    more: usize,
    /// `None` where regedit sees no text.
    excerpt: Option<Excerpt>,
}

/// The bytes of a file, or of stdin where the path is `-`.
///
/// # Errors
/// What the system says; where there are more than 512 MiB, or it is a hive, an archive or an image.
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
    // What is no text at all is told by its beginning, before the rest of a disk image is read.
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
    /// Reads the bytes of a `.reg` file as regedit does.
    pub fn new(path: impl Into<String>, bytes: &[u8], options: &ReadOptions) -> Self {
        let reading = reg_file::parse_with(bytes, options);
        let mut shown = select(&reading.diagnostics);
        add_excerpts(&mut shown, &reg_file::text_of(bytes, options));
        Self { path: path.into(), reading, shown }
    }

    /// Whether there is nothing to remark.
    pub fn is_accepted(&self) -> bool {
        self.reading.verdict() == Verdict::Accept
    }
}

/// The first diagnostics of each code.
fn select(diagnostics: &[Diagnostic]) -> Vec<Shown> {
    let mut total: BTreeMap<Code, usize> = BTreeMap::new();
    for found in diagnostics {
        let count = total.entry(found.code).or_default();
        *count = count.saturating_add(1);
    }
    let mut met: BTreeMap<Code, usize> = BTreeMap::new();
    let mut shown = Vec::new();
    for &diagnostic in diagnostics {
        let met = met.entry(diagnostic.code).or_default();
        *met = met.saturating_add(1);
        if *met <= MOST_OF_A_CODE {
            let total = total.get(&diagnostic.code).copied().unwrap_or_default();
            let more = if *met == MOST_OF_A_CODE { total.saturating_sub(*met) } else { 0 };
            shown.push(Shown { diagnostic, more, excerpt: None });
        }
    }
    shown
}

/// Gives each diagnostic its piece of the text. Diagnostics stand in the order of the lines: one way through the text.
fn add_excerpts(shown: &mut [Shown], text: &[u16]) {
    let mut lines = reg_file::lines_of(text);
    let mut current = lines.next();
    for shown in shown {
        let wanted = shown.diagnostic.line;
        while current.is_some_and(|(number, _)| number < wanted) {
            current = lines.next();
        }
        let Some((_, line)) = current.filter(|&(number, _)| number == wanted) else { continue };
        shown.excerpt = Some(Excerpt::of(line, shown.diagnostic.column));
    }
}

/// Writes for people: what each file is, what regedit would do, and what is to be remarked, with the place.
///
/// # Errors
/// What the writer says.
pub fn render(files: &[LintedFile], style: &Style, writer: &mut dyn Write) -> io::Result<()> {
    table::render(files, *style, writer)
}

/// Writes JSON: `{"schema_version", "files": [{"path", "encoding", "header", "strict", "operations": [{"line", "op",
/// "key", "name", "type", "raw"}], "diagnostics": [{"line", "column", "severity", "code", "message"}]}]}`.
///
/// `header` is `null` where regedit imports nothing for its sake; `type` is the registry type's number; lines and
/// columns count from 1, columns in UTF-16 units.
///
/// # Errors
/// What the writer says.
pub fn render_json(files: &[LintedFile], writer: &mut dyn Write) -> io::Result<()> {
    json::render(files, writer)
}
