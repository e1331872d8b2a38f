//! Verification: applies the operations of `.reg` files to the hives in memory, and audits the result. Writes nothing.
//! It verifies patches from any source; `audit --patch` proves its own patches with it before writing them.
//!
//! The steps: [`Patch`] is a file as its importer reads it. `place` finds the hive of an operation. `carry` applies the
//! operations one by one as regedit does, and `merging` applies a whole file as hivexregedit does. Both record the
//! state before and after. Then the installation is audited before and after the patches. `compare` reports what is
//! corrected, what is left, and what no finding asked for.

use std::path::PathBuf;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::discovery::{Discovery, Installation, discover_in};
use crate::error::{Error, Problem};
use crate::examination::{Changed, Judged, OpenInstallation, Options, Overlays};
use crate::finding::{ObservedDatum, Severity, VerdictKind};
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
mod question;
mod table;

pub use difference::{Content, Difference, Kind, MOST_DIFFERENCES, MOST_SHOWN, Retimed};
pub use edit_state::{Asked, EditState};
pub use patch::{Importing, Patch, PatchSummary};
pub use precondition::{DifferingValue, Precondition, PreconditionState};
pub use proof::{Unproven, prove};
pub use proven::write_and_prove;
pub use question::{Answer, PatchBytes, PatchFile, Question};
pub use table::render;

/// The places of the hives at the time of the import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mounts {
    /// The key where the SOFTWARE hive is loaded.
    pub software_root: String,
    /// The key where the SYSTEM hive is loaded.
    pub system_root: String,
}

/// The result of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Changes the subject of a finding.
    AskedFor,
    /// Changes something that no finding asked for.
    Unasked,
    /// Changes nothing, because the state already exists.
    NoEffect,
    /// Concerns a part of the registry that is not in this evidence.
    Elsewhere,
    /// The data that it would change cannot be read.
    Unreadable,
}

/// One operation that was applied.
#[derive(Clone, Debug, Serialize)]
pub struct Carried {
    /// The path of its file, as the user named it.
    pub patch: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// `create-key`, `delete-key`, `set` or `delete-value`.
    pub op: &'static str,
    /// The hive of the key.
    pub hive: Option<Role>,
    /// The path of the key from the hive's root, or from the root key if the evidence does not contain its hive.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: Option<String>,
    /// The data before.
    pub before: Option<ObservedDatum>,
    /// The data after.
    pub after: Option<ObservedDatum>,
    /// The result.
    pub outcome: Outcome,
    /// The ids of the findings that it concerns.
    pub findings: Vec<String>,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// The verdict on the expectation.
    pub verdict: VerdictKind,
    /// The observed data.
    pub observed: Option<ObservedDatum>,
}

/// The place where an importer stops. Then nothing of the file is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoppedAt {
    /// The path of the file, as the user named it.
    pub patch: String,
    /// The line.
    pub line: usize,
    /// The reason.
    pub reason: String,
}

/// A change that an importer makes to a value or key that the file does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Harmed {
    /// The path of the file, as the user named it.
    pub patch: String,
    /// The line of the key.
    pub line: usize,
    /// The hive.
    pub hive: Role,
    /// The path of the key from the hive's root.
    pub key: String,
    /// The change.
    pub what: String,
}

/// A finding before and after the patches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The finding's id.
    pub finding: String,
    /// The control set, for a key of SYSTEM.
    pub control_set: Option<u32>,
    /// How much it matters.
    pub severity: Severity,
    /// The state before; `null` if there is no such finding.
    pub before: Option<State>,
    /// The state after; `null` if the finding no longer exists.
    pub after: Option<State>,
}

/// The result for one installation.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// The installation's id.
    pub id: String,
    /// The path of its hives.
    pub evidence: String,
    /// The detected Windows.
    pub os: OsId,
    /// Why the patches are not for this installation. Then nothing was applied.
    pub refused: Option<String>,
    /// The changes to the identity of the installation. It is judged by its current identity anyway.
    pub identity_changes: Vec<Changed>,
    /// Whether the patches were made for exactly these hives, as far as they state it.
    pub preconditions: Vec<Precondition>,
    /// Deviations that the patches correct.
    pub mended: Vec<Change>,
    /// Deviations that the patches leave.
    pub left: Vec<Change>,
    /// Deviations that the patches cause.
    pub broken: Vec<Change>,
    /// Findings whose result is unknown.
    pub unknown: Vec<Change>,
    /// Each operation, in order. None for a file at which its importer stops.
    pub operations: Vec<Carried>,
    /// The files at which their importer stops, and the places.
    pub stopped: Vec<StoppedAt>,
    /// Changes that the importers make beyond the contents of the files.
    pub harm: Vec<Harmed>,
    /// Whether everything that should have been read was read.
    pub complete: bool,
}

/// The result of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The version of this format.
    pub schema_version: SchemaVersion,
    /// The program that wrote it.
    pub tool: Tool,
    /// The files, in the order of import.
    pub patches: Vec<PatchSummary>,
    /// Files that could not be opened.
    pub problems: Vec<Problem>,
    /// The results for each installation.
    pub installations: Vec<Verified>,
    /// Every file of the evidence that was opened.
    #[serde(skip)]
    pub opened: Vec<PathBuf>,
}

/// The overall result of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Standing {
    /// No finding is left, and every operation was asked for by a finding or changes nothing.
    Clean,
    /// Findings are left, a patch changes something that no finding asked for, a patch meets another state than the one
    /// that it was made for, or its importer does not do what the file states.
    NotClean,
    /// The patch is for another Windows.
    Refused,
    /// A result is unknown.
    Incomplete,
}

impl Verification {
    /// Returns the overall result, the worst of the installations. `fail_on` is the lowest severity that counts.
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

/// Verifies patches against every installation in the evidence that counts for an audit.
///
/// # Errors
/// Returns an error if there is nothing to verify against: the evidence cannot be read, or contains no SOFTWARE or
/// SYSTEM hive.
pub fn run(evidence: &[PathBuf], patches: &[Patch], mounts: &Mounts, options: &Options) -> Result<Verification, Error> {
    let discovery = discover_in(evidence, options.map, &options.unpacking)?;
    if let Some(nothing) = discovery.overview.nothing(evidence) {
        return Err(nothing);
    }
    let opened = discovery.overview.opened;
    let mut problems = discovery.overview.ledger.problems();
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

/// Applies the patches to an installation in memory, in order, and compares the audits before and after.
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
    /// Applies the file as its importer does.
    fn carry_out(&self, open: &OpenInstallation<'_>, mounts: &Mounts, overlays: &mut Overlays) -> carry::CarriedOut {
        match self.reading.importer {
            Importer::Hivexregedit => merging::carry_out(open, self, mounts, overlays),
            Importer::Regedit => carry::carry_out(open, self, mounts, overlays),
        }
    }
}

impl Verified {
    /// Returns the result for an installation before any operation.
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

    /// Returns whether an importer stops, changes something that no finding asked for, or changes a part of the
    /// registry that is not in this evidence.
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

    /// Returns whether a result is unknown.
    pub fn is_incomplete(&self) -> bool {
        let unreadable = |carried: &Carried| carried.outcome == Outcome::Unreadable;
        !self.complete
            || !self.unknown.is_empty()
            || self.operations.iter().any(unreadable)
            || self.preconditions.iter().any(Precondition::is_unreadable)
    }
}
