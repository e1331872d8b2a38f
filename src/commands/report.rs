//! `report`: converts saved reports to another format.

use std::path::PathBuf;

use hivemend::cli::{Format, ReportArgs};
use hivemend::custody::Custody;
use hivemend::error::Error;
use hivemend::history::History;
use hivemend::html::{Attached, Attachments, Hashed, PatchFolder, Plans};
use hivemend::report::table::Situation;
use hivemend::report::{Report, read_saved};
use hivemend::shelf;

use super::form::Form;
use super::{gate, one_output, read_as_named, say, stated_facts, style_of};

pub(crate) fn report(args: &ReportArgs) -> Result<u8, Error> {
    if args.fleet {
        return super::fleet::page(args);
    }
    let mut read = read_as_named(&args.reports);
    let beside = args.plan.iter().chain(&args.history).chain(&args.custody).chain(&args.case.case);
    read.extend(beside.cloned());
    let gate = gate(one_output(&args.output), &read, None)?;
    let mut attachments = attachments(args)?;
    let mut whole: Option<Report> = None;
    for path in &args.reports {
        let saved = read_saved(path)?;
        attachments.reports.push(Hashed { path: path.display().to_string(), sha256: saved.sha256.clone() });
        if args.all && !saved.report.options.all {
            say(&format!(
                "{}: the report was saved without --all, so it lacks the findings that conform",
                path.display()
            ));
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
    outputs.output().write(|out| Form::new(args.format, style, situation, attachments, out).render(&report))?;
    Ok(0)
}

/// Returns what a page contains beside the report. Other formats have no place for attachments and refuse them.
fn attachments(args: &ReportArgs) -> Result<Attachments, Error> {
    let given = !args.plan.is_empty() || args.history.is_some() || args.custody.is_some();
    if given && args.format != Format::Html {
        return Err(Error::Refused {
            reason: "--plan, --history and --custody need an HTML page".to_owned(),
            advice: "Add --format html, or leave them out".to_owned(),
        });
    }
    let mut plans = Plans::default();
    for path in &args.plan {
        plans.put(&PatchFolder::read(path)?).map_err(shelf::failed)?;
    }
    Ok(Attachments {
        plans,
        history: args.history.as_deref().map(Attached::<History>::read).transpose()?,
        custody: args.custody.as_deref().map(Attached::<Custody>::read).transpose()?,
        case: stated_facts(&args.case)?,
        reports: Vec::new(),
    })
}
