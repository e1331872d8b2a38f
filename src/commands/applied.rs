//! `verify --applied`: checks whether a plan, and nothing else, was applied or rolled back.

use std::path::Path;

use hivemend::cli::VerifyArgs;
use hivemend::error::Error;
use hivemend::evidence::output::{Gate, Inputs};
use hivemend::examination::Options;
use hivemend::remediation::PlanFile;
use hivemend::verification::applied::Question;
use hivemend::verification::{Answer, Asked};

use super::{one_output, prepare_reading, style_of, table_of, unpacking, write_errand};

/// Compares the evidence with a plan.
pub(super) fn applied(args: &VerifyArgs, plan: &Path) -> Result<u8, Error> {
    let keys = args.reading.password_file.iter().chain(&args.reading.recovery_key_file);
    let inputs = Inputs {
        evidence: args.paths.iter().chain(&args.before).cloned().collect(),
        files: keys.cloned().chain([plan.to_owned()]).collect(),
    };
    let gate = Gate::new(&one_output(&args.output), &inputs)?;
    let file = PlanFile::open(plan)?;
    let options = Options {
        os: args.os,
        replay: !args.reading.no_replay,
        map: !args.reading.no_mmap,
        unpacking: unpacking(&args.reading)?,
        hash: args.hashing.wanted(),
        ..Options::default()
    };
    let asked = if args.undone { Asked::Undone } else { Asked::Applied };
    let question = Question {
        plan: file,
        evidence: args.paths.clone(),
        before: args.before.clone(),
        asked,
        options,
        table: table_of(args.format, style_of(gate.output(), args.output.color, false)),
    };
    prepare_reading(&args.reading);
    let Answer { standing, .. } = write_errand(gate, &args.messages, &question, |answer| {
        answer.opened.iter().cloned().chain([plan.to_owned()]).collect()
    })?;
    Ok(if args.exit_zero { 0 } else { super::verify::code(standing) })
}
