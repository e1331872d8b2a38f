//! `audit`: examines, plans, proves, and reports.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use hivemend::baseline::{Baseline, Chosen, read_own};
use hivemend::case::{Audit, PatchWanted, Patched, Planned};
use hivemend::cli::{AuditArgs, Generations, ScriptArg, TargetArg};
use hivemend::error::Error;
use hivemend::evidence::archive::Unpacking;
use hivemend::evidence::hash::Hashes;
use hivemend::examination::Options;
use hivemend::explain::{Known, known, not_found};
use hivemend::html::PatchFolder;
use hivemend::reg_file::Dialect;
use hivemend::remediation::{PatchOptions, Selection, check_roots, is_named};
use hivemend::report::InstallationReport;
use hivemend::shelf::{self, Shelf};

use super::examined::{Wanted, run};
use super::form::Form;
use super::situation::{outlook, patching, situation};
use super::{FINDINGS, INCOMPLETE, REFUSED, list, note, prepare, say, stated_facts, unpacking};

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
    let evidence = list::evidence(&common.evidence, &common.list)?;
    let gate = prepare(common, &evidence, patching.patch.as_deref())?;
    let wanted = Wanted {
        common,
        evidence: &evidence,
        format: args.format,
        all: args.all,
        // An id that no finding has, or a folder that cannot take the patches, refuses the whole run.
        hold: !if_found.is_empty() || patching.patch.is_some(),
        stated: &stated,
        situation: situation(args),
    };
    let options = options(args, baselines)?;
    let patch = patching.patch.as_ref().map(|_| patch_wanted(args, dialect));
    let audit = Audit { options, patch, outlook: Some(outlook(args)) };
    let mut patches = Patches::default();
    let ids = RefCell::new(Ids::new(&if_found));
    let take = |report: &InstallationReport, patched: Patched, form: &mut Form<'_>| {
        ids.borrow_mut().see(report);
        if let Some(patching) = self::patching(args, report, &patched) {
            form.patching(&report.id, patching);
        }
        if let Some(Ok(planned)) = &patched.planned {
            form.attach(|| attached(args, planned))?;
        }
        patches.take(report, patched)
    };
    let run = run(gate, wanted, &audit, take, || ids.borrow().check())?;
    let refused = if patching.patch.is_some() { patches.refused() } else { 0 };
    let Patches { mut plans, planned, .. } = patches;
    run.sealed.admit_patches(planned.iter().map(String::as_str))?;
    let code = if refused > 0 && planned.is_empty() {
        REFUSED
    } else if !run.closing.summary.complete || !run.kept() || refused > 0 {
        INCOMPLETE
    } else {
        u8::from(run.closing.failed) * FINDINGS
    };
    run.end(|outputs| {
        for number in 0..planned.len() {
            let Some((plan, files)) = plans.get(number).map_err(shelf::failed)? else { break };
            for warning in &plan.warnings {
                note(common, &format!("{}: {warning}", plan.evidence));
            }
            let written = outputs.write_patch(&plan.installation, &files)?;
            note(
                common,
                &format!("{}: edits: {}, findings left: {}", written.display(), plan.edits.len(), plan.left.len()),
            );
        }
        Ok(())
    })?;
    Ok(if common.exit_zero { 0 } else { code })
}

/// Returns how each installation is examined.
fn options(args: &AuditArgs, baselines: Chosen) -> Result<Options, Error> {
    let mut profiles = args.profile.clone();
    profiles.sort_unstable();
    profiles.dedup();
    Ok(Options {
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
        replay: !args.common.reading.no_replay,
        map: !args.common.reading.no_mmap,
        unpacking: Unpacking { live_only: args.generations != Generations::All, ..unpacking(&args.common.reading)? },
        // A patch is tied to the hive that it was made from, so it needs the hash.
        hash: args.common.custody.hashing.wanted().or(args.patching.patch.as_ref().map(|_| Hashes::default())),
    })
}

