//! `report`: saved reports in another form.

use std::path::PathBuf;

use hivemend::cli::ReportArgs;
use hivemend::error::Error;
use hivemend::report::table::Situation;
use hivemend::report::{Report, read_saved};

use super::{gate, one_output, renderer, say, style_of};

pub(crate) fn report(args: &ReportArgs) -> Result<u8, Error> {
    // What stdin was opened on is read, too.
    let named = |path: &PathBuf| if path.as_os_str() == "-" { PathBuf::from("/dev/stdin") } else { path.clone() };
    let read: Vec<PathBuf> = args.reports.iter().map(named).collect();
    let gate = gate(one_output(&args.output), &read, None)?;
    let mut whole: Option<Report> = None;
    for path in &args.reports {
        let saved = read_saved(path)?;
        if args.all && !saved.report.options.all {
            say(&format!("{}: was saved without --all; findings that conform are not in it", path.display()));
        }
        match &mut whole {
            None => whole = Some(saved.report),
            Some(whole) => whole.append(saved.report).map_err(|reason| Error::Refused {
                reason: format!("{}: {reason}, unlike the report before it", path.display()),
                advice: "Render these reports one by one".to_owned(),
            })?,
        }
    }
    let Some(mut report) = whole else { return Ok(super::REFUSED) };
    if !args.all {
        report.without_conforming();
    }
    let outputs = gate.seal(read.iter().map(PathBuf::as_path))?;
    let style = style_of(outputs.output(), args.output.color, args.all);
    let situation = Situation::default();
    outputs.output().write(|out| report.render(renderer(args.format, style, situation, out).as_mut()))?;
    Ok(0)
}
