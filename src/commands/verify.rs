//! `verify`: applies patches from any source in memory and checks the result.

use std::path::{Path, PathBuf};

use hivemend::cli::VerifyArgs;
use hivemend::error::Error;
use hivemend::evidence::output::{Gate, Inputs};
use hivemend::examination::Options;
use hivemend::lint;
use hivemend::remediation::{PlanFile, check_roots};
use hivemend::verification::{Answer, Mounts, Patch, PatchBytes, PatchFile, Question, Standing};

use super::{
    FINDINGS, INCOMPLETE, REFUSED, one_output, prepare_reading, say, style_of, table_of, unpacking, write_errand,
};

pub(crate) fn verify(args: &VerifyArgs) -> Result<u8, Error> {
    if let Some(plan) = &args.applied {
        return super::applied::applied(args, plan);
    }
    let Some((evidence, files)) = args.paths.split_last().filter(|(_, files)| !files.is_empty()) else {
        return Err(Error::Refused {
            reason: "verify needs .reg files and evidence, but got only one path".to_owned(),
            advice: "Name the .reg files first, then the evidence; with --applied PLAN name the evidence alone"
                .to_owned(),
        });
    };
    if evidence.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("reg")) {
        return Err(Error::Refused {
            reason: format!("{}: expected the evidence, found a .reg file", evidence.display()),
            advice: "Name the .reg files first, then the evidence".to_owned(),
        });
    }
    let evidence = std::slice::from_ref(evidence);
    let plans: Vec<PathBuf> = match &args.plan {
        Some(plan) => vec![plan.clone()],
        None => files.iter().map(|file| beside(file)).collect(),
    };
    let read_beside = files
        .iter()
        .chain(&plans)
        .chain(&args.reading.password_file)
        .chain(&args.reading.recovery_key_file)
        .cloned()
        .collect();
    let inputs = Inputs { evidence: evidence.to_vec(), files: read_beside };
    let importing = args.importing()?;
    let gate = Gate::new(&one_output(&args.output), &inputs)?;
    let named = args.plan.as_deref().map(PlanFile::open).transpose()?;
    let read = |path: &PathBuf| {
        let bytes = lint::read(path)?;
        let plan = if Patch::is_for_hives(&bytes) { plan_of(path, named.as_ref()) } else { None };
        let (path, bytes) = (path.to_string_lossy().into_owned(), PatchBytes(bytes));
        Ok(PatchFile { path, bytes, importing, plan })
    };
    let patches = files.iter().map(read).collect::<Result<Vec<PatchFile>, Error>>()?;
    check_roots(&args.software_root, &args.system_root)?;
    let mounts = Mounts {
        software_root: args.software_root.trim_end_matches('\\').to_owned(),
        system_root: args.system_root.trim_end_matches('\\').to_owned(),
    };
    let options = Options {
        os: args.os,
        control_set: args.control_set,
        replay: !args.reading.no_replay,
        map: !args.reading.no_mmap,
        unpacking: unpacking(&args.reading)?,
        hash: args.hashing.wanted(),
        ..Options::default()
    };
    let question = Question {
        evidence: evidence.to_vec(),
        files: patches,
        mounts,
        options,
        fail_on: args.fail_on,
        table: table_of(args.format, style_of(gate.output(), args.output.color, false)),
    };
    prepare_reading(&args.reading);
    let Answer { standing, .. } = write_errand(gate, &args.messages, &question, |answer| {
        answer.opened.iter().chain(files).chain(&plans).cloned().collect()
    })?;
    Ok(if args.exit_zero { 0 } else { code(standing) })
}

/// Returns the named plan, or the plan beside a patch. If the plan beside it cannot be read, this is reported and the
/// plan is ignored.
fn plan_of(patch: &Path, named: Option<&PlanFile>) -> Option<PlanFile> {
    if let Some(plan) = named {
        return Some(plan.clone());
    }
    let neighbour = beside(patch);
    neighbour.symlink_metadata().ok()?;
    PlanFile::open(&neighbour).inspect_err(|error| say(&error.to_string())).ok()
}

fn beside(patch: &Path) -> PathBuf {
    patch.with_file_name("plan.json")
}

/// Returns the exit code of a verification.
pub(super) fn code(standing: Standing) -> u8 {
    match standing {
        Standing::Clean => 0,
        Standing::NotClean => FINDINGS,
        Standing::Refused => REFUSED,
        Standing::Incomplete => INCOMPLETE,
    }
}
