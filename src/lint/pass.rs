//! One pass over a file, in which each importer reads it.

use std::io;

use super::LintOptions;
use super::gather::{Gatherer, Summary};
use super::remark::{self, Remark};
use super::source::Input;
use super::utf8::Converter;
use crate::reg_file::{Encoding, HivexregeditReader, Importer, ReadOptions, RegeditReader, Sink, TooLong};

/// Why a pass ended early.
pub(super) enum Failure {
    Input(io::Error),
    /// The line of a statement that is too long.
    TooLong(usize),
}

impl From<TooLong> for Failure {
    fn from(TooLong { line }: TooLong) -> Self {
        Self::TooLong(line)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Input(error)
    }
}

/// Reads a file of which the first piece was read, and returns what its importers do, and the remarks.
pub(super) fn examine(
    input: &mut Input<'_>,
    options: &LintOptions,
) -> Result<(Summary, Option<Summary>, Vec<Remark>), Failure> {
    let only = options.importer;
    let mut gathered = Gatherer::new(Importer::Regedit, only != Some(Importer::Hivexregedit));
    let mut others = Gatherer::new(Importer::Hivexregedit, only == Some(Importer::Hivexregedit));
    let mut regedit = RegeditReader::new(input.piece(), &as_regedit(options));
    // hivexregedit's manual tells its users to convert the file first.
    let mut converter = (only.is_none() && regedit.encoding() == Encoding::Utf16Le).then(Converter::default);
    let mut hivexregedit = None;
    loop {
        let (piece, is_last) = (input.piece(), input.is_over());
        let text = regedit.read(piece, is_last, &mut gathered)?;
        if only != Some(Importer::Regedit) {
            let bytes = converter.as_mut().map_or(piece, |converter| converter.convert(text, is_last));
            let reader = hivexregedit.get_or_insert_with(|| HivexregeditReader::new(bytes));
            reader.read(bytes, is_last, &mut others)?;
        }
        if is_last {
            break;
        }
        input.next()?;
    }
    let (regedit, mut remarks) = gathered.finish(regedit.encoding(), regedit.version());
    if only == Some(Importer::Hivexregedit) {
        remarks.clear();
    }
    let hivexregedit = hivexregedit.map(|reader| {
        let (summary, mut others) = others.finish(reader.encoding(), reader.version());
        if only.is_none() {
            // The file has another text than the one that hivexregedit reads.
            for other in &mut others {
                other.excerpt = None;
            }
        }
        remark::join(&mut remarks, others);
        summary
    });
    Ok((regedit, hivexregedit, remarks))
}

/// Reads a file again as regedit does. `check` is asked after each piece whether to go on.
pub(super) fn repeat<S: Sink>(
    input: &mut Input<'_>,
    options: &LintOptions,
    sink: &mut S,
    mut check: impl FnMut(&mut S) -> io::Result<()>,
) -> Result<(), Failure> {
    input.next()?;
    let mut regedit = RegeditReader::new(input.piece(), &as_regedit(options));
    loop {
        regedit.read(input.piece(), input.is_over(), sink)?;
        check(sink)?;
        if input.is_over() {
            return Ok(());
        }
        input.next()?;
    }
}

fn as_regedit(options: &LintOptions) -> ReadOptions {
    ReadOptions { code_page: options.code_page, importer: Importer::Regedit }
}
