//! `find`: which hives are there.

use hivemend::cli::{FindArgs, FindFormat};
use hivemend::error::Error;
use hivemend::examination::{Options, examine};
use hivemend::report::table::Situation;

use super::{INCOMPLETE, prepare, seal, unpacking, with_custody, write_custody, write_report};

pub(crate) fn find(args: &FindArgs) -> Result<u8, Error> {
    let common = &args.common;
    let gate = prepare(common, None)?;
    let options = Options {
        judge: false,
        check: args.check,
        replay: !common.no_replay,
        map: !common.no_mmap,
        unpacking: unpacking(&common.unpacking)?,
        hash: !common.no_hash,
        ..Options::default()
    };
    let (mut examination, record) = with_custody(common, &options.unpacking, || examine(&common.evidence, &options))?;
    let outputs = seal(gate, &examination)?;
    let kept = write_custody(&outputs, record.as_ref())?;
    let nothing = examination.nothing.take();
    // A table of nothing says less than the error does; programs get the ledger.
    if nothing.is_none() || args.format != FindFormat::Table {
        let report = &examination.report;
        write_report(outputs.output(), common, args.format.into(), report, false, Situation::default())?;
    }
    if let Some(nothing) = nothing {
        return Err(nothing);
    }
    let incomplete = !examination.report.summary.complete || !kept;
    Ok(if incomplete && !common.exit_zero { INCOMPLETE } else { 0 })
}
