//! `audit`: examines, plans, proves, and reports.

use std::path::PathBuf;

use hivemend::access::read_access;
use hivemend::baseline::{Baseline, Chosen, read_own};
use hivemend::case_facts::CaseFacts;
use hivemend::cli::{AuditArgs, Format, Generations, ScriptArg, TargetArg};
use hivemend::custody::Examined;
use hivemend::discovery::Installation;
use hivemend::error::Error;
use hivemend::evidence::archive::Unpacking;
use hivemend::examination::{Examination, Options, examine};
use hivemend::explain::{Known, known, not_found};
use hivemend::finding::Finding;
use hivemend::handover::import_text;
use hivemend::html::{Attachments, PatchFolder};
use hivemend::reg_file::Dialect;
use hivemend::remediation::{PatchOptions, Selection, check_roots, is_named, remedy};
use hivemend::report::InstallationReport;
use hivemend::verification::write_and_prove;

use super::script::script;
use super::situation::{Planned, situation};
use super::{
    FINDINGS, INCOMPLETE, REFUSED, case_facts, note, prepare, say, seal, stated_facts, unpacking, with_custody,
    write_recorded, write_report,
};

pub(crate) fn audit(args: &AuditArgs) -> Result<u8, Error> {
    let (common, patching) = (&args.common, &args.patching);
    if patching.patch.is_some() && args.os.is_some() && !patching.force {
        return Err(Error::Refused {
            reason: "--patch with --os: the Windows was given with --os, not detected".to_owned(),
            advice: "Add --force if you are sure of the Windows".to_owned(),
        });
    }
    if patching.script.is_some() && patching.target == TargetArg::Live {
        return Err(Error::Refused {
            reason: "--script with --target live: the script is for an offline Windows".to_owned(),
            advice: "Leave out one of the two".to_owned(),
        });
    }
    let dialect = patching.dialect()?;
    check_roots(&patching.software_root, &patching.system_root)?;
    let baselines = chosen(args)?;
    let mut if_found = Vec::new();
    for (option, ids) in [("--only", &patching.only), ("--skip", &patching.skip)] {
        for id in ids {
            if known(option, id, baselines.own())? == Known::IfFound {
                if_found.push((option, id.as_str()));
            }
        }
    }
    let stated = stated_facts(&common.custody.case)?;
    let gate = prepare(common, patching.patch.as_deref())?;
    let mut profiles = args.profile.clone();
    profiles.sort_unstable();
    profiles.dedup();
    let options = Options {
        profiles,
        judge: true,
        check: false,
        os: args.os,
        baselines,
        control_set: args.control_set,
        all_generations: args.generations == Generations::All,
        all_findings: args.all,
        locations: args.locations,
        fail_on: args.fail_on,
        replay: !common.reading.no_replay,
        map: !common.reading.no_mmap,
        unpacking: Unpacking { live_only: args.generations != Generations::All, ..unpacking(&common.reading)? },
        // A patch is tied to the hive that it was made from, so it needs the hash.
        hash: !common.custody.no_hash || patching.patch.is_some(),
    };
    let (mut examination, record) = with_custody(common, &options.unpacking, || examine(&common.evidence, &options))?;
    refuse_unknown(&examination, &if_found)?;
    let (plans, refused) =
        if patching.patch.is_some() { plans(&examination, args, dialect, &options) } else { <_>::default() };
    let outputs = seal(gate, &examination)?;
    outputs.admit_patches(plans.iter().map(|(plan, _)| plan.installation.as_str()))?;
    let kept = record.as_ref().is_none_or(Examined::unchanged);
    let nothing = examination.nothing.take();
    let case = case_facts(&stated, &examination.report);
    write_recorded(&outputs, record, case, || {
        // An empty table says less than the error. Programs get the ledger.
        if nothing.is_none() || args.format != Format::Table {
            let situation = situation(args, &examination, &plans);
            let attachments = attachments(args, &plans, &stated);
            write_report(
                outputs.output(),
                common,
                args.format,
                &examination.report,
                args.all,
                situation,
                &attachments,
            )?;
        }
        if let Some(nothing) = nothing {
            return Err(nothing);
        }
        for (plan, files) in &plans {
            for warning in &plan.warnings {
                note(common, &format!("{}: {warning}", plan.evidence));
            }
            let written = outputs.write_patch(&plan.installation, files)?;
            note(
                common,
                &format!("{}: edits: {}, findings left: {}", written.display(), plan.edits.len(), plan.left.len()),
            );
        }
        Ok(())
    })?;
    let code = if refused > 0 && plans.is_empty() {
        REFUSED
    } else if !examination.report.summary.complete || !kept || refused > 0 {
        INCOMPLETE
    } else {
        u8::from(examination.failed) * FINDINGS
    };
    Ok(if common.exit_zero { 0 } else { code })
}

