//! Services beyond those that a baseline lists: their dependencies, and the members of their svchost groups.
//!
//! Services in the registry:
//! <https://learn.microsoft.com/windows/win32/services/service-configuration>.
//! svchost groups:
//! <https://learn.microsoft.com/windows/application-management/svchost-service-refactoring>.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{KeyState, Observed, Source};
use crate::baseline::group_of;
use crate::control_set::in_set;
use crate::error::Problem;
use crate::hive::{Key, NamedValue, OddTime, Tree};
use crate::registry::{Name, RegistryValue, same_text};

/// The most services that are followed in one control set. A real one has fewer than a thousand.
const MOST_SERVICES: usize = 4_096;
/// The most dependencies that are followed in one control set. A real one has several hundred.
const MOST_DEPENDENCIES: usize = 65_536;
/// The most group lists that are read.
const MOST_GROUPS: usize = 1_024;
/// The key where SOFTWARE lists the services of each svchost group.
const SVCHOST: &str = r"Microsoft\Windows NT\CurrentVersion\SvcHost";

/// What was observed of one service or driver.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// The name of the service's key, or the name that referred to the service if it has no key.
    pub name: String,
    /// The key's path in the hive.
    pub path: String,
    /// The key.
    pub state: KeyState,
    /// Why the time of the last write to the key cannot be right, if it cannot.
    pub odd_time: Option<OddTime>,
    /// `Start`.
    pub start: Observed,
    /// `DependOnService`.
    pub depends_on: Observed,
    /// The names in `DependOnService`.
    pub needs: Vec<Name>,
    /// `DependOnGroup`.
    pub depends_on_group: Observed,
    /// Its library, if the service is in the svchost group of a root; nothing else depends on it.
    pub library: Option<LibraryFacts>,
}

/// What was observed of a service's library.
#[derive(Clone, Debug)]
pub struct LibraryFacts {
    /// `ServiceDll` on the service's own key.
    pub own_dll: Observed,
    /// `Parameters\ServiceDll`.
    pub dll: Observed,
    /// The path of `Parameters`.
    pub parameters: String,
    /// What was observed of `Parameters`.
    pub parameters_state: KeyState,
}

/// The services of one control set that were followed.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// The control set.
    pub control_set: Option<u32>,
    /// Whether more dependencies or services exist than were followed.
    pub cut: bool,
    /// The services by name.
    pub by_name: BTreeMap<Name, Box<ServiceFacts>>,
    /// The services of each load-order group that a service depends on.
    pub members: BTreeMap<Name, Vec<ServiceFacts>>,
    /// Services in the svchost groups of the followed services, in the order of the lists.
    pub beside: Vec<(String, Name)>,
}

/// The lists of svchost groups.
#[derive(Clone, Debug)]
pub struct Groups {
    /// The key's path.
    pub path: String,
    /// The key.
    pub state: KeyState,
    /// Why the time of the last write to the key cannot be right, if it cannot.
    pub odd_time: Option<OddTime>,
    /// The lists.
    pub lists: Vec<NamedValue>,
}

impl Groups {
    /// Reads the lists.
    pub(super) fn read(software: Source<'_, '_>) -> Self {
        let without = |state| Self { path: SVCHOST.to_owned(), state, odd_time: None, lists: Vec::new() };
        let tree = match software {
            Source::Tree(tree) => tree,
            Source::Missing => return without(KeyState::HiveMissing),
            Source::Unreadable(problem) => return without(KeyState::Unreadable(problem.clone())),
        };
        match tree.key(SVCHOST) {
            Ok(None) => without(KeyState::Absent),
            Err(problem) => without(KeyState::Unreadable(problem)),
            Ok(Some(key)) => Self {
                path: key.path().to_owned(),
                state: KeyState::Present(key.last_written()),
                odd_time: key.odd_time(),
                lists: key.values().into_iter().flatten().take(MOST_GROUPS).collect(),
            },
        }
    }

