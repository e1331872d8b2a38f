//! `baseline`: shows the expectations.

use std::path::{Path, PathBuf};

use hivemend::baseline::{BUILT_IN, Baseline, list, read_own};
use hivemend::check;
use hivemend::cli::{BaselineCommand, LearnArgs, ListFormat};
use hivemend::discovery::run_errand;
use hivemend::error::Error;
use hivemend::learn;
use hivemend::nearest::nearest;
use hivemend::os::OsId;
use hivemend::show::OpenOptions;

use super::{REFUSED, gate, one_output, say, to_stdout};

pub(crate) fn baseline(command: BaselineCommand) -> Result<u8, Error> {
    match command {
        BaselineCommand::List { format } => to_stdout(|out| match format {
            ListFormat::Table => list::render(out),
            ListFormat::Json => list::render_json(out),
        }),
        BaselineCommand::Show { id } => show(id),
        BaselineCommand::Check { files } => check(&files),
        BaselineCommand::Learn(args) => learn(&args),
    }
}

fn show(id: String) -> Result<u8, Error> {
    if let Some(text) = Baseline::text_of(&id) {
        return to_stdout(|out| out.write_all(text.as_bytes()));
    }
    let path = Path::new(&id);
    if path.exists() || path.extension().is_some_and(|extension| extension == "toml") {
        let own = read_own(path)?;
        return to_stdout(|out| out.write_all(own.text.as_bytes()));
    }
    let known = || BUILT_IN.iter().map(|built_in| built_in.id);
    let meant = OsId::meant(&id).map(OsId::as_str).filter(|meant| known().any(|id| id == *meant));
    let near = meant.or_else(|| nearest(&id, known())).map(|near| format!("Did you mean {near:?}? "));
    let expected = format!("{}See `hivemend baseline list`", near.unwrap_or_default());
    Err(Error::Usage { option: "baseline show", found: id, expected })
}

fn check(files: &[PathBuf]) -> Result<u8, Error> {
    let checked = files.iter().map(|file| check::check(file)).collect::<Result<Vec<_>, Error>>()?;
    to_stdout(|out| checked.iter().try_for_each(|checked| checked.render(out)))?;
    let wrong = checked.iter().any(|checked| !checked.diagnostics.is_empty());
    Ok(if wrong { REFUSED } else { 0 })
}

/// The most notes that are printed to stderr.
const NOTES_SAID: usize = 20;

fn learn(args: &LearnArgs) -> Result<u8, Error> {
    let gate = gate(one_output(&args.output), &args.hives, None)?;
    let question = learn::Question {
        hives: args.hives.clone(),
        keys: args.key.clone(),
        recursive: args.recursive,
        options: OpenOptions::default(),
    };
    let learn::Answer { learned, opened } = run_errand(&question, &mut |_| Ok(()))?;
    let outputs = gate.seal(opened.iter().map(PathBuf::as_path))?;
    for note in learned.notes.iter().take(NOTES_SAID) {
        say(note);
    }
    if let Some(more @ 1..) = learned.notes.len().checked_sub(NOTES_SAID) {
        say(&format!("{more} more notes"));
    }
    outputs.output().write(|out| out.write_all(learned.text.as_bytes()))?;
    say(&format!("keys: {}, values: {}", learned.keys, learned.values));
    Ok(0)
}
