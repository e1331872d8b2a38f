//! Baselines: what a Windows should have, why, and by which source. The judgement is data in `src/baselines/*.toml`;
//! `docs/baselines.md` describes the grammar.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::error::Error;
use crate::evidence::sha256_of;
use crate::finding::{Grade, Severity, Source};
use crate::os::{Os, OsId};
use crate::registry::{Name, Role};

mod chosen;
mod closed;
pub mod compose;
mod grammar;
pub mod list;
mod names;
pub(crate) mod own;
mod part;
mod path;
mod profile;
mod rule;
mod same_effect;
mod services;
mod tables;
pub mod whole;

pub use chosen::{Applied, Chosen};
pub use names::ExpectedNames;
pub use own::{Own, read_own};
pub use path::{SystemRoot, group_of, is_quoted};
pub use profile::Profile;
pub use rule::{Accepted, Action, Aspect, Compare, Exception, Folders, Known, Right, Rule, SameAs};
pub use same_effect::{Note, notes_on, same_as_absent};
pub use services::{ChainRule, ErrorCode, Failure, GroupRule, chain_rule, error_of, group_rule, known_errors};

include!(concat!(env!("OUT_DIR"), "/baselines.rs"));

/// A built-in baseline.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its id.
    pub id: &'static str,
    /// The whole baseline as TOML, each row with its source, its grade, and the file that states it.
    pub text: &'static str,
    /// The whole baseline as JSON. Reading TOML would take a quarter of an audit's time.
    json: &'static str,
    /// The baseline, read once for all installations of a run.
    read: OnceLock<Result<Baseline, String>>,
}

impl BuiltIn {
    const fn new(id: &'static str, text: &'static str, json: &'static str) -> Self {
        Self { id, text, json, read: OnceLock::new() }
    }

    /// Reads the baseline.
    ///
    /// # Errors
    /// Returns an error if the baseline is wrong. The tests ensure that none is.
    pub fn read(&'static self) -> Result<&'static Baseline, Error> {
        let read = || {
            let baseline = grammar::parse_json(self.json)?;
            Ok(Baseline { sha256: sha256_of(self.text.as_bytes()), ..baseline })
        };
        let read = self.read.get_or_init(read).as_ref();
        read.map_err(|message| Error::Baseline { baseline: self.id.to_owned(), message: message.clone() })
    }
}

/// What one Windows should have.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The id. A built-in baseline has the id of its Windows.
    pub id: String,
    /// The name of the Windows.
    pub name: String,
    /// The Windows versions that this baseline is for.
    pub applies_to: Vec<OsId>,
    /// SHA-256 of the file, so that a report can be tied to its expectations.
    pub sha256: String,
    /// The keys, in the file's order.
    pub keys: Vec<ExpectedKey>,
    /// Steps that hives cannot decide.
    pub steps: Vec<Step>,
    /// The text of a user's baseline, for another process of this program; `None` for a built-in one.
    pub(crate) own_text: Option<Arc<str>>,
    names: names::NamesOnce,
}

/// A key, and what it should contain.
#[derive(Clone, Debug)]
pub struct ExpectedKey {
    /// The id that its findings begin with.
    pub id: String,
    /// The hive that contains the key.
    pub role: Role,
    /// The path below the hive's root. `CurrentControlSet` stands for the control set that is judged.
    pub path: String,
    /// Whether the key should exist.
    pub presence: Presence,
    /// Set if the key is a subkey of `path`: states which subkeys.
    pub each_subkey: Option<Subkeys>,
    /// Whether the key itself is a row: then it has a finding of its own beside those of its values.
    pub itself: bool,
    /// The path that the key links to, if it is a symbolic link.
    pub link: Option<String>,
    /// Whether values that the baseline does not name are unexpected.
    pub closed: bool,
    /// Names of values of this key that other rows of the baseline state. A closed list includes them.
    pub beside: BTreeSet<Name>,
    /// If the list of subkeys is closed: the subkeys that the baseline names. Any other is unexpected.
    pub subkeys: Option<BTreeSet<Name>>,
    /// Whether the values are the whole key, so that a missing key may be recreated.
    pub recreate: bool,
    /// The installations that the key applies to.
    pub when: When,
    /// The profiles that include the key.
    pub profiles: Vec<Profile>,
    /// Why the key itself is expected, and the source.
    pub basis: Basis,
    /// The values, in the file's order.
    pub values: Vec<ExpectedValue>,
}

