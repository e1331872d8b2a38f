//! Where transaction logs lie in archives, and how those of another archive come beside their hive; see
//! [`super::lenders`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::found::{FoundFile, FoundFolder, FoundTree};
use super::name;
use crate::evidence::locator::Name;

/// Where a log is, and whose it is: its folder in the archive, and the [`name::log_key`] of its hive; in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Place {
    folder: String,
    hive: String,
}

impl Place {
    /// Returns the places where the logs of a hive would be.
    pub(super) fn of_hive(locator: &str, name: &str) -> impl Iterator<Item = Self> {
        let folder = folder_of(locator);
        name::log_keys(name).map(move |hive| Self { folder: folder.clone(), hive })
    }
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
pub(super) fn put_beside<'f>(lent: Vec<FoundTree>, folders: impl Iterator<Item = &'f mut FoundFolder>) {
    let mut logs: BTreeMap<Place, Vec<(Name, Box<FoundFile>)>> = BTreeMap::new();
    for tree in lent {
        let origin = tree.origin;
        for (name, mut file) in tree.folders.into_values().flat_map(|folder| folder.files) {
            if let Some(place) = place_of(&name, &file) {
                file.origin = file.origin.or_else(|| origin.clone());
                file.is_lent = true;
                logs.entry(place).or_default().push((name, file));
            }
        }
    }
    for folder in folders {
        let hives = folder.files.iter().filter(|(_, file)| file.content == Content::Hive);
        let has_log: BTreeSet<String> =
            folder.files.keys().filter_map(|name| name::hive_of(&name.to_string())).collect();
        let places: BTreeSet<Place> = hives
            .flat_map(|(name, file)| Place::of_hive(&file.locator, &name.to_string()).collect::<Vec<_>>())
            .filter(|place| !has_log.contains(&place.hive))
            .collect();
        for (name, file) in places.iter().filter_map(|place| logs.remove(place)).flatten() {
            folder.files.entry(name).or_insert(file);
        }
    }
}
