//! Transaction logs in another archive than their hive: some tools collect hives and logs separately.
//!
//! Only where a dirty hive has no log beside it, the archives around are asked for logs without a hive: those in the same
//! folder, or with the same label. A log belongs to a hive if it lies at the same place in its archive
//! as the hive does in its own, and if only one archive has such logs. Each archive is asked once in a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::arguments::name_of;
use super::closed::Closed;
use super::content::{self, Content};
use super::lent::Place;
use super::part::{OpenPart, Part};
use super::reading::Reading;
use crate::error::{Code, Problem};
use crate::evidence::block::FileBlocks;
use crate::evidence::content::head;
use crate::evidence::kind::Kind;
use crate::evidence::locator::Locator;

/// The most files around a part that are asked for its logs.
pub(super) const MOST_AROUND: usize = 64;

/// An archive, and the logs without a hive in it.
type Lender = Arc<(Closed, BTreeSet<Place>)>;

/// The files that were asked so far; `None` for one that is no archive.
#[derive(Default)]
pub(super) struct Lenders(Mutex<BTreeMap<PathBuf, Option<Lender>>>);

impl Lenders {
    /// Returns the part together with the archives that have the logs of its dirty hives; `None` if none has. `logs_of`
    /// returns the logs without a hive in an archive. Several archives with logs of one hive are a problem.
    pub(super) fn with_logs(
        &self,
        part: &Part,
        open: &mut OpenPart,
        reading: Reading<'_>,
        logs_of: impl Fn(&Closed) -> BTreeSet<Place>,
    ) -> Option<Part> {
        let wanted = wanted(open);
        if wanted.is_empty() {
            return None;
        }
        let asked: Vec<Lender> = part.around.iter().filter_map(|path| self.ask(path, reading, &logs_of)).collect();
        let mut lenders: BTreeMap<&PathBuf, &Closed> = BTreeMap::new();
        for (hive, places) in &wanted {
            let has_one = |lender: &&Lender| places.iter().any(|place| lender.1.contains(place));
            let with: Vec<&Closed> = asked.iter().filter(has_one).map(|lender| &lender.0).collect();
            match with.as_slice() {
                [] => {}
                [one] => _ = lenders.insert(&one.path, one),
                several => {
                    let found = several.iter().map(|closed| closed.at.to_string()).collect::<Vec<_>>().join(" and ");
                    let problem = Problem::of(hive, "its transaction logs in one archive", format!("logs in {found}"));
                    let problem = problem.code(Code::HiveDirty).advise("put the right ones beside the hive");
                    open.ledger.refuse_in(None, "log", problem, true);
                }
            }
        }
        (!lenders.is_empty()).then(|| {
            let containers = part.containers.iter().chain(lenders.into_values()).cloned().collect();
            Part { containers, around: Vec::new(), ..part.clone() }
        })
    }

    fn ask(&self, path: &Path, reading: Reading<'_>, logs_of: impl Fn(&Closed) -> BTreeSet<Place>) -> Option<Lender> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(path) {
            return known.clone();
        }
        reading.witness(path);
        let lender = archive(path).map(|closed| {
            let logs = logs_of(&closed);
            Arc::new((closed, logs))
        });
        known().entry(path.to_owned()).or_insert(lender).clone()
    }

    /// Returns the files that were asked.
    pub(super) fn into_asked(self) -> impl Iterator<Item = PathBuf> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).into_keys()
    }
}

/// Returns the archive at this path, if it is one by its beginning: only its logs are wanted.
fn archive(path: &Path) -> Option<Closed> {
    let head = head(&FileBlocks::open(path).ok()?).ok()?;
    match content::of(&head, &name_of(path)) {
        Content::Container(kind @ Kind::Archive(_)) => {
            Some(Closed { for_logs: true, ..Closed::of(path.to_owned(), Locator::of(path), kind) })
        }
        _ => None,
    }
}

/// Returns each dirty hive without a log, with the places where its logs would be.
fn wanted(open: &OpenPart) -> Vec<(String, Vec<Place>)> {
    let hives = open.installations.iter().flat_map(|installation| &installation.hives);
    let lacking = hives.filter(|hive| hive.is_dirty && hive.logs.is_empty());
    lacking.map(|hive| (hive.locator.clone(), Place::of_hive(&hive.locator, &hive.name).collect())).collect()
}