/// Returns the patch that the user wants.
fn patch_wanted(args: &AuditArgs, dialect: Dialect) -> PatchWanted {
    let patching = &args.patching;
    let target = patching.target.into();
    PatchWanted {
        selection: Selection {
            min_grade: patching.min_grade,
            only: patching.only.clone(),
            skip: patching.skip.clone(),
            force: patching.force,
            accept_dirty: patching.accept_dirty,
            dialect,
            target,
            control_set: args.control_set,
        },
        options: PatchOptions {
            dialect,
            target,
            software_root: patching.software_root.clone(),
            system_root: patching.system_root.clone(),
        },
        script: patching.script == Some(ScriptArg::Winre),
    }
}

/// The plans so far.
#[derive(Default)]
struct Patches {
    plans: Shelf<Planned>,
    /// The installations of the plans.
    planned: Vec<String>,
    /// Reason and advice of each refused patch.
    refused: Vec<(String, String)>,
    any_counts: bool,
    /// The older generations, as long as there is nothing else.
    older: Vec<(String, String)>,
}

impl Patches {
    fn take(&mut self, installation: &InstallationReport, patched: Patched) -> io::Result<()> {
        match patched.planned {
            Some(Ok(planned)) => {
                self.plans.put(&planned)?;
                self.planned.push(planned.0.installation);
            }
            Some(Err(refused)) => self.refused.push(refused),
            None => {}
        }
        self.any_counts |= patched.counts;
        if !self.any_counts && patched.auditable {
            let InstallationReport { evidence, generation, .. } = installation;
            let advice =
                "Patches are for live installations and copies. To patch this hive offline, name the hive itself";
            self.older
                .push((format!("{evidence}: its hives are an older generation ({generation})"), advice.to_owned()));
        }
        Ok(())
    }

    /// Returns the number of refused patches. Reports each refusal. Beside a live Windows, older generations are not
    /// patched. Without one, the user meant the older generation.
    fn refused(&mut self) -> usize {
        if !self.any_counts {
            self.refused.append(&mut self.older);
        }
        for (reason, advice) in &self.refused {
            say(&format!("no patch: {reason}. {advice}"));
        }
        self.refused.len()
    }
}

/// Returns a plan as a page shows it.
fn attached(args: &AuditArgs, (plan, files): &Planned) -> PatchFolder {
    let path = args.patching.patch.as_ref().map(|folder| folder.join(&plan.installation).join("plan.json"));
    PatchFolder::of(path.unwrap_or_default().display().to_string(), plan.clone(), files)
}

/// Ids that only the evidence can have, each with its option.
struct Ids<'i> {
    missing: Vec<(&'static str, &'i str)>,
    /// The ids of all findings, as long as one is missing.
    seen: BTreeSet<String>,
}

impl<'i> Ids<'i> {
    fn new(if_found: &[(&'static str, &'i str)]) -> Self {
        Self { missing: if_found.to_vec(), seen: BTreeSet::new() }
    }

    fn see(&mut self, installation: &InstallationReport) {
        if self.missing.is_empty() {
            return;
        }
        let findings = || installation.judgement.iter().flat_map(|judgement| &judgement.findings);
        self.missing.retain(|(_, id)| !findings().any(|finding| is_named(finding, id)));
        self.seen.extend(findings().map(|finding| finding.id.clone()));
    }

    /// Refuses an id that no finding has. A mistyped id would include an edit that the user meant to leave out.
    fn check(&self) -> Result<(), Error> {
        let Some((option, id)) = self.missing.first() else { return Ok(()) };
        Err(not_found(option, id, &self.seen.iter().map(String::as_str).collect::<Vec<_>>()))
    }
}

/// Returns the baselines that `--baseline` and `--extend` name.
fn chosen(args: &AuditArgs) -> Result<Chosen, Error> {
    let read = |files: &[PathBuf]| {
        files.iter().map(|file| Ok(read_own(file)?.baseline)).collect::<Result<Vec<Baseline>, Error>>()
    };
    Chosen::new(read(&args.baseline)?, read(&args.extend)?)
}
