//! Facts: the contents of the keys that a baseline names. Present, absent, and unreadable are three different states.

use crate::baseline::{Baseline, ExpectedKey, Presence, Subkeys};
use crate::control_set;
use crate::error::Problem;
use crate::hive::{Descent, Key, Location, NamedValue, OddTime, Tree};
use crate::registry::{FileTime, Role, same_text};

mod closed;
mod odd_names;
mod services;

pub use closed::Unnamed;
pub use odd_names::{OddName, Oddness};
pub(crate) use services::names;
pub use services::{Groups, LibraryFacts, ServiceFacts, Services, is_disabled};

/// What was observed of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// The value exists.
    Present(NamedValue),
    /// The value does not exist, and everything that could name it was read.
    Absent,
    /// The value, or something on its path, could not be read.
    Unreadable(Problem),
}

impl Observed {
    /// Observes the value `name` in a key.
    fn of(key: &Key<'_, '_>, name: &str) -> Self {
        match key.named_value(name) {
            Ok(Some(value)) => Self::Present(value),
            Ok(None) => Self::Absent,
            Err(problem) => Self::Unreadable(problem),
        }
    }
}

/// What was observed of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The key exists. The time of its last write.
    Present(FileTime),
    /// The key does not exist.
    Absent,
    /// The key, or something on its path, could not be read.
    Unreadable(Problem),
    /// The hive that could contain the key is missing.
    HiveMissing,
}

impl KeyState {
    /// Returns when the key was last written, if it exists.
    pub fn last_written(&self) -> Option<FileTime> {
        match self {
            Self::Present(time) => Some(*time),
            _ => None,
        }
    }
}

/// What was observed of one key that a baseline expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// The path in the hive, with the control set resolved. If the key exists, in the hive's own letter case.
    pub path: String,
    /// The control set, for a key of SYSTEM.
    pub control_set: Option<u32>,
    /// The subkey's name, if the baseline names every subkey.
    pub subkey: Option<String>,
    /// The key.
    pub state: KeyState,
    /// The first symbolic link on the path to the key, including the key.
    pub link: Option<Link>,
    /// Why the time of the last write cannot be right, if it cannot.
    pub odd_time: Option<OddTime>,
    /// The facts of each value that the baseline names, in its order.
    pub values: Vec<Observed>,
    /// Values that the baseline does not name, if its list is closed.
    pub others: Vec<NamedValue>,
    /// Subkeys that no key of the baseline names, if the list is closed.
    pub unnamed: Vec<Unnamed>,
    /// Why the values or subkeys of a closed list cannot be listed.
    pub unlisted: Option<Problem>,
    /// Whether the key and its parent are both missing.
    pub without_parent: bool,
    /// The locations in the file, if requested and if the key exists.
    pub locations: Option<Locations>,
}

/// A symbolic link: Windows reads another key in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its path in the hive.
    pub path: String,
    /// The target, according to its `SymbolicLinkValue`; `None` if that cannot be read.
    pub target: Option<String>,
}

impl Link {
    /// Returns the link at `path`. The target is UTF-16 without a NUL at its end: Microsoft, `RegCreateKeyEx`,
    /// `REG_OPTION_CREATE_LINK`.
    fn at(tree: &Tree<'_>, path: &str) -> Self {
        let value = tree.key(path).ok().flatten().and_then(|key| key.value("SymbolicLinkValue").ok().flatten());
        Self { path: path.to_owned(), target: value.as_ref().and_then(crate::os::lenient_text) }
    }
}

/// The locations in the file of what was observed of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locations {
    /// The location of the key itself.
    pub key: Location,
    /// One for each of [`KeyFacts::values`]. The location of the key if the value is absent.
    pub values: Vec<Location>,
    /// One for each of [`KeyFacts::others`].
    pub others: Vec<Location>,
}

/// Observes one key of a baseline in one control set. Returns one entry, or several if the key is looked for among
/// subkeys. `hive` contains the key. With `locate`, also returns the locations in the file.
fn observe(expected: &ExpectedKey, hive: &mut Place<'_, '_>, control_set: Option<u32>, locate: bool) -> Vec<KeyFacts> {
    let observer = Observer { expected, control_set: control_set.filter(|_| expected.role == Role::System), locate };
    match hive {
        Place::Missing => vec![observer.without_key(None, KeyState::HiveMissing)],
        Place::Unreadable(problem) => vec![observer.without_key(None, KeyState::Unreadable(problem.clone()))],
        Place::Tree(tree, keys) => {
            let path = observer.path();
            if let Some(subkeys) = &expected.each_subkey {
                return observer.among_subkeys(tree, &path, keys.key(&path), subkeys);
            }
            let facts = observer.at(tree, keys.key(&path), None);
            let without_parent = observer.without_parent(tree, &path, &facts.state);
            // A link has no subkeys of its own, so the key does not exist here but at the target of the link.
            let link = match facts.state {
                KeyState::Absent => tree.link_on_the_way(&facts.path).map(|path| Link::at(tree, &path)),
                _ => facts.link,
            };
            vec![KeyFacts { link, without_parent, ..facts }]
        }
    }
}

