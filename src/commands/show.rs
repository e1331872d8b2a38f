//! `show`: any key of any hive.

use std::io::Write;

use hivemend::cli::{ShowArgs, ShowFormat};
use hivemend::error::Error;
use hivemend::output::{keep_out_of_evidence, write_whole};
use hivemend::show::{Layout, OpenOptions, Shown, Subject};

use super::{INCOMPLETE, say, style_of, to_stdout, unpacking};

/// Problems of one key that are told on stderr.
const PROBLEMS_SAID: usize = 20;

pub(crate) fn show(args: &ShowArgs) -> Result<u8, Error> {
    if let Some(output) = &args.output {
        keep_out_of_evidence(std::slice::from_ref(&args.hive), output)?;
    }
    let note = |text: &str| {
        if !args.quiet {
            say(text);
        }
    };
    let options = OpenOptions {
        replay: !args.no_replay,
        map: !args.no_mmap,
        unpacking: unpacking(&args.unpacking)?,
        root: args.root.clone(),
    };
    let subject = Subject::open(&args.hive, &options)?;
    for doubt in subject.doubts() {
        note(&format!("{}: {doubt}", args.hive.display()));
    }
    let place = match subject.find(args.key.as_deref().unwrap_or_default())? {
        Ok(place) => place,
        Err(problem) => {
            say(&format!("{}: nobody can tell whether the key is there: {problem}", args.hive.display()));
            return Ok(INCOMPLETE);
        }
    };
    let layout = match args.format {
        ShowFormat::Reg if args.output.is_some() => Layout::RegFile,
        ShowFormat::Reg => Layout::RegText,
        ShowFormat::Json => Layout::Json,
        ShowFormat::Table => Layout::Table(style_of(args.output.as_deref(), args.color, true)),
    };
    // What stays where the reader of stdout has had enough before anything was amiss.
    let mut shown = Shown { complete: !subject.is_dirty(), ..Shown::default() };
    let write = |out: &mut dyn Write| {
        shown = subject.write(&place, args.recursive, layout, out)?;
        Ok(())
    };
    match &args.output {
        Some(path) => write_whole(path, write)?,
        None => _ = to_stdout(write)?,
    }
    for problem in shown.problems.iter().take(PROBLEMS_SAID) {
        note(&format!("{}: {problem}", args.hive.display()));
    }
    if let Some(more @ 1..) = shown.problems.len().checked_sub(PROBLEMS_SAID) {
        note(&format!("{}: {more} problems more; the output has them in their places", args.hive.display()));
    }
    Ok(if shown.complete { 0 } else { INCOMPLETE })
}
