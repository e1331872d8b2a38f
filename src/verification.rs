//! Verification: the operations of `.reg` files laid over the hives in memory, and the result audited. Nothing is
//! written. It serves for patches from anywhere; `audit --patch` proves its own by it before it writes them.
//!
//! The way: [`Patch`] is a file, read as its importer reads it; `place` finds the hive that an operation is about; `carry`
//! carries them out one after the other as regedit does, and `merging` a whole file as hivexregedit does, and keeps what
//! each met and left; then the installation is audited as it is and
//! as it would be, and `compare` says what is mended, what is left, and what nobody asked for.

use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use crate::discovery::{Discovery, Installation, discover_in};
use crate::error::{Error, Problem};
use crate::examination::{Changed, Judged, OpenInstallation, Options, Overlays};
use crate::finding::{ObservedDatum, Severity, Verdict};
use crate::os::OsId;
use crate::reg_file::Importer;
use crate::registry::Role;
use crate::report::{SchemaVersion, Tool};

pub mod applied;
mod carry;
mod compare;
mod difference;
mod edit_state;
mod merging;
mod patch;
mod place;
mod precondition;
mod proof;
mod proven;
mod table;

pub use difference::{Content, Difference, Kind, MOST_DIFFERENCES, MOST_SHOWN, Retimed};
pub use edit_state::{Asked, EditState};
pub use patch::{Importing, Patch, PatchSummary};
pub use precondition::{DifferingValue, Precondition, PreconditionState};
pub use proof::{Unproven, prove};
pub use proven::write_and_prove;
pub use table::render;

/// Where the hives are when the files are imported.
#[derive(Clone, Debug)]
pub struct Mounts {
    /// The key that the SOFTWARE hive is loaded under.
    pub software_root: String,
    /// The key that the SYSTEM hive is loaded under.
    pub system_root: String,
}

/// What one operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It changes what a finding is about.
    AskedFor,
    /// It changes something that no finding asked for.
    Unasked,
    /// Everything is so already.
    NoEffect,
    /// It is about a part of the registry that this evidence does not hold.
    Elsewhere,
    /// What it would change cannot be read.
    Unreadable,
}

/// One operation, carried out.
#[derive(Clone, Debug, Serialize)]
pub struct Carried {
    /// The file it stands in, as it was named.
    pub patch: String,
    /// Its line there, from 1.
    pub line: usize,
    /// `create-key`, `delete-key`, `set` or `delete-value`.
    pub op: &'static str,
    /// The hive that it is about.
    pub hive: Option<Role>,
    /// The key, from the hive's root; from the registry's where no hive of the evidence holds it.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: Option<String>,
    /// What was there.
    pub before: Option<ObservedDatum>,
    /// What is there then.
    pub after: Option<ObservedDatum>,
    /// What it came to.
    pub outcome: Outcome,
    /// The findings that it is about, by id.
    pub findings: Vec<String>,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// What the expectation came to.
    pub verdict: Verdict,
    /// What is there.
    pub observed: Option<ObservedDatum>,
}

/// Where an importer stops. Then nothing of the file is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoppedAt {
    /// The file, as it was named.
    pub patch: String,
    /// The line.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// What an importer does to a value or a key that the file does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Harmed {
    /// The file, as it was named.
    pub patch: String,
    /// The line of the key.
    pub line: usize,
    /// The hive.
    pub hive: Role,
    /// The key, from the hive's root.
    pub key: String,
    /// What becomes of it.
    pub what: String,
}

/// A finding before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The finding's id.
    pub finding: String,
    /// The control set, in SYSTEM.
    pub control_set: Option<u32>,
    /// How much it matters.
    pub severity: Severity,
    /// As it is; `null` where there is no such finding.
    pub before: Option<State>,
    /// As it would be; `null` where there is none any more.
    pub after: Option<State>,
}

