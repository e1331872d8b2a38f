//! Transaction logs in another archive than their hive: some tools collect hives and logs separately.
//!
//! Only where a dirty hive has no log beside it, the archives around are asked for logs without a hive: those in the same
//! folder, of the same list, or with the same label. A log belongs to a hive if it lies at the same place in its archive
//! as the hive does in its own, and if only one archive has such logs. Each archive is asked once in a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::found::{FoundFile, FoundTree};
use super::name;
use super::part::{Closed, OpenPart, Part};
use crate::error::{Code, Problem};
use crate::evidence::locator::Name;

/// The most archives around an archive that are asked for its logs.
pub(super) const MOST_AROUND: usize = 64;

/// Where a log is, and whose it is: its folder in the archive, and the [`name::log_key`] of its hive; in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Place {
    folder: String,
    hive: String,
}

/// The logs without a hive in the archives that were asked so far.
#[derive(Default)]
pub(super) struct Lenders(Mutex<HashMap<PathBuf, Arc<BTreeSet<Place>>>>);

impl Lenders {
    /// Returns the part together with the archives that have the logs of its dirty hives; `None` if none has. `logs_of`
    /// returns the logs without a hive in an archive. Several archives with logs of one hive are a problem.
    pub(super) fn with_logs(
        &self,
        part: &Part,
        open: &mut OpenPart,
        logs_of: impl Fn(&Closed) -> BTreeSet<Place>,
    ) -> Option<Part> {
        let wanted = wanted(open);
        if wanted.is_empty() || part.around.is_empty() {
            return None;
        }
        let known: Vec<(&Closed, Arc<BTreeSet<Place>>)> =
            part.around.iter().map(|closed| (closed, self.of(closed, &logs_of))).collect();
        let mut lenders: BTreeMap<&PathBuf, &Closed> = BTreeMap::new();
        for (hive, places) in &wanted {
            let has_one =
                |(_, logs): &&(&Closed, Arc<BTreeSet<Place>>)| places.iter().any(|place| logs.contains(place));
            let with: Vec<&Closed> = known.iter().filter(has_one).map(|(closed, _)| *closed).collect();
            match with.as_slice() {
                [] => {}
                [one] => _ = lenders.insert(&one.path, one),
                several => {
                    let found = several.iter().map(|closed| closed.at.to_string()).collect::<Vec<_>>().join(" and ");
                    let problem = Problem::of(hive, "its transaction logs in one archive", format!("logs in {found}"));
                    let problem = problem.code(Code::HiveDirty).advise("put the right ones beside the hive");
                    open.ledger.refuse_in(None, "log", problem, false);
                }
            }
        }
        let lenders: Vec<Closed> =
            lenders.into_values().map(|closed| Closed { for_logs: true, ..closed.clone() }).collect();
        (!lenders.is_empty()).then(|| {
            let containers = part.containers.iter().cloned().chain(lenders).collect();
            Part { containers, around: Vec::new(), ..part.clone() }
        })
    }

    fn of(&self, closed: &Closed, logs_of: impl Fn(&Closed) -> BTreeSet<Place>) -> Arc<BTreeSet<Place>> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&closed.path) {
            return Arc::clone(known);
        }
        let logs = Arc::new(logs_of(closed));
        Arc::clone(known().entry(closed.path.clone()).or_insert(logs))
    }
}

/// Returns each dirty hive without a log, with the places where its logs would be.
fn wanted(open: &OpenPart) -> Vec<(String, Vec<Place>)> {
    let hives = open.installations.iter().flat_map(|installation| &installation.hives);
    let lacking = hives.filter(|hive| hive.is_dirty && hive.logs.is_empty());
    let places = |locator: &str, name: &str| {
        let folder = folder_of(locator);
        name::log_keys(name).map(|hive| Place { folder: folder.clone(), hive }).collect()
    };
    lacking.map(|hive| (hive.locator.clone(), places(&hive.locator, &hive.name))).collect()
}

/// Returns the folder of a file in the container that it is in, in lower case; nothing for a file of this machine, whose
/// logs are at the root of an archive beside it.
fn folder_of(locator: &str) -> String {
    let Some((_, inside)) = locator.rsplit_once('!') else { return String::new() };
    inside.rsplit_once('/').map(|(folder, _)| folder.to_lowercase()).unwrap_or_default()
}

/// Returns the place of a log.
fn place_of(name: &Name, file: &FoundFile) -> Option<Place> {
    Some(Place { folder: folder_of(&file.locator), hive: name::hive_of(&name.to_string())? })
}

/// Returns the places of the logs in these trees.
pub(super) fn places(trees: &[FoundTree]) -> BTreeSet<Place> {
    let files = trees.iter().flat_map(|tree| tree.folders.values()).flat_map(|folder| &folder.files);
    files.filter_map(|(name, file)| place_of(name, file)).collect()
}

/// Keeps only the logs without a hive.
pub(super) fn only_logs(trees: &mut Vec<FoundTree>) {
    for folder in trees.iter_mut().flat_map(|tree| tree.folders.values_mut()) {
        let is_hive = |file: &FoundFile| file.content == Content::Hive;
        let hives: BTreeSet<String> = folder
            .files
            .iter()
            .filter(|(_, file)| is_hive(file))
            .flat_map(|(name, _)| name::log_keys(&name.to_string()).collect::<Vec<_>>())
            .collect();
        let is_alone = |name: &Name| name::hive_of(&name.to_string()).is_some_and(|hive| !hives.contains(&hive));
        folder.files.retain(|name, file| !is_hive(file) && is_alone(name));
    }
    trees.retain_mut(|tree| {
        tree.folders.retain(|_, folder| !folder.files.is_empty());
        !tree.folders.is_empty()
    });
}

/// Puts logs from other archives beside their hives.
pub(super) fn put_beside<'f>(lent: Vec<FoundTree>, folders: impl Iterator<Item = &'f mut super::found::FoundFolder>) {
    let mut logs: BTreeMap<Place, Vec<(Name, FoundFile)>> = BTreeMap::new();
    for tree in lent {
        let origin = tree.origin;
        for (name, file) in tree.folders.into_values().flat_map(|folder| folder.files) {
            if let Some(place) = place_of(&name, &file) {
                let origin = file.origin.clone().or_else(|| origin.clone());
                logs.entry(place).or_default().push((name, FoundFile { origin, is_lent: true, ..file }));
            }
        }
    }
    for folder in folders {
        let hives = folder.files.iter().filter(|(_, file)| file.content == Content::Hive);
        let has_log: BTreeSet<String> =
            folder.files.keys().filter_map(|name| name::hive_of(&name.to_string())).collect();
        let places: BTreeSet<Place> = hives
            .flat_map(|(name, file)| {
                let of = |hive| Place { folder: folder_of(&file.locator), hive };
                name::log_keys(&name.to_string()).map(of).collect::<Vec<_>>()
            })
            .filter(|place| !has_log.contains(&place.hive))
            .collect();
        for (name, file) in places.iter().filter_map(|place| logs.remove(place)).flatten() {
            folder.files.entry(name).or_insert(file);
        }
    }
}
