//! `show`: shows any key of any hive.

use hivemend::cli::{ShowArgs, ShowFormat};
use hivemend::error::Error;
use hivemend::show::{Layout, OpenOptions, Shown, Subject};

use super::{INCOMPLETE, gate, one_output, progress, say, set_jobs, style_of, unpacking};

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
    let options = OpenOptions {
        replay: !args.reading.no_replay,
        map: !args.reading.no_mmap,
        unpacking: unpacking(&args.reading)?,
        root: args.root.clone(),
    };
    set_jobs(&args.reading);
    let progress = progress::show(&args.messages);
    let subject = Subject::open(&args.hive, &options)?;
    drop(progress);
    let outputs = gate.seal(subject.opened())?;
    for doubt in subject.doubts() {
        note(&format!("{}: {doubt}", args.hive.display()));
    }
    let place = match subject.find(args.key.as_deref().unwrap_or_default())? {
        Ok(place) => place,
        Err(problem) => {
            say(&format!("{}: whether the key exists cannot be determined: {problem}", args.hive.display()));
            return Ok(INCOMPLETE);
        }
    };
    let layout = match args.format {
        ShowFormat::Reg if !outputs.output().is_stdout() => Layout::RegFile,
        ShowFormat::Reg => Layout::RegText,
        ShowFormat::Json => Layout::Json,
        ShowFormat::Table => Layout::Table(style_of(outputs.output(), args.output.color, true)),
    };
    // This result stays if the reader of stdout closes it before any problem.
    let mut shown = Shown { complete: !subject.is_dirty(), ..Shown::default() };
    outputs.output().write(|out| {
        shown = subject.write(&place, args.recursive, layout, out)?;
        Ok(())
    })?;
    for problem in shown.problems.iter().take(PROBLEMS_SAID) {
        note(&format!("{}: {problem}", args.hive.display()));
    }
    if let Some(more @ 1..) = shown.problems.len().checked_sub(PROBLEMS_SAID) {
        note(&format!("{}: {more} more problems; the output shows each in its place", args.hive.display()));
    }
    Ok(if shown.complete { 0 } else { INCOMPLETE })
}
