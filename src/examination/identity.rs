//! The facts that choose how an installation is judged: its Windows, its control sets, its machine, and whether its
//! setup is in progress.

use serde::Serialize;

use super::integrity::Opened;
use super::odd::SetupMarks;
use super::{Options, Overlays};
use crate::control_set::ControlSets;
use crate::discovery::Installation;
use crate::error::Problem;
use crate::hive::{Hive, Tree};
use crate::machine::{Machine, SameMachine, same_machine};
use crate::os::{Os, Pair, identify};
use crate::registry::{FileTime, Role};

/// The open hives of an installation, and their trees.
pub(super) struct Trees<'o, 'a> {
    opened: &'o [Opened<'a>],
    /// The trees in the order of the hives; `None` for a hive that cannot be read.
    pub(super) trees: Vec<Option<Tree<'o>>>,
}

impl<'o, 'a> Trees<'o, 'a> {
    /// Returns the trees of the hives, or the trees with edits applied.
    pub(super) fn of(opened: &'o [Opened<'a>], overlays: Option<&'o Overlays>) -> Self {
        let tree = |opened: &'o Opened<'a>| {
            let tree = opened.hive.as_ref().ok().map(Hive::tree);
            match overlays.and_then(|overlays| overlays.of(opened.found.role)) {
                Some(overlay) => tree.map(|tree| tree.under(overlay)),
                None => tree,
            }
        };
        Self { opened, trees: opened.iter().map(tree).collect() }
    }

    /// Returns the hive with this role.
    pub(super) fn opened(&self, role: Role) -> Option<&'o Opened<'a>> {
        self.opened.iter().find(|opened| opened.found.role == role)
    }

    /// Returns the tree of the hive with this role.
    pub(super) fn tree(&self, role: Role) -> Option<&Tree<'o>> {
        let found = self.opened.iter().zip(&self.trees).find(|(opened, _)| opened.found.role == role);
        found.and_then(|(_, tree)| tree.as_ref())
    }
}

/// The facts that choose how an installation is judged.
pub(super) struct Identity {
    pub(super) os: Os,
    /// `None` if SYSTEM is missing or `Select` cannot be read.
    pub(super) control_sets: Option<ControlSets>,
    /// The control sets that are judged, or why they cannot be determined.
    pub(super) chosen: Result<Vec<u32>, Problem>,
    pub(super) machine: Machine,
    pub(super) same_machine: Option<SameMachine>,
    /// `None` if SYSTEM is missing.
    pub(super) setup: Option<SetupMarks>,
    pub(super) problems: Vec<Problem>,
}

/// A change that a `.reg` file makes to the identity of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// `windows`, `control-sets`, `system-root` or `setup-phase`.
    pub what: &'static str,
    /// The value in the hives.
    pub before: String,
    /// The value after the edits.
    pub after: String,
}

impl Identity {
    /// Reads the identity from the hives.
    pub(super) fn read(installation: &Installation, trees: &Trees<'_, '_>, options: &Options) -> Self {
        let (software, system) = (trees.tree(Role::Software), trees.tree(Role::System));
        let base_block = trees.opened(Role::System).and_then(|opened| opened.hive.as_ref().ok()).map(Hive::base_block);
        let (mut os, mut problems) =
            identify(Pair { software, system: system.zip(base_block.map(|base_block| base_block.minor)) });
        for problem in &mut problems {
            problem.path.get_or_insert_with(|| installation.evidence.clone());
        }
        if let Some(forced) = options.os {
            os = os.forced(forced);
        }
        let control_sets = system.map(ControlSets::read);
        let chosen = match &control_sets {
            Some(Ok(sets)) => sets.chosen(options.control_set),
            Some(Err(problem)) => Err(problem.clone()),
            None => Ok(Vec::new()),
        };
        let control_sets = control_sets.and_then(Result::ok);
        let any_set = any_set(&chosen, control_sets.as_ref());
        let machine = Machine::read(software, system, any_set);
        let written: Option<FileTime> = base_block.map(|base_block| base_block.last_written);
        let same_machine =
            software.zip(system).map(|(software, system)| same_machine(software, system, &machine, written));
        let setup = system.map(|system| SetupMarks::read(system, &machine, written));
        Self { os, control_sets, chosen, machine, same_machine, setup, problems }
    }

    /// Returns a control set for facts about the machine. Any set will do if the chosen one is unclear.
    pub(super) fn any_set(&self) -> Option<u32> {
        any_set(&self.chosen, self.control_sets.as_ref())
    }

    /// Returns the control set that Windows falls back to, if it is not judged.
    pub(super) fn fallback(&self) -> Option<u32> {
        let sets = self.control_sets.as_ref()?;
        let judged = |set: &u32| self.chosen.as_ref().is_ok_and(|chosen| chosen.contains(set));
        sets.last_known_good.filter(|set| sets.present.contains(set) && !judged(set))
    }

    /// Returns the differences between this identity and `after`.
    pub(super) fn changes(&self, after: &Self) -> Vec<Changed> {
        let rows = self.told().into_iter().zip(after.told());
        let changed = rows.filter(|((_, before), (_, after))| before != after);
        changed.map(|((what, before), (_, after))| Changed { what, before, after }).collect()
    }

    fn told(&self) -> [(&'static str, String); 4] {
        let or_none = |text: Option<&str>| text.unwrap_or("missing").to_owned();
        let windows = [
            Some(self.os.name.to_string()),
            self.os.version.as_ref().map(|version| format!("NT {version}")),
            self.os.build.map(|build| format!("build {build}")),
            self.os.is_uncertain().then(|| "(uncertain)".to_owned()),
        ];
        let sets = match &self.control_sets {
            None => "missing".to_owned(),
            Some(sets) => {
                let number = |set: Option<u32>| set.map_or_else(|| "none".to_owned(), |set| set.to_string());
                format!(
                    "Current {}, Default {}, LastKnownGood {}, there are {}",
                    number(sets.current),
                    number(sets.default),
                    number(sets.last_known_good),
                    sets.present.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                )
            }
        };
        let setup = if self.setup.as_ref().is_some_and(SetupMarks::is_setup_phase) { "yes" } else { "no" };
        [
            ("windows", windows.into_iter().flatten().collect::<Vec<_>>().join(" ")),
            ("control-sets", sets),
            ("system-root", or_none(self.machine.system_root.as_deref())),
            ("setup-phase", setup.to_owned()),
        ]
    }
}

fn any_set(chosen: &Result<Vec<u32>, Problem>, control_sets: Option<&ControlSets>) -> Option<u32> {
    let first = |sets: &[u32]| sets.first().copied();
    chosen.as_deref().ok().and_then(first).or_else(|| first(&control_sets?.present))
}