/// Whether a key should exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The key should exist.
    Required,
    /// The key may be missing. Then its values conform.
    Optional,
    /// The key should not exist.
    Absent,
    /// The key should exist if its parent exists.
    WithParent,
}

/// Which subkeys of a path are meant.
#[derive(Clone, Debug)]
pub struct Subkeys {
    /// Values that a subkey must contain; name and data are compared without case. Empty: every subkey.
    pub holding: Vec<(String, String)>,
    /// The path below the subkey.
    pub below: Option<String>,
}

/// A value, and what it should be.
#[derive(Clone, Debug)]
pub struct ExpectedValue {
    /// The name, as findings spell it.
    pub name: String,
    /// The rule for its data.
    pub rule: Rule,
    /// Deviating data with a more specific explanation.
    pub exceptions: Vec<Exception>,
    /// Another value that this value must also resemble.
    pub same_as: Option<SameAs>,
    /// Whether the value may be missing.
    pub optional: bool,
    /// The installations that the value applies to.
    pub when: When,
    /// The profiles that include the value.
    pub profiles: Vec<Profile>,
    /// What the administrator should do by hand.
    pub advice: Option<String>,
    /// Why, and the source.
    pub basis: Basis,
}

/// Why something is expected, and the source.
#[derive(Clone, Debug, Serialize)]
pub struct Basis {
    /// Why it matters.
    pub why: String,
    /// The source.
    pub source: Source,
    /// How well the source confirms the expectation.
    pub grade: Grade,
    /// With [`Grade::Inferred`]: the Windows that the row is carried over from.
    pub kinship: Option<String>,
    /// The file that states the row, if the baseline is composed of several files.
    pub stated_in: Option<String>,
    /// How much a deviation matters.
    pub severity: Severity,
    /// ATT&CK techniques that a deviation may indicate.
    pub attack: Vec<String>,
}

/// Conditions on the installation. All conditions that are set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    product_type: Option<Vec<String>>,
    architecture: Option<Vec<String>>,
    service_pack_at_least: Option<u32>,
    build_at_least: Option<u32>,
    build_below: Option<u32>,
}

/// The possible values of `ProductType`.
const PRODUCT_TYPES: [&str; 3] = ["WinNT", "ServerNT", "LanmanNT"];
/// The architectures that Windows was released for, as reports name them.
const ARCHITECTURES: [&str; 5] = ["x86", "x64", "arm64", "ia64", "arm"];

/// A step of the article that hives cannot decide.
#[derive(Clone, Debug)]
pub struct Step {
    /// The finding's id.
    pub id: String,
    /// What the administrator should do.
    pub advice: String,
    /// The installations that the step applies to.
    pub when: When,
    /// Why, and the source.
    pub basis: Basis,
}

impl Baseline {
    /// Reads a whole baseline from its TOML text. `origin` names it in errors.
    ///
    /// # Errors
    /// Returns an error if the text does not follow the grammar; the message says where.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Error> {
        let parsed = grammar::parse(text);
        let baseline = parsed.map_err(|message| Error::Baseline { baseline: origin.to_owned(), message })?;
        Ok(Self { sha256: sha256_of(text.as_bytes()), ..baseline })
    }

    /// Returns the built-in baseline of a Windows, if it exists.
    ///
    /// # Errors
    /// Returns an error if the built-in baseline is wrong. The tests ensure that none is.
    pub fn of(os: OsId) -> Result<Option<&'static Self>, Error> {
        built_in(os.as_str()).map(BuiltIn::read).transpose()
    }

    /// Returns the text of the built-in baseline with this id.
    pub fn text_of(id: &str) -> Option<&'static str> {
        built_in(id).map(|built_in| built_in.text)
    }
}

