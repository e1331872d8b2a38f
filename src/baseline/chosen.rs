//! Which baselines judge: the built-in ones, a user's instead of them, or a user's beside them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::own::Own;
use super::{BUILT_IN, Baseline, BuiltIn, ExpectedKey, Presence, Rule};
use crate::error::Error;
use crate::os::OsId;
use crate::registry::{Name, Role};

/// What the user chose. By default the built-in baselines judge.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    instead: Option<Arc<Baseline>>,
    /// The baselines that judge beside others: beside the built-in ones, or beside the first one that replaces them.
    beside: Vec<Arc<Baseline>>,
}

/// The baselines that judge one installation.
#[derive(Clone, Debug)]
pub struct Applied<'a> {
    /// All expectations.
    pub baseline: Cow<'a, Baseline>,
    /// The base of these expectations; `None` if no baseline for this Windows is built in.
    pub first: Option<&'a Baseline>,
    /// The user's baselines beside it.
    pub extended_by: Vec<&'a Baseline>,
    own: bool,
}

/// The texts of a choice: the baselines that judge instead of the built-in ones, and those that judge beside others.
#[derive(Serialize, Deserialize)]
struct Texts {
    instead: Vec<String>,
    beside: Vec<String>,
}

impl Serialize for Chosen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts = |baselines: &[Arc<Baseline>]| {
            baselines.iter().filter_map(|own| own.own_text.as_deref().map(str::to_owned)).collect::<Vec<_>>()
        };
        let instead: Vec<Arc<Baseline>> = self.instead.iter().cloned().collect();
        Texts { instead: texts(&instead), beside: texts(&self.beside) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Chosen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Texts { instead, beside } = Texts::deserialize(deserializer)?;
        let read = |texts: Vec<String>| {
            let own = texts.iter().map(|text| Own::parse("baseline", text).map(|own| own.baseline));
            own.collect::<Result<Vec<_>, _>>().map_err(D::Error::custom)
        };
        Self::new(read(instead)?, read(beside)?).map_err(D::Error::custom)
    }
}

impl Chosen {
    /// Chooses a user's baselines: `instead` replace the built-in baselines, `beside` extend them.
    ///
    /// # Errors
    /// Returns an error if two of the baselines state the same id or the same value. The error names both.
    pub fn new(instead: Vec<Baseline>, beside: Vec<Baseline>) -> Result<Self, Error> {
        let is_own = !instead.is_empty();
        let mut own = instead.into_iter().chain(beside).map(Arc::new);
        let instead = if is_own { own.next() } else { None };
        let beside: Vec<Arc<Baseline>> = own.collect();
        for (at, extension) in beside.iter().enumerate() {
            let others = instead.iter().chain(beside.iter().take(at));
            for other in others {
                refuse_clash(other, extension)?;
            }
            if !is_own {
                let applies = |built_in: &Baseline| {
                    extension.applies_to.is_empty()
                        || built_in.applies_to.iter().any(|os| extension.applies_to.contains(os))
                };
                for built_in in BUILT_IN.iter().map(BuiltIn::read) {
                    let built_in = built_in?;
                    if applies(built_in) {
                        refuse_clash(built_in, extension)?;
                    }
                }
            }
        }
        Ok(Self { instead, beside })
    }

    /// Returns the user's baselines.
    pub fn own(&self) -> impl Iterator<Item = &Baseline> {
        self.instead.iter().chain(&self.beside).map(Arc::as_ref)
    }

    /// Returns whether the user's baselines judge regardless of the Windows.
    pub fn is_instead(&self) -> bool {
        self.instead.is_some()
    }

    /// Returns the baselines that judge a Windows with the built-in baseline `os`; `None` if there is none. With
    /// [`Chosen::is_instead`] the baselines apply regardless of their Windows.
    ///
    /// # Errors
    /// Returns an error if the built-in baseline is wrong. The tests ensure that none is.
    pub fn of(&self, os: Option<OsId>) -> Result<Option<Applied<'_>>, Error> {
        let first = match &self.instead {
            Some(own) => Some(&**own),
            None => os.map(Baseline::of).transpose()?.flatten(),
        };
        let applies = |extension: &&Baseline| {
            self.is_instead()
                || extension.applies_to.is_empty()
                || os.is_some_and(|os| extension.applies_to.contains(&os))
        };
        let extended_by: Vec<&Baseline> = self.beside.iter().map(|beside| &**beside).filter(applies).collect();
        let mut all = first.into_iter().chain(extended_by.iter().copied());
        let Some(one) = all.next() else { return Ok(None) };
        let mut baseline = Cow::Borrowed(one);
        for more in all {
            let merged = baseline.to_mut();
            merged.keys.extend(more.keys.iter().cloned());
            merged.steps.extend(more.steps.iter().cloned());
        }
        if let Cow::Owned(merged) = &mut baseline {
            merged.close_lists();
        }
        Ok(Some(Applied { baseline, first, extended_by, own: self.is_instead() }))
    }
}