/// What verification of one installation came to.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// The installation's id.
    pub id: String,
    /// Where its hives are.
    pub evidence: String,
    /// Which Windows it is.
    pub os: OsId,
    /// Why the patches are not for it; then nothing was carried out.
    pub refused: Option<String>,
    /// What they would change of that by which the installation is judged; judged is all the same as it is now.
    pub identity_changes: Vec<Changed>,
    /// Whether the patches were made for these very hives, as far as they say so.
    pub preconditions: Vec<Precondition>,
    /// What is wrong now and would not be.
    pub mended: Vec<Change>,
    /// What is wrong now and would be.
    pub left: Vec<Change>,
    /// What is right now and would not be.
    pub broken: Vec<Change>,
    /// What cannot be told.
    pub unknown: Vec<Change>,
    /// Each operation, in order; none of a file at which its importer stops.
    pub operations: Vec<Carried>,
    /// The files at which their importer stops, and where.
    pub stopped: Vec<StoppedAt>,
    /// What the importers do beside what the files say.
    pub harm: Vec<Harmed>,
    /// Whether everything that should have been read was.
    pub complete: bool,
}

/// What verification came to.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// Version of this form.
    pub schema_version: SchemaVersion,
    /// Who made it.
    pub tool: Tool,
    /// The files, in the order in which they are imported.
    pub patches: Vec<PatchSummary>,
    /// What could not be opened.
    pub problems: Vec<Problem>,
    /// What they make of each installation.
    pub installations: Vec<Verified>,
    /// Every file of the evidence that was opened.
    #[serde(skip)]
    pub opened: Vec<PathBuf>,
}

/// How a verification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing is left, and each operation was asked for by a finding or changes nothing.
    Clean,
    /// Findings are left, or the patch does what nobody asked for, or meets another state than the one that it was made
    /// for, or its importer does not do what it says.
    NotClean,
    /// The patch is for another Windows.
    Refused,
    /// Something could not be told.
    Incomplete,
}

impl Verification {
    /// Returns how it stands; the worst of the installations. `fail_on` is the least severity of a finding that counts.
    pub fn outcome(&self, fail_on: Severity) -> Standing {
        let dropped = self.patches.iter().any(|patch| patch.dropped > 0);
        let all = self.installations.iter().map(|verified| {
            if verified.refused.is_some() {
                Standing::Refused
            } else if verified.is_incomplete() {
                Standing::Incomplete
            } else if verified.fails(fail_on) || verified.exceeds() || verified.meets_another_state() || dropped {
                Standing::NotClean
            } else {
                Standing::Clean
            }
        });
        let missing = if self.problems.is_empty() { Standing::Clean } else { Standing::Incomplete };
        all.chain([missing]).max().unwrap_or(Standing::Clean)
    }
}

/// Verifies patches against every installation of the evidence that an audit counts.
///
/// # Errors
/// Returns an error if there is nothing to verify against: no evidence can be read, no SOFTWARE or SYSTEM hive is in
/// it.
pub fn run(evidence: &[PathBuf], patches: &[Patch], mounts: &Mounts, options: &Options) -> Result<Verification, Error> {
    let discovery = discover_in(evidence, options.map, &options.unpacking)?;
    if let Some(nothing) = discovery.nothing(evidence) {
        return Err(nothing);
    }
    let opened = discovery.opened();
    let mut problems = discovery.ledger.problems();
    let Discovery { installations, .. } = discovery;
    let counted = |installation: &&Installation| installation.is_auditable() && installation.generation.is_current();
    let counted: Vec<&Installation> = installations.iter().filter(counted).collect();
    if counted.is_empty() {
        return Err(Error::NoHive {
            evidence: evidence.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
            looked_at: "no live installation, and no copied hives".to_owned(),
        });
    }
    problems.extend(counted.iter().flat_map(|installation| installation.problems.iter().cloned()));
    let verify = |installation: &&Installation| verify(installation, patches, mounts, options);
    let verified = counted.par_iter().map(verify).collect::<Result<Vec<_>, _>>()?;
    Ok(Verification {
        schema_version: SchemaVersion,
        tool: Tool::default(),
        patches: patches.iter().map(Patch::summary).collect(),
        problems,
        installations: verified,
        opened,
    })
}

