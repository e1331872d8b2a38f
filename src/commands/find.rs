//! `find`: lists the hives in the evidence.

use hivemend::cli::{FindArgs, FindFormat};
use hivemend::custody::Examined;
use hivemend::error::Error;
use hivemend::examination::{Options, examine};
use hivemend::html::Attachments;
use hivemend::report::table::Situation;

use super::{
    INCOMPLETE, case_facts, prepare, seal, stated_facts, unpacking, with_custody, write_recorded, write_report,
};

pub(crate) fn find(args: &FindArgs) -> Result<u8, Error> {
    let common = &args.common;
    let stated = stated_facts(&common.custody.case)?;
    let gate = prepare(common, None)?;
    let options = Options {
        judge: false,
        check: args.check,
        replay: !common.reading.no_replay,
        map: !common.reading.no_mmap,
        unpacking: unpacking(&common.reading)?,
        hash: !common.custody.no_hash,
        ..Options::default()
    };
    let (mut examination, record) = with_custody(common, &options.unpacking, || examine(&common.evidence, &options))?;
    let outputs = seal(gate, &examination)?;
    let kept = record.as_ref().is_none_or(Examined::unchanged);
    let nothing = examination.nothing.take();
    let case = case_facts(&stated, &examination.report);
    write_recorded(&outputs, record, case, || {
        // An empty table says less than the error. Programs get the ledger.
        if nothing.is_none() || args.format != FindFormat::Table {
            let report = &examination.report;
            write_report(
                outputs.output(),
                common,
                args.format.into(),
                report,
                false,
                Situation::default(),
                &Attachments::default(),
            )?;
        }
        nothing.map_or(Ok(()), Err)
    })?;
    let incomplete = !examination.report.summary.complete || !kept;
    Ok(if incomplete && !common.exit_zero { INCOMPLETE } else { 0 })
}
