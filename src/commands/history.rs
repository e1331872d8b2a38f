//! `history`: shows the audited values in all generations.

use std::path::PathBuf;

use hivemend::cli::{HistoryArgs, HistoryFormat};
use hivemend::error::Error;
use hivemend::evidence::output::{Gate, Inputs};
use hivemend::examination::Options;
use hivemend::history;

use super::{INCOMPLETE, list, one_output, paths_of, prepare_reading, progress, read_beside, style_of, unpacking};

pub(crate) fn history(args: &HistoryArgs) -> Result<u8, Error> {
    let outputs = one_output(&args.output);
    let evidence = list::evidence(&args.evidence, &args.list)?;
    let files = read_beside(&args.list, &args.reading);
    let gate = Gate::new(&outputs, &Inputs { evidence: paths_of(&evidence), files })?;
    let options = Options {
        os: args.os,
        replay: !args.reading.no_replay,
        map: !args.reading.no_mmap,
        unpacking: unpacking(&args.reading)?,
        hash: args.hashing.wanted(),
        ..Options::default()
    };
    prepare_reading(&args.reading);
    let shown = progress::show(&args.messages);
    let history = history::trace(&evidence, &options)?;
    drop(shown);
    let outputs = gate.seal(history.opened.iter().map(PathBuf::as_path))?;
    let style = style_of(outputs.output(), args.output.color, false);
    outputs.output().write(|mut out| match args.format {
        HistoryFormat::Table => history::render(&history, &style, &mut out),
        HistoryFormat::Json => history::render_json(&history, &mut out),
        HistoryFormat::Csv => history::render_csv(&history, &mut out),
    })?;
    Ok(if history.complete { 0 } else { INCOMPLETE })
}
