//! `verify --applied`: checks whether a plan, and nothing else, was applied or rolled back.

use std::path::{Path, PathBuf};

use hivemend::cli::{ListFormat, VerifyArgs};
use hivemend::error::Error;
use hivemend::evidence::output::{Gate, Inputs};
use hivemend::examination::Options;
use hivemend::remediation::PlanFile;
use hivemend::verification::{Asked, applied};

use super::{one_output, progress, set_jobs, style_of, unpacking};

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
        hash: !args.no_hash,
        ..Options::default()
    };
    let asked = if args.undone { Asked::Undone } else { Asked::Applied };
    set_jobs(&args.reading);
    let shown = progress::show(&args.messages);
    let checked = applied::run(&file, &args.paths, &args.before, asked, &options)?;
    drop(shown);
    let outputs = gate.seal(checked.opened.iter().map(PathBuf::as_path).chain([plan]))?;
    let style = style_of(outputs.output(), args.output.color, false);
    outputs.output().write(|mut out| match args.format {
        ListFormat::Table => applied::render(&checked, &style, &mut out),
        ListFormat::Json => {
            serde_json::to_writer_pretty(&mut out, &checked)?;
            out.write_all(b"\n")
        }
    })?;
    Ok(if args.exit_zero { 0 } else { super::verify::code(checked.outcome()) })
}
