//! The grammar of a baseline file in TOML, and its meaning.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::names::NamesOnce;
use super::{Baseline, Basis, Compare, ExpectedKey, Presence, Profile, Step, Subkeys, When};
use crate::finding::{Grade, Severity, Source};
use crate::registry::Role;

mod value;

use value::ValueEntry;
pub(super) use value::datum;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    id: String,
    name: String,
    #[serde(default)]
    applies_to: Vec<String>,
    #[serde(rename = "like")]
    _like: Option<String>,
    #[serde(default)]
    key: Vec<KeyEntry>,
    #[serde(default)]
    step: Vec<StepEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct KeyEntry {
    id: String,
    hive: String,
    path: String,
    why: String,
    source: String,
    url: Option<String>,
    grade: Grade,
    kinship: Option<String>,
    stated_in: Option<String>,
    profile: Option<Vec<Profile>>,
    severity: Option<Severity>,
    #[serde(default)]
    attack: Vec<String>,
    #[serde(default)]
    when: WhenEntry,
    expect: Option<ExpectEntry>,
    #[serde(default)]
    optional: bool,
    link: Option<String>,
    each_subkey: Option<Ordered<String>>,
    below: Option<String>,
    others: Option<OthersEntry>,
    subkeys: Option<OthersEntry>,
    compare: Option<Compare>,
    #[serde(default)]
    recreate: bool,
    #[serde(default)]
    values: Ordered<ValueEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StepEntry {
    id: String,
    why: String,
    advice: String,
    source: String,
    url: Option<String>,
    grade: Grade,
    kinship: Option<String>,
    stated_in: Option<String>,
    #[serde(default)]
    when: WhenEntry,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WhenEntry {
    product_type: Option<Vec<String>>,
    architecture: Option<Vec<String>>,
    service_pack_at_least: Option<u32>,
    build_at_least: Option<u32>,
    build_below: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AbsentEntry {
    Absent,
}

/// What is expected of a key itself.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ExpectEntry {
    Absent,
    Present,
    WithParent,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OthersEntry {
    Unexpected,
}

/// A table in the order of the file, which is the order of the findings.
struct Ordered<T>(Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

/// Reads a baseline. The caller adds the checksum of the file.
pub(super) fn parse(text: &str) -> Result<Baseline, String> {
    let file = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    resolve(file, &[Profile::Kb968001])
}

/// Reads a baseline that was converted to JSON: the same grammar in another notation.
pub(super) fn parse_json(json: &str) -> Result<Baseline, String> {
    resolve(serde_json::from_str(json).map_err(|error| error.to_string())?, &[Profile::Kb968001])
}

/// Reads a user's composed baseline. A row without a profile belongs to every profile.
pub(super) fn read_own(whole: toml::Table) -> Result<Baseline, String> {
    let mut whole = whole;
    let mut keys = Vec::new();
    // Reads key by key, so that the message names the row.
    if let Some(toml::Value::Array(rows)) = whole.remove("key") {
        for row in rows {
            let id = row.get("id").and_then(toml::Value::as_str).unwrap_or("a key").to_owned();
            let values = row.get("values").cloned();
            let key = row.try_into().map_err(|error: toml::de::Error| match values.as_ref().and_then(wrong_value) {
                Some((name, message)) => format!("{id}/{name}: {message}"),
                None => format!("{id}: {}", error.message()),
            })?;
            keys.push(key);
        }
    }
    let file: File = whole.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
    resolve(File { key: keys, ..file }, &Profile::ALL)
}

/// Returns the first value that does not follow the grammar, and why.
fn wrong_value(values: &toml::Value) -> Option<(&str, String)> {
    values.as_table()?.iter().find_map(|(name, value)| {
        let error = value.clone().try_into::<ValueEntry>().err()?;
        Some((name.as_str(), error.message().to_owned()))
    })
}

fn resolve(file: File, profiles: &[Profile]) -> Result<Baseline, String> {
    let os = |id: &String| id.parse().map_err(|()| format!("applies-to names {id:?}, which is not an os id"));
    let applies_to = if file.applies_to.is_empty() {
        // A baseline with the name of a Windows applies to that Windows. Another baseline need not apply to any.
        file.id.parse().into_iter().collect()
    } else {
        file.applies_to.iter().map(os).collect::<Result<_, _>>()?
    };
    let mut baseline = Baseline {
        own_text: None,
        names: NamesOnce::default(),
        id: file.id,
        name: file.name,
        applies_to,
        sha256: String::new(),
        keys: file.key.into_iter().map(|key| key.resolve(profiles)).collect::<Result<_, _>>()?,
        steps: file.step.into_iter().map(StepEntry::resolve).collect(),
    };
    baseline.close_lists();
    Ok(baseline)
}

impl KeyEntry {
    fn resolve(self, profiles: &[Profile]) -> Result<ExpectedKey, String> {
        let fail = |message: &str| Err(format!("key {}: {message}", self.id));
        let role = match self.hive.as_str() {
            "SOFTWARE" => Role::Software,
            "SYSTEM" => Role::System,
            _ => return fail("hive must be SOFTWARE or SYSTEM"),
        };
        if self.below.is_some() && self.each_subkey.is_none() {
            return fail("below needs each-subkey");
        }
        let presence = match (&self.expect, self.optional) {
            (Some(_), true) => return fail("optional and expect exclude each other"),
            (Some(ExpectEntry::Absent), false) => Presence::Absent,
            (Some(ExpectEntry::WithParent), false) => Presence::WithParent,
            (None, true) => Presence::Optional,
            (Some(ExpectEntry::Present) | None, false) => Presence::Required,
        };
        let closed = self.others.is_some() || self.subkeys.is_some();
        let says_nothing = self.expect.is_none() && !closed && self.link.is_none();
        match (presence, self.values.0.is_empty()) {
            (Presence::Absent, false) => return fail("a key that is expected absent has no values"),
            (Presence::Absent, true) if closed || self.link.is_some() => {
                return fail("a key that is expected absent cannot have rules for its content");
            }
            (_, true) if says_nothing => {
                return fail("a key needs values, expect, link, or a closed list (others, subkeys)");
            }
            _ => {}
        }
        if self.each_subkey.is_some() && (self.subkeys.is_some() || self.link.is_some()) {
            return fail("a key with each-subkey cannot have a closed list of subkeys, nor a link");
        }
        let itself = presence != Presence::Absent
            && self.each_subkey.is_none()
            && (self.expect.is_some() || self.values.0.is_empty());
        let basis = Basis {
            why: self.why,
            source: Source { title: self.source, url: self.url },
            grade: self.grade,
            kinship: self.kinship,
            stated_in: self.stated_in,
            severity: self.severity.unwrap_or(Severity::Medium),
            attack: self.attack,
        };
        check(&self.id, &basis)?;
        let when = self.when.resolve();
        let profiles = self.profile.unwrap_or_else(|| profiles.to_vec());
        let every_subkey = self.each_subkey.as_ref().is_some_and(|holding| holding.0.is_empty());
        let compare = self.compare;
        let of_key =
            value::OfKey { id: &self.id, basis: &basis, when: &when, profiles: &profiles, every_subkey, compare };
        let values = self.values.0.into_iter().map(|(name, entry)| entry.resolve(&of_key, name));
        Ok(ExpectedKey {
            values: values.collect::<Result<_, _>>()?,
            role,
            path: self.path,
            presence,
            each_subkey: self.each_subkey.map(|holding| Subkeys { holding: holding.0, below: self.below }),
            itself,
            link: self.link,
            closed: matches!(self.others, Some(OthersEntry::Unexpected)),
            beside: BTreeSet::new(),
            subkeys: self.subkeys.map(|OthersEntry::Unexpected| BTreeSet::new()),
            recreate: self.recreate,
            when,
            profiles,
            basis,
            id: self.id,
        })
    }
}

/// Checks that an inferred expectation names its kinship and any other has none.
fn check(id: &str, basis: &Basis) -> Result<(), String> {
    if (basis.grade == Grade::Inferred) == basis.kinship.is_some() {
        Ok(())
    } else {
        Err(format!("{id}: grade inferred and kinship go together"))
    }
}

impl WhenEntry {
    fn resolve(self) -> When {
        When {
            product_type: self.product_type,
            architecture: self.architecture,
            service_pack_at_least: self.service_pack_at_least,
            build_at_least: self.build_at_least,
            build_below: self.build_below,
        }
    }
}

impl StepEntry {
    fn resolve(self) -> Step {
        let basis = Basis {
            why: self.why,
            source: Source { title: self.source, url: self.url },
            grade: self.grade,
            kinship: self.kinship,
            stated_in: self.stated_in,
            severity: Severity::Info,
            attack: Vec::new(),
        };
        Step { id: self.id, advice: self.advice, when: self.when.resolve(), basis }
    }
}