    /// Returns the list of a group.
    pub fn list(&self, group: &str) -> Option<&NamedValue> {
        self.lists.iter().find(|list| same_text(&list.name, group))
    }
}

impl ServiceFacts {
    /// Returns whether the service is disabled (`SERVICE_DISABLED`, 4).
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-createservicew>
    pub fn is_disabled(&self) -> bool {
        matches!(&self.start, Observed::Present(start) if is_disabled(&start.value))
    }
}

/// Returns whether a `Start` means disabled.
pub fn is_disabled(start: &RegistryValue) -> bool {
    start.as_number() == Some(4)
}

/// Returns the names in a list up to the first empty name, where Windows stops reading. Some services store a single
/// name as plain text.
pub(crate) fn names(observed: &Observed) -> Vec<String> {
    let Observed::Present(value) = observed else { return Vec::new() };
    match (value.value.as_list(), value.value.as_text()) {
        (Some(list), _) => list.into_iter().take_while(|name| !name.is_empty()).collect(),
        (_, Some(name)) if !name.is_empty() => vec![name],
        _ => Vec::new(),
    }
}

impl Services {
    /// Follows the dependencies of `roots` to their end. With `groups`, also reads the members of their svchost groups.
    pub(super) fn follow(
        system: Source<'_, '_>,
        control_set: Option<u32>,
        roots: &[&str],
        groups: Option<&Groups>,
    ) -> Self {
        let mut services = Self { control_set, ..Self::default() };
        let Source::Tree(tree) = system else { return services };
        let mut all = Reader::new(tree, control_set);
        let mut edges = MOST_DEPENDENCIES;
        let mut waiting: VecDeque<String> = roots.iter().map(ToString::to_string).collect();
        while let Some(name) = waiting.pop_front() {
            let id = Name::from(name.as_str());
            if services.by_name.contains_key(&id) {
                continue;
            }
            if services.by_name.len() >= MOST_SERVICES {
                services.cut = true;
                break;
            }
            let mut facts = all.service(&name);
            let needs = names(&facts.depends_on);
            services.cut |= needs.len() > edges;
            for name in needs.into_iter().take(edges) {
                facts.needs.push(name.as_str().into());
                waiting.push_back(name);
            }
            edges = edges.saturating_sub(facts.needs.len());
            for group in names(&facts.depends_on_group) {
                services.members.entry(group.as_str().into()).or_insert_with(|| all.of_load_order(&group));
            }
            services.by_name.insert(id, Box::new(facts));
        }
        services.look_beside(&all, roots, groups);
        services
    }

    /// Adds the services in the svchost groups of the roots.
    fn look_beside(&mut self, all: &Reader<'_, '_>, roots: &[&str], groups: Option<&Groups>) {
        let Some(groups) = groups else { return };
        let (mut looked, mut known) = (BTreeSet::new(), BTreeSet::new());
        for root in roots {
            let Some(group) = all.image_path(root).as_deref().and_then(group_of) else { continue };
            let Some(list) = groups.list(&group).filter(|_| looked.insert(Name::from(group.as_str()))) else {
                continue;
            };
            for name in names(&Observed::Present(list.clone())) {
                let id = Name::from(name.as_str());
                if self.beside.len() >= MOST_SERVICES || !known.insert(id.clone()) {
                    continue;
                }
                if self.by_name.len() < MOST_SERVICES {
                    let facts = self.by_name.entry(id.clone()).or_insert_with(|| Box::new(all.service(&name)));
                    facts.library = all.library(&name);
                }
                self.beside.push((list.name.clone(), id));
            }
        }
    }

    /// Returns the service `name`.
    pub fn get(&self, name: &str) -> Option<&ServiceFacts> {
        self.by_name.get(&name.into()).map(Box::as_ref)
    }
}

/// The services key of one control set.
struct Reader<'t, 'h> {
    /// Its path.
    path: String,
    key: Result<Option<Key<'t, 'h>>, Problem>,
    /// The services of each load-order group, read when a service depends on one.
    load_order: Option<BTreeMap<Name, Vec<String>>>,
}

