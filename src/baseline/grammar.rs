//! The grammar of a baseline file, as TOML has it, and its meaning.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::{Baseline, Basis, Compare, ExpectedKey, ExpectedValue, Presence, Rule, Step, Subkeys, When};
use crate::finding::{Grade, Severity, Source};
use crate::registry::{DataType, RegistryValue, Role};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    id: String,
    name: String,
    applies_to: Vec<String>,
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
    severity: Option<Severity>,
    #[serde(default)]
    attack: Vec<String>,
    #[serde(default)]
    when: WhenEntry,
    expect: Option<AbsentEntry>,
    #[serde(default)]
    optional: bool,
    each_subkey: Option<Ordered<String>>,
    below: Option<String>,
    others: Option<OthersEntry>,
    #[serde(default)]
    recreate: bool,
    #[serde(default)]
    values: Ordered<ValueEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ValueEntry {
    #[serde(rename = "REG_SZ")]
    sz: Option<toml::Value>,
    #[serde(rename = "REG_EXPAND_SZ")]
    expand_sz: Option<toml::Value>,
    #[serde(rename = "REG_DWORD")]
    dword: Option<toml::Value>,
    #[serde(rename = "REG_QWORD")]
    qword: Option<toml::Value>,
    #[serde(rename = "REG_MULTI_SZ")]
    multi_sz: Option<toml::Value>,
    #[serde(rename = "REG_BINARY")]
    binary: Option<toml::Value>,
    #[serde(default)]
    or: Vec<toml::Value>,
    contains: Option<Vec<String>>,
    compare: Option<Compare>,
    #[serde(default)]
    optional: bool,
    expect: Option<AbsentEntry>,
    #[serde(default)]
    informational: bool,
    unknown: Option<String>,
    why: Option<String>,
    source: Option<String>,
    url: Option<String>,
    grade: Option<Grade>,
    kinship: Option<String>,
    severity: Option<Severity>,
    attack: Option<Vec<String>>,
    when: Option<WhenEntry>,
    advice: Option<String>,
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
    #[serde(default)]
    when: WhenEntry,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WhenEntry {
    product_type: Option<Vec<String>>,
    architecture: Option<Vec<String>>,
    service_pack_at_least: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AbsentEntry {
    Absent,
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

/// Reads a baseline. The sum of the file is left for the caller.
pub(super) fn parse(text: &str) -> Result<Baseline, String> {
    resolve(toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?)
}

/// Reads a baseline that was made JSON: the same grammar in another notation.
pub(super) fn parse_json(json: &str) -> Result<Baseline, String> {
    resolve(serde_json::from_str(json).map_err(|error| error.to_string())?)
}

fn resolve(file: File) -> Result<Baseline, String> {
    let applies_to = file
        .applies_to
        .iter()
        .map(|id| id.parse().map_err(|()| format!("applies-to names {id:?}, which is no os id")))
        .collect::<Result<_, _>>()?;
    Ok(Baseline {
        id: file.id,
        name: file.name,
        applies_to,
        sha256: String::new(),
        keys: file.key.into_iter().map(KeyEntry::resolve).collect::<Result<_, _>>()?,
        steps: file.step.into_iter().map(StepEntry::resolve).collect(),
    })
}

impl KeyEntry {
    fn resolve(self) -> Result<ExpectedKey, String> {
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
            (Some(AbsentEntry::Absent), false) => Presence::Absent,
            (Some(AbsentEntry::Absent), true) => return fail("optional and expect = \"absent\" exclude each other"),
            (None, true) => Presence::Optional,
            (None, false) => Presence::Required,
        };
        if (presence == Presence::Absent) != self.values.0.is_empty() {
            return fail("a key is either expected absent or has values");
        }
        let basis = Basis {
            why: self.why,
            source: Source { title: self.source, url: self.url },
            grade: self.grade,
            kinship: self.kinship,
            severity: self.severity.unwrap_or(Severity::Medium),
            attack: self.attack,
        };
        check(&self.id, &basis)?;
        let when = self.when.resolve();
        let values = self.values.0.into_iter().map(|(name, entry)| entry.resolve(&self.id, name, &basis, &when));
        Ok(ExpectedKey {
            values: values.collect::<Result<_, _>>()?,
            role,
            path: self.path,
            presence,
            each_subkey: self.each_subkey.map(|holding| Subkeys { holding: holding.0, below: self.below }),
            closed: matches!(self.others, Some(OthersEntry::Unexpected)),
            recreate: self.recreate,
            when,
            basis,
            id: self.id,
        })
    }
}

/// An inferred expectation names its kinship; another has none.
fn check(id: &str, basis: &Basis) -> Result<(), String> {
    if (basis.grade == Grade::Inferred) == basis.kinship.is_some() {
        Ok(())
    } else {
        Err(format!("{id}: grade inferred and kinship go together"))
    }
}

impl ValueEntry {
    fn resolve(self, key: &str, name: String, of_key: &Basis, when_of_key: &When) -> Result<ExpectedValue, String> {
        let id = format!("{key}/{name}");
        let rule = self.rule().map_err(|message| format!("{id}: {message}"))?;
        let grade = self.grade.unwrap_or(of_key.grade);
        let basis = Basis {
            why: self.why.unwrap_or_else(|| of_key.why.clone()),
            source: Source {
                // A source of the value's own comes with its own address, or with none.
                url: if self.source.is_some() { self.url } else { self.url.or_else(|| of_key.source.url.clone()) },
                title: self.source.unwrap_or_else(|| of_key.source.title.clone()),
            },
            grade,
            kinship: self.kinship.or_else(|| of_key.kinship.clone()).filter(|_| grade == Grade::Inferred),
            severity: self.severity.unwrap_or(of_key.severity),
            attack: self.attack.unwrap_or_else(|| of_key.attack.clone()),
        };
        check(&id, &basis)?;
        let when = self.when.map_or_else(|| when_of_key.clone(), WhenEntry::resolve);
        Ok(ExpectedValue { name, rule, optional: self.optional, when, advice: self.advice, basis })
    }

    fn rule(&self) -> Result<Rule, String> {
        let typed = [
            (DataType::SZ, &self.sz),
            (DataType::EXPAND_SZ, &self.expand_sz),
            (DataType::DWORD, &self.dword),
            (DataType::QWORD, &self.qword),
            (DataType::MULTI_SZ, &self.multi_sz),
            (DataType::BINARY, &self.binary),
        ];
        let mut data = typed.into_iter().filter_map(|(data_type, datum)| Some((data_type, datum.as_ref()?)));
        let first = data.next();
        if data.next().is_some() {
            return Err("more than one first datum; put the others into `or`".to_owned());
        }
        let others = [
            self.contains.is_some(),
            self.expect.is_some(),
            self.informational,
            self.unknown.is_some(),
            first.is_some(),
        ];
        if others.iter().filter(|given| **given).count() != 1 {
            return Err("needs exactly one of a datum, contains, expect, informational, unknown".to_owned());
        }
        let Some((data_type, datum)) = first else {
            return Ok(match (&self.contains, &self.unknown) {
                (Some(entries), _) => Rule::Contains(entries.clone()),
                (_, Some(reason)) => Rule::Unknown(reason.clone()),
                _ if self.informational => Rule::Informational,
                _ => Rule::Absent,
            });
        };
        let mut accepted = vec![value(data_type, datum)?];
        for other in &self.or {
            accepted.push(match other.as_table() {
                Some(table) => match table.iter().collect::<Vec<_>>().as_slice() {
                    [(name, datum)] => {
                        let other_type = DataType::from_name(name).ok_or_else(|| format!("{name} is no type"))?;
                        value(other_type, datum)?
                    }
                    _ => return Err("an entry of `or` has one type and its data".to_owned()),
                },
                None => value(data_type, other)?,
            });
        }
        let usual = if data_type == DataType::MULTI_SZ { Compare::Set } else { Compare::Exact };
        Ok(Rule::OneOf { accepted, compare: self.compare.unwrap_or(usual) })
    }
}

/// A datum that is named by its type: `{ REG_SZ = "..." }`.
pub(super) fn datum(entry: &toml::Value) -> Result<RegistryValue, String> {
    match entry.as_table().map(|table| table.iter().collect::<Vec<_>>()).as_deref() {
        Some([(name, datum)]) => value(DataType::from_name(name).ok_or_else(|| format!("{name} is no type"))?, datum),
        _ => Err("a datum has one type and its data".to_owned()),
    }
}

fn value(data_type: DataType, datum: &toml::Value) -> Result<RegistryValue, String> {
    let wrong = || format!("{datum:?} is no datum of {data_type}");
    let number = || datum.as_integer().ok_or_else(wrong);
    Ok(match data_type {
        DataType::SZ | DataType::EXPAND_SZ => RegistryValue::text(data_type, datum.as_str().ok_or_else(wrong)?),
        DataType::DWORD => RegistryValue::dword(u32::try_from(number()?).map_err(|_| wrong())?),
        DataType::QWORD => RegistryValue::qword(u64::try_from(number()?).map_err(|_| wrong())?),
        DataType::MULTI_SZ => {
            let entries = datum.as_array().ok_or_else(wrong)?.iter().map(toml::Value::as_str);
            RegistryValue::list(&entries.collect::<Option<Vec<_>>>().ok_or_else(wrong)?)
        }
        DataType::BINARY => {
            let (pairs, rest) = datum.as_str().ok_or_else(wrong)?.as_bytes().as_chunks::<2>();
            let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            let bytes = pairs.iter().map(byte).collect::<Option<Vec<_>>>().filter(|_| rest.is_empty());
            RegistryValue { data_type, bytes: bytes.ok_or_else(wrong)? }
        }
        _ => return Err(wrong()),
    })
}

impl WhenEntry {
    fn resolve(self) -> When {
        When {
            product_type: self.product_type,
            architecture: self.architecture,
            service_pack_at_least: self.service_pack_at_least,
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
            severity: Severity::Info,
            attack: Vec::new(),
        };
        Step { id: self.id, advice: self.advice, when: self.when.resolve(), basis }
    }
}
