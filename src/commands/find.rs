//! `find`: lists the hives in the evidence.

use hivemend::case::Audit;
use hivemend::cli::FindArgs;
use hivemend::error::Error;
use hivemend::examination::Options;
use hivemend::report::table::Situation;

use super::examined::{Wanted, run};
use super::{INCOMPLETE, list, prepare, stated_facts, unpacking};

pub(crate) fn find(args: &FindArgs) -> Result<u8, Error> {
    let common = &args.common;
    let stated = &stated_facts(&common.custody.case)?;
    let evidence = &list::evidence(&common.evidence, &common.list)?;
    let gate = prepare(common, evidence, None)?;
    let options = Options {
        judge: false,
        check: args.check,
        replay: !common.reading.no_replay,
        map: !common.reading.no_mmap,
        unpacking: unpacking(&common.reading)?,
        hash: common.custody.hashing.wanted(),
        ..Options::default()
    };
    let format = args.format.into();
    let wanted = Wanted { common, evidence, format, all: false, hold: false, stated, situation: Situation::default() };
    let find = Audit { options, ..Audit::default() };
    let run = run(gate, wanted, &find, |_, _, _| Ok(()), || Ok(()))?;
    let incomplete = !run.closing.summary.complete || !run.kept();
    run.end(|_| Ok(()))?;
    Ok(if incomplete && !common.exit_zero { INCOMPLETE } else { 0 })
}