impl Baseline {
    /// Returns the services that the baseline lists, with the names of their keys.
    pub fn services(&self) -> impl Iterator<Item = (&ExpectedKey, &str)> {
        self.keys.iter().filter_map(|key| Some((key, key.service()?)))
    }
}

impl ExpectedKey {
    /// Returns the service that the key belongs to: `CurrentControlSet\Services\BITS`, but no key below it. `None` also
    /// for a key whose whole contents are stated, as in a learned baseline: its dependencies are not followed.
    pub fn service(&self) -> Option<&str> {
        let name = self.path.strip_prefix(r"CurrentControlSet\Services\")?;
        let wanted = self.role == Role::System
            && self.presence != Presence::Absent
            && self.each_subkey.is_none()
            && !self.closed;
        (wanted && !name.contains('\\')).then_some(name)
    }
}

fn built_in(id: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|built_in| built_in.id == id)
}

impl When {
    /// Returns whether no condition is set.
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// Returns why no Windows can fulfil the conditions, or `None` if one can.
    pub(crate) fn contradiction(&self) -> Option<String> {
        if let (Some(least), Some(end)) = (self.build_at_least, self.build_below)
            && least >= end
        {
            return Some(format!("no build is at least {least} and below {end}"));
        }
        let none = |list: &Option<Vec<String>>, known: &[&str]| {
            let list = list.as_ref()?;
            let is_known = |one: &String| known.iter().any(|known| known.eq_ignore_ascii_case(one));
            (!list.iter().any(is_known))
                .then(|| format!("no Windows has one of {list:?}; the known ones are {}", known.join(", ")))
        };
        none(&self.product_type, &PRODUCT_TYPES).or_else(|| none(&self.architecture, &ARCHITECTURES))
    }

    /// Returns whether the conditions hold for `os`; `None` if the hives do not decide it.
    pub fn holds(&self, os: &Os) -> Option<bool> {
        let among = |wanted: &Option<Vec<String>>, found: Option<&str>| match wanted {
            None => Some(true),
            Some(wanted) => found.map(|found| wanted.iter().any(|one| one.eq_ignore_ascii_case(found))),
        };
        let checks = [
            among(&self.product_type, os.product_type.as_deref()),
            among(&self.architecture, os.architecture.as_deref()),
            self.service_pack_at_least
                .map_or(Some(true), |least| os.service_pack_number().map(|number| number >= least)),
            self.build_at_least.map_or(Some(true), |least| os.build.map(|build| build >= least)),
            self.build_below.map_or(Some(true), |end| os.build.map(|build| build < end)),
        ];
        if checks.contains(&Some(false)) { Some(false) } else { checks.iter().all(Option::is_some).then_some(true) }
    }
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |name: &str, list: &Option<Vec<String>>| Some(format!("{name} {}", list.as_ref()?.join(" or ")));
        let conditions = [
            list("product type", &self.product_type),
            list("architecture", &self.architecture),
            self.service_pack_at_least.map(|least| format!("service pack {least} or later")),
            self.build_at_least.map(|least| format!("build {least} or later")),
            self.build_below.map(|end| format!("builds before {end}")),
        ];
        f.write_str(&conditions.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_baseline_is_what_its_text_says() {
        for built_in in &BUILT_IN {
            let of_text = Baseline::parse(built_in.id, built_in.text).unwrap();
            assert_eq!(format!("{:?}", built_in.read().unwrap()), format!("{of_text:?}"), "{}", built_in.id);
        }
    }
}
