//! `history`: the audited values through all generations.

use std::io::Write;

use hivemend::cli::{HistoryArgs, HistoryFormat};
use hivemend::error::Error;
use hivemend::examination::Options;
use hivemend::history;
use hivemend::output::{keep_out_of_evidence, write_whole};

use super::{INCOMPLETE, style_of, to_stdout, unpacking};

pub(crate) fn history(args: &HistoryArgs) -> Result<u8, Error> {
    if let Some(output) = &args.output {
        keep_out_of_evidence(&args.evidence, output)?;
    }
    let options = Options {
        os: args.os,
        replay: !args.no_replay,
        map: !args.no_mmap,
        unpacking: unpacking(&args.unpacking)?,
        hash: !args.no_hash,
        ..Options::default()
    };
    let history = history::trace(&args.evidence, &options)?;
    let style = style_of(args.output.as_deref(), args.color, false);
    let render = |mut out: &mut dyn Write| match args.format {
        HistoryFormat::Table => history::render(&history, &style, &mut out),
        HistoryFormat::Json => history::render_json(&history, &mut out),
        HistoryFormat::Csv => history::render_csv(&history, &mut out),
    };
    match &args.output {
        Some(path) => write_whole(path, render)?,
        None => to_stdout(render).map(|_| ())?,
    }
    Ok(if history.complete { 0 } else { INCOMPLETE })
}
