//! `show`: shows any key of any hive.

use std::io::Write as _;
use std::path::PathBuf;

use hivemend::cli::{ShowArgs, ShowFormat};
use hivemend::discovery::{News, run_errand};
use hivemend::error::Error;
use hivemend::show::{Answer, Layout, OpenOptions, Question};

use super::{INCOMPLETE, gate, one_output, prepare_reading, progress, say, style_of, unpacking};

/// The most problems of one key that are reported on stderr.
const PROBLEMS_SAID: usize = 20;

pub(crate) fn show(args: &ShowArgs) -> Result<u8, Error> {
    let outputs = one_output(&args.output);
    let gate = gate(outputs, std::slice::from_ref(&args.hive), Some(&args.reading))?;
    let note = |text: &str| {
        if !args.messages.quiet {
            say(text);
        }
    };
    let layout = match args.format {
        ShowFormat::Reg if !gate.output().is_stdout() => Layout::RegFile,
        ShowFormat::Reg => Layout::RegText,
        ShowFormat::Json => Layout::Json,
        ShowFormat::Table => Layout::Table(style_of(gate.output(), args.output.color, true)),
    };
    let options = OpenOptions {
        replay: !args.reading.no_replay,
        map: !args.reading.no_mmap,
        unpacking: unpacking(&args.reading)?,
        root: args.root.clone(),
    };
    let question = Question {
        hive: args.hive.clone(),
        key: args.key.clone().unwrap_or_default(),
        recursive: args.recursive,
        layout,
        options,
    };
    prepare_reading(&args.reading);
    let mut progress = progress::show(&args.messages);
    let mut writing = gate.begin(false)?;
    let (mut dirty, mut gone) = (false, false);
    let answered = run_errand(&question, &mut |news| {
        drop(progress.take());
        match news {
            News::Head(head) => {
                dirty = head.dirty;
                head.doubts.iter().for_each(|doubt| note(&format!("{}: {doubt}", args.hive.display())));
            }
            News::Text(text) => {
                let failed = |source| Error::Write { path: gate.output().path().display().to_string(), source };
                writing.write_all(text).and_then(|()| writing.flush()).map_err(failed)?;
                gone = writing.is_gone();
                if gone {
                    return Err(Error::Told("the reader of stdout has gone".to_owned()));
                }
            }
        }
        Ok(())
    });
    if gone {
        // Nobody reads the rest, and no problem was met so far.
        return Ok(if dirty { INCOMPLETE } else { 0 });
    }
    let Answer { shown, opened } = answered?;
    let shown = match shown {
        Ok(shown) => shown,
        Err(problem) => {
            say(&format!("{}: whether the key exists cannot be determined: {problem}", args.hive.display()));
            return Ok(INCOMPLETE);
        }
    };
    gate.seal(opened.iter().map(PathBuf::as_path))?.end(writing)?;
    for problem in shown.problems.iter().take(PROBLEMS_SAID) {
        note(&format!("{}: {problem}", args.hive.display()));
    }
    if let Some(more @ 1..) = shown.problems.len().checked_sub(PROBLEMS_SAID) {
        note(&format!("{}: {more} more problems; the output shows each in its place", args.hive.display()));
    }
    Ok(if shown.complete { 0 } else { INCOMPLETE })
}