/// Returns what a page contains beside the report: the patches of this run, and the facts of the case.
fn attachments(args: &AuditArgs, plans: &[Planned], stated: &CaseFacts) -> Attachments {
    let folder = |(plan, files): &Planned| {
        let path = args.patching.patch.as_ref().map(|folder| folder.join(&plan.installation).join("plan.json"));
        PatchFolder::of(path.unwrap_or_default().display().to_string(), plan.clone(), files)
    };
    Attachments { plans: plans.iter().map(folder).collect(), case: stated.clone(), ..Attachments::default() }
}

/// Returns the baselines that `--baseline` and `--extend` name.
fn chosen(args: &AuditArgs) -> Result<Chosen, Error> {
    let read = |files: &[PathBuf]| {
        files.iter().map(|file| Ok(read_own(file)?.baseline)).collect::<Result<Vec<Baseline>, Error>>()
    };
    Chosen::new(read(&args.baseline)?, read(&args.extend)?)
}

/// Refuses ids of findings that the evidence could have and does not have. A mistyped id would let an edit through that
/// the user wanted to exclude.
fn refuse_unknown(examination: &Examination, if_found: &[(&'static str, &str)]) -> Result<(), Error> {
    let judgements = examination.report.installations.iter().filter_map(|installation| installation.judgement.as_ref());
    let findings: Vec<&Finding> = judgements.flat_map(|judgement| &judgement.findings).collect();
    match if_found.iter().find(|(_, id)| !findings.iter().any(|finding| is_named(finding, id))) {
        None => Ok(()),
        Some((option, id)) => {
            let ids: Vec<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
            Err(not_found(option, id, &ids))
        }
    }
}

/// Returns the plans of all installations that are patched, and the number of refused patches. Reports each refusal.
fn plans(examination: &Examination, args: &AuditArgs, dialect: Dialect, options: &Options) -> (Vec<Planned>, usize) {
    let mut plans = Vec::new();
    let mut refused = 0_usize;
    let mut refuse = |reason: &str, advice: &str| {
        refused = refused.saturating_add(1);
        say(&format!("no patch: {reason}. {advice}"));
    };
    let all = || examination.report.installations.iter().zip(&examination.installations);
    for (installation, found) in all().filter(|(installation, _)| examination.counts(installation)) {
        match plan(installation, found, args, dialect, options) {
            Ok(planned) => plans.push(planned),
            Err((reason, advice)) => refuse(&reason, &advice),
        }
    }
    if all().any(|(installation, _)| examination.counts(installation)) {
        return (plans, refused);
    }
    // Beside a live Windows, older generations are not patched. Without one, the user meant the older generation.
    for (installation, _) in all().filter(|(_, found)| found.is_auditable()) {
        let reason =
            format!("{}: its hives are an older generation ({})", installation.evidence, installation.generation);
        refuse(
            &reason,
            "Patches are for live installations and copies. To patch this hive offline, name the hive itself",
        );
    }
    (plans, refused)
}

/// Returns the plan of one installation and the bytes of its files, or why no plan is possible.
fn plan(
    installation: &InstallationReport,
    found: &Installation,
    args: &AuditArgs,
    dialect: Dialect,
    examined: &Options,
) -> Result<Planned, (String, String)> {
    let patching = &args.patching;
    let selection = Selection {
        min_grade: patching.min_grade,
        only: patching.only.clone(),
        skip: patching.skip.clone(),
        force: patching.force,
        accept_dirty: patching.accept_dirty,
        dialect,
        target: patching.target.into(),
        control_set: args.control_set,
    };
    let options = PatchOptions {
        dialect,
        target: patching.target.into(),
        software_root: patching.software_root.clone(),
        system_root: patching.system_root.clone(),
    };
    let mut plan = remedy(installation, &selection)?;
    read_access(&mut plan, found, examined, &options);
    let (mut plan, files) = write_and_prove(found, examined, plan, &options)?;
    let script = match patching.script {
        Some(ScriptArg::Winre) => script(&mut plan, installation, found, examined),
        None => Vec::new(),
    };
    let import = import_text(&plan, installation, &options, &files, !script.is_empty());
    let import = import.map(|bytes| ("IMPORT.txt".to_owned(), bytes));
    let mut files: Vec<(String, Vec<u8>)> =
        files.into_iter().map(|file| (file.name, file.bytes)).chain(script).chain(import).collect();
    let mut text = serde_json::to_vec_pretty(&plan)
        .map_err(|error| (format!("{}: plan.json: {error}", plan.evidence), "Please report it".to_owned()))?;
    text.push(b'\n');
    files.push(("plan.json".to_owned(), text));
    Ok((plan, files))
}