impl Applied<'_> {
    /// Returns the ids of the rows of users' baselines, which are not carried over to another build.
    pub fn own_ids(&self) -> BTreeSet<&str> {
        let own = self.first.filter(|_| self.own);
        let own = own.into_iter().chain(self.extended_by.iter().copied());
        own.flat_map(|baseline| {
            let keys = baseline.keys.iter().map(|key| key.id.as_str());
            keys.chain(baseline.steps.iter().map(|step| step.id.as_str()))
        })
        .collect()
    }
}

/// The place of a row: the hive, the key, and the value; without a value, the key itself.
type Place = (Role, Name, Option<Name>);

/// Returns the rows of a baseline that yield one finding, by place, with their ids.
fn rows(baseline: &Baseline) -> BTreeMap<Place, String> {
    let of_key = |key: &ExpectedKey| {
        let (role, path) = key.place();
        let itself = key.itself || key.presence == Presence::Absent;
        let values = key.values.iter().filter(|value| !matches!(value.rule, Rule::Unknown(_)));
        let values = values.map(|value| (Some(Name::from(value.name.as_str())), format!("{}/{}", key.id, value.name)));
        let rows = values.chain(itself.then(|| (None, key.id.clone())));
        rows.map(|(name, id)| ((role, path.clone(), name), id)).collect::<Vec<_>>()
    };
    baseline.keys.iter().filter(|key| key.each_subkey.is_none()).flat_map(of_key).collect()
}

/// Refuses two baselines that state the same id or the same value.
fn refuse_clash(first: &Baseline, second: &Baseline) -> Result<(), Error> {
    let ids = |baseline: &Baseline| -> BTreeSet<String> {
        let keys = baseline.keys.iter().map(|key| key.id.clone());
        keys.chain(baseline.steps.iter().map(|step| step.id.clone())).collect()
    };
    let refused = |reason: String| {
        let advice = "Remove one of the rows, or judge by the file alone with --baseline".to_owned();
        Err(Error::Refused { reason, advice })
    };
    if let Some(id) = ids(first).intersection(&ids(second)).next() {
        return refused(format!("baseline {} and baseline {} both have the id {id}", first.id, second.id));
    }
    let stated = rows(first);
    for (place, id) in rows(second) {
        if let Some(other) = stated.get(&place) {
            return refused(format!(
                "{id} of baseline {} and {other} of baseline {} state the same value; a value has only one expectation",
                second.id, first.id
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker judges by the same baselines as the program that started it.
    #[test]
    fn a_choice_is_the_same_in_another_process() {
        let pack = include_str!("../../docs/packs/remote-desktop.toml");
        let small = "id = \"own\"\n[[key]]\nid = \"k\"\nhive = \"SOFTWARE\"\npath = 'A\\B'\nwhy = \"Because.\"\nsource = \"Us\"\n\
                     grade = \"confirmed\"\n[key.values]\nV = { REG_DWORD = 1 }\n";
        let own = |text: &str| Own::parse("own", text).unwrap().baseline;
        for (instead, beside) in [(vec![], vec![own(pack)]), (vec![own(pack)], vec![own(small)]), (vec![], vec![])] {
            let sums = |chosen: &Chosen| -> Vec<String> {
                chosen.instead.iter().chain(&chosen.beside).map(|own| format!("{} {}", own.id, own.sha256)).collect()
            };
            let chosen = Chosen::new(instead, beside).unwrap();
            let sent: Chosen = serde_json::from_str(&serde_json::to_string(&chosen).unwrap()).unwrap();
            assert_eq!(sums(&sent), sums(&chosen));
            assert_eq!(sent.is_instead(), chosen.is_instead());
        }
    }
}