/// Lays the patches over an installation, in order, and compares the audit before with that after.
///
/// # Errors
/// Returns an error if a built-in baseline cannot be read.
pub fn verify(
    installation: &Installation,
    patches: &[Patch],
    mounts: &Mounts,
    options: &Options,
) -> Result<Verified, Error> {
    let open = OpenInstallation::open(installation, options);
    let before = open.judge(None)?;
    let mut verified = Verified::of(installation, &before);
    verified.refused = patches.iter().find_map(|patch| patch.refuses(verified.os));
    if verified.refused.is_some() {
        return Ok(verified);
    }
    let mut overlays = Overlays::default();
    for patch in patches {
        let mut preconditions = precondition::preconditions(&open, patch, &overlays, options);
        let out = patch.carry_out(&open, mounts, &mut overlays);
        for precondition in &mut preconditions {
            precondition.hold_against(patch, &out.operations);
        }
        verified.preconditions.extend(preconditions);
        verified.operations.extend(out.operations);
        verified.stopped.extend(out.stopped);
        verified.harm.extend(out.harm);
    }
    verified.identity_changes = open.identity_changes(&overlays);
    let after = open.judge(Some(&overlays))?;
    verified.complete &= after.gaps.is_empty();
    compare::compare(&mut verified, before.findings(), after.findings());
    Ok(verified)
}

impl Patch {
    /// Carries the file out as its importer does.
    fn carry_out(&self, open: &OpenInstallation<'_>, mounts: &Mounts, overlays: &mut Overlays) -> carry::CarriedOut {
        match self.reading.importer {
            Importer::Hivexregedit => merging::carry_out(open, self, mounts, overlays),
            Importer::Regedit => carry::carry_out(open, self, mounts, overlays),
        }
    }
}

impl Verified {
    /// Returns an installation as it was judged, with nothing carried out.
    fn of(installation: &Installation, judged: &Judged) -> Self {
        Self {
            id: installation.id.clone(),
            evidence: installation.evidence.clone(),
            os: judged.report.os.id,
            refused: None,
            identity_changes: Vec::new(),
            preconditions: Vec::new(),
            mended: Vec::new(),
            left: Vec::new(),
            broken: Vec::new(),
            unknown: Vec::new(),
            operations: Vec::new(),
            stopped: Vec::new(),
            harm: Vec::new(),
            complete: judged.gaps.is_empty(),
        }
    }

    /// Returns whether a finding at or above `severity` would be left.
    pub fn fails(&self, severity: Severity) -> bool {
        self.left.iter().chain(&self.broken).any(|change| change.severity >= severity)
    }

    /// Returns whether an importer stops, or does what no finding asked for, or changes what this evidence does not
    /// hold.
    pub fn exceeds(&self) -> bool {
        let otherwise = !self.stopped.is_empty() || !self.harm.is_empty();
        otherwise
            || !self.identity_changes.is_empty()
            || self.operations.iter().any(|carried| matches!(carried.outcome, Outcome::Unasked | Outcome::Elsewhere))
    }

    /// Returns whether a patch meets another state than the one that it was made for.
    pub fn meets_another_state(&self) -> bool {
        self.preconditions.iter().any(|precondition| precondition.holds == Some(false))
    }

    /// Returns whether something could not be told.
    pub fn is_incomplete(&self) -> bool {
        let unreadable = |carried: &Carried| carried.outcome == Outcome::Unreadable;
        !self.complete
            || !self.unknown.is_empty()
            || self.operations.iter().any(unreadable)
            || self.preconditions.iter().any(Precondition::is_unreadable)
    }
}