/// The source of facts.
#[derive(Clone, Copy)]
pub enum Source<'a, 'h> {
    /// An open hive.
    Tree(&'a Tree<'h>),
    /// The hive is missing.
    Missing,
    /// The hive exists, but the hive or its control set cannot be read.
    Unreadable(&'a Problem),
}

/// A hive that many keys are looked up in.
enum Place<'a, 'h> {
    Tree(&'a Tree<'h>, Descent<'a, 'h>),
    Missing,
    Unreadable(&'a Problem),
}

impl<'a, 'h> From<Source<'a, 'h>> for Place<'a, 'h> {
    fn from(source: Source<'a, 'h>) -> Self {
        match source {
            Source::Tree(tree) => Self::Tree(tree, Descent::new(tree)),
            Source::Missing => Self::Missing,
            Source::Unreadable(problem) => Self::Unreadable(problem),
        }
    }
}

struct Observer<'a> {
    expected: &'a ExpectedKey,
    control_set: Option<u32>,
    locate: bool,
}

impl Observer<'_> {
    /// Returns the expected path with the control set instead of `CurrentControlSet`.
    fn path(&self) -> String {
        control_set::in_set(&self.expected.path, self.control_set)
    }

    /// Returns whether a missing key also has no parent, if that matters.
    fn without_parent(&self, tree: &Tree<'_>, path: &str, state: &KeyState) -> bool {
        let wanted = self.expected.presence == Presence::WithParent && *state == KeyState::Absent;
        let parent = path.rsplit_once('\\').map(|(parent, _)| parent).filter(|_| wanted);
        parent.is_some_and(|parent| matches!(tree.key(parent), Ok(None)))
    }

    fn among_subkeys(
        &self,
        tree: &Tree<'_>,
        path: &str,
        parent: Result<Option<&Key<'_, '_>>, Problem>,
        wanted: &Subkeys,
    ) -> Vec<KeyFacts> {
        let parent = match parent {
            Ok(Some(parent)) => parent,
            Ok(None) => return vec![self.without_key(None, KeyState::Absent)],
            Err(problem) => return vec![self.without_key(None, KeyState::Unreadable(problem))],
        };
        let (subkeys, mut problems) = parent.subkeys();
        let mut facts = Vec::new();
        for subkey in subkeys {
            let holds = wanted.holding.iter().try_fold(true, |all, (name, data)| {
                let value = subkey.value(name)?;
                Ok(all && value.and_then(|value| value.as_text()).is_some_and(|text| same_text(&text, data)))
            });
            match holds {
                Ok(false) => continue,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
                Ok(true) => {}
            }
            let name = subkey.name();
            let mut path = format!("{path}\\{name}");
            let key = match &wanted.below {
                None => Ok(Some(subkey)),
                Some(below) => {
                    path = format!("{path}\\{below}");
                    subkey.descend(below)
                }
            };
            let key = key.as_ref().map(Option::as_ref).map_err(Problem::clone);
            // A value identifies only one subkey. With "every subkey" the name distinguishes them.
            let every = wanted.holding.is_empty();
            let found = self.at(tree, key, every.then(|| name.clone()));
            facts.push(KeyFacts { path, ..found });
            if !every {
                break;
            }
        }
        match (facts.is_empty(), problems.into_iter().next()) {
            (true, Some(problem)) => vec![self.without_key(None, KeyState::Unreadable(problem))],
            (true, None) => vec![self.without_key(None, KeyState::Absent)],
            (false, _) => {
                facts.sort_by(|a, b| a.path.cmp(&b.path));
                facts
            }
        }
    }

    fn at(&self, tree: &Tree<'_>, key: Result<Option<&Key<'_, '_>>, Problem>, subkey: Option<String>) -> KeyFacts {
        let key = match key {
            Ok(Some(key)) => key,
            Ok(None) => return self.without_key(subkey, KeyState::Absent),
            Err(problem) => return self.without_key(subkey, KeyState::Unreadable(problem)),
        };
        // An unreadable security descriptor is a problem of the hive. The values are read anyway.
        key.check_security();
        let values = closed::values(self.expected, key);
        let (others, lost_value) = closed::others(self.expected, key);
        let (unnamed, lost_subkey) = closed::unnamed(self.expected, key);
        let locations = self.locate.then(|| self.locate(key, &values, &others));
        KeyFacts {
            path: key.path().to_owned(),
            control_set: self.control_set,
            subkey,
            state: KeyState::Present(key.last_written()),
            link: key.link().map(|path| Link::at(tree, path)),
            odd_time: key.odd_time(),
            values,
            others,
            unnamed,
            unlisted: lost_value.or(lost_subkey),
            without_parent: false,
            locations,
        }
    }

