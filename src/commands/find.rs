//! `find`: which hives are there.

use hivemend::cli::{FindArgs, Format};
use hivemend::error::Error;
use hivemend::examination::{Options, examine};

use super::{INCOMPLETE, prepare, unpacking, with_custody, write_report};

pub(crate) fn find(args: &FindArgs) -> Result<u8, Error> {
    let common = &args.common;
    prepare(common, None)?;
    if common.format == Format::Jsonl {
        return Err(Error::Usage {
            option: "--format",
            found: "jsonl".to_owned(),
            expected: "`find` has no findings to print a line each; use table or json".to_owned(),
        });
    }
    let options = Options {
        judge: false,
        check: args.check,
        replay: !common.no_replay,
        map: !common.no_mmap,
        unpacking: unpacking(&common.unpacking)?,
        hash: !common.no_hash,
        ..Options::default()
    };
    let (examination, kept) = with_custody(common, || examine(&common.evidence, &options))?;
    write_report(common, &examination.report, false)?;
    let incomplete = !examination.report.summary.complete || !kept;
    Ok(if incomplete && !common.exit_zero { INCOMPLETE } else { 0 })
}