impl<'t, 'h> Reader<'t, 'h> {
    fn new(tree: &'t Tree<'h>, control_set: Option<u32>) -> Self {
        let path = in_set(r"CurrentControlSet\Services", control_set);
        Self { key: tree.key(&path), path, load_order: None }
    }

    fn key(&self, name: &str) -> Result<Option<Key<'t, 'h>>, Problem> {
        match &self.key {
            Ok(Some(services)) if !name.is_empty() && !name.contains('\\') => services.subkey(name),
            Ok(_) => Ok(None),
            Err(problem) => Err(problem.clone()),
        }
    }

    /// Returns the `ImagePath` of a service, if it is text.
    fn image_path(&self, name: &str) -> Option<String> {
        self.key(name).ok()??.value("ImagePath").ok()??.as_text()
    }

    /// Returns the library of a service; `None` if the service has no key that can be read.
    fn library(&self, name: &str) -> Option<LibraryFacts> {
        let key = self.key(name).ok()??;
        let (parameters_state, dll) = match key.subkey("Parameters") {
            Ok(Some(parameters)) => {
                (KeyState::Present(parameters.last_written()), Observed::of(&parameters, "ServiceDll"))
            }
            Ok(None) => (KeyState::Absent, Observed::Absent),
            Err(problem) => (KeyState::Unreadable(problem.clone()), Observed::Unreadable(problem)),
        };
        let parameters = format!(r"{}\Parameters", key.path());
        Some(LibraryFacts { own_dll: Observed::of(&key, "ServiceDll"), dll, parameters, parameters_state })
    }

    fn service(&self, name: &str) -> ServiceFacts {
        let found = self.key(name);
        let path = || format!(r"{}\{name}", self.path);
        let key = match found {
            Ok(Some(key)) => key,
            Ok(None) => return without(name, path(), &KeyState::Absent, &Observed::Absent),
            Err(problem) => {
                return without(name, path(), &KeyState::Unreadable(problem.clone()), &Observed::Unreadable(problem));
            }
        };
        let value = |name: &str| Observed::of(&key, name);
        ServiceFacts {
            name: key.name(),
            path: key.path().to_owned(),
            state: KeyState::Present(key.last_written()),
            odd_time: key.odd_time(),
            start: value("Start"),
            depends_on: value("DependOnService"),
            needs: Vec::new(),
            depends_on_group: value("DependOnGroup"),
            library: None,
        }
    }

    /// Returns the services of a load-order group.
    fn of_load_order(&mut self, group: &str) -> Vec<ServiceFacts> {
        if self.load_order.is_none() {
            self.load_order = Some(self.read_load_order().unwrap_or_default());
        }
        let names = self.load_order.as_ref().and_then(|groups| groups.get(&group.into())).cloned().unwrap_or_default();
        names.iter().map(|name| self.service(name)).collect()
    }

    fn read_load_order(&self) -> Result<BTreeMap<Name, Vec<String>>, Problem> {
        let mut groups: BTreeMap<Name, Vec<String>> = BTreeMap::new();
        let Some(services) = self.key.as_ref().map_err(Problem::clone)? else { return Ok(groups) };
        for service in services.subkeys().0.iter().take(MOST_SERVICES) {
            if let Ok(Some(group)) = service.value("Group")
                && let Some(group) = group.as_text()
            {
                groups.entry(group.as_str().into()).or_default().push(service.name());
            }
        }
        Ok(groups)
    }
}

fn without(name: &str, path: String, state: &KeyState, value: &Observed) -> ServiceFacts {
    ServiceFacts {
        name: name.to_owned(),
        path,
        state: state.clone(),
        odd_time: None,
        start: value.clone(),
        depends_on: value.clone(),
        needs: Vec::new(),
        depends_on_group: value.clone(),
        library: None,
    }
}