    fn locate(&self, key: &Key<'_, '_>, values: &[Observed], others: &[NamedValue]) -> Locations {
        let locate = |(observed, name): (&Observed, &str)| match observed {
            Observed::Present(value) => key.location_of(value),
            Observed::Absent => key.location(),
            Observed::Unreadable(_) => key.location_of_named(name),
        };
        let names = self.expected.values.iter().map(|value| value.name.as_str());
        Locations {
            key: key.location(),
            values: values.iter().zip(names).map(locate).collect(),
            others: others.iter().map(|value| key.location_of(value)).collect(),
        }
    }

    fn without_key(&self, subkey: Option<String>, state: KeyState) -> KeyFacts {
        let observed = match &state {
            KeyState::Unreadable(problem) => Observed::Unreadable(problem.clone()),
            _ => Observed::Absent,
        };
        KeyFacts {
            path: self.path(),
            control_set: self.control_set,
            subkey,
            state,
            link: None,
            odd_time: None,
            values: vec![observed; self.expected.values.len()],
            others: Vec::new(),
            unnamed: Vec::new(),
            unlisted: None,
            without_parent: false,
            locations: None,
        }
    }
}

/// Everything that an audit is based on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The facts of the baseline's keys, in its order: the index of the key, and the facts.
    pub keys: Vec<(usize, KeyFacts)>,
    /// The services that the baseline's services depend on and share groups with, for each control set.
    pub services: Vec<Services>,
    /// The lists of svchost groups.
    pub groups: Groups,
    /// Names that hide something, in SOFTWARE and in each control set of SYSTEM.
    pub odd_names: Vec<(Role, Option<u32>, OddName)>,
}

/// Returns all facts that a baseline needs, in its order: keys of SOFTWARE once, keys of SYSTEM for each control set.
/// With `locate`, also returns the locations in the files.
pub fn observe_all(
    baseline: &Baseline,
    software: Source<'_, '_>,
    system: Source<'_, '_>,
    control_sets: &[u32],
    locate: bool,
) -> Facts {
    let mut keys = Vec::with_capacity(baseline.keys.len());
    let (mut in_software, mut in_system) = (Place::from(software), Place::from(system));
    for (index, expected) in baseline.keys.iter().enumerate() {
        let found: Vec<KeyFacts> = match expected.role {
            Role::System if !control_sets.is_empty() => {
                let of_set = |set: &u32| observe(expected, &mut in_system, Some(*set), locate);
                control_sets.iter().flat_map(of_set).collect()
            }
            Role::System => observe(expected, &mut in_system, None, locate),
            _ => observe(expected, &mut in_software, None, locate),
        };
        keys.extend(found.into_iter().map(|facts| (index, facts)));
    }
    let groups = Groups::read(software);
    let roots: Vec<&str> = baseline.services().map(|(_, name)| name).collect();
    let services = control_sets.iter().map(|set| Services::follow(system, Some(*set), &roots, Some(&groups))).collect();
    let mut odd = odd_names(baseline, Role::Software, software, None);
    odd.extend(control_sets.iter().flat_map(|set| odd_names(baseline, Role::System, system, Some(*set))));
    Facts { keys, services, groups, odd_names: odd }
}

/// Returns the names that hide something in or beside the keys of a baseline, in one hive and control set.
fn odd_names(
    baseline: &Baseline,
    role: Role,
    source: Source<'_, '_>,
    control_set: Option<u32>,
) -> Vec<(Role, Option<u32>, OddName)> {
    let Source::Tree(tree) = source else { return Vec::new() };
    let odd = odd_names::find(baseline.expected_names(role), tree, control_set);
    odd.into_iter().map(|odd| (role, control_set, odd)).collect()
}

impl KeyFacts {
    /// Returns whether the absence of the key is expected, so that its absent values conform.
    pub fn rightly_absent(&self, presence: Presence) -> bool {
        let excused = match presence {
            Presence::Required => false,
            Presence::WithParent => self.without_parent,
            Presence::Optional | Presence::Absent => true,
        };
        self.state == KeyState::Absent && excused
    }
}
