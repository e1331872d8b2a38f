//! The rows of a key: data, and the rules that they can state.

use serde::Deserialize;

use super::{AbsentEntry, Ordered, WhenEntry, check};
use crate::baseline::{
    Accepted, Action, Aspect, Basis, Compare, Exception, ExpectedValue, Folders, Known, Profile, Right, Rule, SameAs,
    When,
};
use crate::finding::{Grade, Severity, Source};
use crate::registry::{DataType, RegistryValue};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ValueEntry {
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
    r#type: Option<u32>,
    hex: Option<toml::Value>,
    #[serde(default)]
    or: Vec<toml::Value>,
    #[serde(default)]
    but: Vec<toml::Value>,
    contains: Option<Vec<String>>,
    members: Option<Vec<String>>,
    under: Option<Folders>,
    #[serde(default)]
    known: Ordered<KnownEntry>,
    lacks_action: Option<Vec<Action>>,
    dacl_denies: Option<DeniesEntry>,
    same_as: Option<SameAsEntry>,
    compare: Option<Compare>,
    #[serde(default)]
    optional: bool,
    expect: Option<AbsentEntry>,
    #[serde(default)]
    informational: bool,
    unknown: Option<String>,
    profile: Option<Vec<Profile>>,
    why: Option<String>,
    source: Option<String>,
    url: Option<String>,
    grade: Option<Grade>,
    kinship: Option<String>,
    stated_in: Option<String>,
    severity: Option<Severity>,
    attack: Option<Vec<String>>,
    when: Option<WhenEntry>,
    advice: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownEntry {
    data: Vec<String>,
    of: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DeniesEntry {
    to: Ordered<String>,
    rights: Vec<Right>,
    hidden_from: Option<Ordered<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SameAsEntry {
    row: String,
    r#in: Aspect,
}

/// The fields of an entry of `or` and `but` beside its datum.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlternativeEntry {
    #[serde(default)]
    when: WhenEntry,
    note: Option<String>,
    severity: Option<Severity>,
    why: Option<String>,
    source: Option<String>,
    url: Option<String>,
}

/// What the rows of a key inherit from it.
pub(super) struct OfKey<'a> {
    pub(super) id: &'a str,
    pub(super) basis: &'a Basis,
    pub(super) when: &'a When,
    pub(super) profiles: &'a [Profile],
    /// Whether the key stands for every subkey of its path.
    pub(super) every_subkey: bool,
    /// The default comparison of its values.
    pub(super) compare: Option<Compare>,
}

impl ValueEntry {
    pub(super) fn resolve(mut self, key: &OfKey<'_>, name: String) -> Result<ExpectedValue, String> {
        let id = format!("{}/{name}", key.id);
        let fail = |message: String| format!("{id}: {message}");
        let may_know = key.every_subkey && self.under.is_some();
        if !may_know && !self.known.0.is_empty() {
            return Err(fail("known needs under, in a key with each-subkey = {}".to_owned()));
        }
        let (rule, exceptions) = self.rules(key.compare).map_err(fail)?;
        let same_as = match self.same_as {
            None => None,
            Some(SameAsEntry { row, r#in }) => {
                let (key, value) = row.split_once('/').ok_or_else(|| fail(format!("{row:?} is not a row")))?;
                Some(SameAs { key: key.to_owned(), value: value.to_owned(), aspect: r#in })
            }
        };
        let of_key = key.basis;
        let grade = self.grade.unwrap_or(of_key.grade);
        let basis = Basis {
            why: self.why.unwrap_or_else(|| of_key.why.clone()),
            source: Source {
                // If the value has a source of its own, the key's address does not apply.
                url: if self.source.is_some() { self.url } else { self.url.or_else(|| of_key.source.url.clone()) },
                title: self.source.unwrap_or_else(|| of_key.source.title.clone()),
            },
            grade,
            kinship: self.kinship.or_else(|| of_key.kinship.clone()).filter(|_| grade == Grade::Inferred),
            stated_in: self.stated_in.or_else(|| of_key.stated_in.clone()),
            severity: self.severity.unwrap_or(of_key.severity),
            attack: self.attack.unwrap_or_else(|| of_key.attack.clone()),
        };
        check(&id, &basis)?;
        let when = self.when.map_or_else(|| key.when.clone(), WhenEntry::resolve);
        let profiles = self.profile.unwrap_or_else(|| key.profiles.to_vec());
        let (optional, advice) = (self.optional, self.advice);
        Ok(ExpectedValue { name, rule, exceptions, same_as, optional, when, profiles, advice, basis })
    }

    fn rules(&mut self, compare: Option<Compare>) -> Result<(Rule, Vec<Exception>), String> {
        let raw = match (self.r#type.take(), self.hex.take()) {
            (None, None) => None,
            (Some(data_type), Some(hex)) => Some((DataType(data_type), hex)),
            _ => return Err("type and hex go together".to_owned()),
        };
        let is_raw = raw.is_some();
        let typed = [
            (DataType::SZ, self.sz.take()),
            (DataType::EXPAND_SZ, self.expand_sz.take()),
            (DataType::DWORD, self.dword.take()),
            (DataType::QWORD, self.qword.take()),
            (DataType::MULTI_SZ, self.multi_sz.take()),
            (DataType::BINARY, self.binary.take()),
        ];
        let typed = typed.into_iter().filter_map(|(data_type, datum)| Some((data_type, datum?)));
        let mut data = typed.chain(raw);
        let first = data.next();
        if data.next().is_some() {
            return Err("more than one first datum; put the others into `or`".to_owned());
        }
        let given = [
            self.contains.is_some(),
            self.members.is_some(),
            self.under.is_some(),
            self.lacks_action.is_some(),
            self.dacl_denies.is_some(),
            self.expect.is_some(),
            self.informational,
            self.unknown.is_some(),
            first.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err("needs exactly one of a datum, contains, members, under, lacks-action, dacl-denies, expect, \
                        informational, unknown"
                .to_owned());
        }
        let data_type = first.as_ref().map(|(data_type, _)| *data_type);
        let exceptions = self.but.iter().map(|entry| exception(entry, data_type)).collect::<Result<_, _>>()?;
        let rule = match first {
            Some((data_type, datum)) => {
                let first = if is_raw { raw_value(data_type, &datum)? } else { value(data_type, &datum)? };
                let mut accepted = vec![first.into()];
                for entry in &self.or {
                    accepted.push(alternative(entry, data_type)?);
                }
                let usual = match data_type {
                    _ if is_raw => Compare::Bytes,
                    DataType::MULTI_SZ => Compare::Set,
                    _ => Compare::Exact,
                };
                Rule::OneOf { accepted, compare: self.compare.or(compare).unwrap_or(usual) }
            }
            None if !self.or.is_empty() => return Err("or needs a first datum".to_owned()),
            None => self.other_rule(),
        };
        Ok((rule, exceptions))
    }

    /// Returns the rule of a row that has no datum.
    fn other_rule(&mut self) -> Rule {
        if let Some(entries) = self.contains.take() {
            Rule::Contains(entries)
        } else if let Some(services) = self.members.take() {
            Rule::Members(services)
        } else if let Some(folders) = self.under {
            let known = std::mem::take(&mut self.known.0).into_iter();
            let known = known.map(|(subkey, entry)| Known { subkey, data: entry.data, of: entry.of });
            Rule::Under { folders, known: known.collect() }
        } else if let Some(actions) = self.lacks_action.take() {
            Rule::LacksAction(actions)
        } else if let Some(denies) = self.dacl_denies.take() {
            let hidden_from = denies.hidden_from.map(|hidden_from| hidden_from.0).unwrap_or_default();
            Rule::DaclDenies { trustees: denies.to.0, rights: denies.rights, hidden_from }
        } else if let Some(reason) = self.unknown.take() {
            Rule::Unknown(reason)
        } else if self.informational {
            Rule::Informational
        } else {
            Rule::Absent
        }
    }
}

/// Reads an entry of `or`: a bare datum, or a table with one datum and more fields.
fn alternative(entry: &toml::Value, usual: DataType) -> Result<Accepted, String> {
    let (value, said) = split(entry, Some(usual))?;
    if said.severity.is_some() || said.why.is_some() {
        return Err("an entry of `or` has no severity and no why; an entry of `but` has both".to_owned());
    }
    Ok(Accepted { value, when: said.when.resolve(), note: said.note, source: source(said.source, said.url) })
}

/// Reads an entry of `but`.
fn exception(entry: &toml::Value, usual: Option<DataType>) -> Result<Exception, String> {
    let (value, said) = split(entry, usual)?;
    let (Some(severity), Some(why), None) = (said.severity, said.why, said.note) else {
        return Err("an entry of `but` has a severity and a why, and no note".to_owned());
    };
    Ok(Exception { value, when: said.when.resolve(), severity, why, source: source(said.source, said.url) })
}

fn source(title: Option<String>, url: Option<String>) -> Option<Source> {
    title.map(|title| Source { title, url })
}

fn split(entry: &toml::Value, usual: Option<DataType>) -> Result<(RegistryValue, AlternativeEntry), String> {
    let Some(table) = entry.as_table() else {
        let usual = usual.ok_or("a bare datum needs a first one of its type")?;
        return Ok((value(usual, entry)?, AlternativeEntry::default()));
    };
    let (data, said): (toml::Table, toml::Table) =
        table.clone().into_iter().partition(|(name, _)| name.starts_with("REG_") || name == "type" || name == "hex");
    let said = said.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
    Ok((datum(&toml::Value::Table(data))?, said))
}

/// Reads a datum that its type names: `{ REG_SZ = "..." }`.
pub(in crate::baseline) fn datum(entry: &toml::Value) -> Result<RegistryValue, String> {
    let fields = entry.as_table().map(|table| table.iter().map(|(name, datum)| (name.as_str(), datum)));
    match fields.map(Iterator::collect::<Vec<_>>).as_deref() {
        Some([("type", number), ("hex", hex)] | [("hex", hex), ("type", number)]) => {
            let number = number.as_integer().and_then(|number| u32::try_from(number).ok());
            raw_value(DataType(number.ok_or("type is the number of a registry type")?), hex)
        }
        Some([(name, datum)]) => {
            value(DataType::from_name(name).ok_or_else(|| format!("{name} is not a registry type"))?, datum)
        }
        _ => Err("a datum has one type and its data".to_owned()),
    }
}

fn value(data_type: DataType, datum: &toml::Value) -> Result<RegistryValue, String> {
    let wrong = || format!("{datum:?} is not a datum of {data_type}");
    let number = || datum.as_integer().ok_or_else(wrong);
    Ok(match data_type {
        DataType::SZ | DataType::EXPAND_SZ => RegistryValue::text(data_type, datum.as_str().ok_or_else(wrong)?),
        DataType::DWORD => RegistryValue::dword(u32::try_from(number()?).map_err(|_| wrong())?),
        DataType::QWORD => RegistryValue::qword(u64::try_from(number()?).map_err(|_| wrong())?),
        DataType::MULTI_SZ => {
            let entries = datum.as_array().ok_or_else(wrong)?.iter().map(toml::Value::as_str);
            RegistryValue::list(&entries.collect::<Option<Vec<_>>>().ok_or_else(wrong)?)
        }
        DataType::BINARY => return raw_value(data_type, datum),
        _ => return Err(wrong()),
    })
}

/// Reads data of any type from their bytes in hexadecimal.
fn raw_value(data_type: DataType, hex: &toml::Value) -> Result<RegistryValue, String> {
    let wrong = || format!("{hex:?} is not a datum of {data_type}: expected two hexadecimal digits a byte");
    let (pairs, rest) = hex.as_str().ok_or_else(wrong)?.as_bytes().as_chunks::<2>();
    let digits = |pair: &[u8; 2]| pair.iter().all(u8::is_ascii_hexdigit);
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|_| digits(pair))?, 16).ok();
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<_>>>().filter(|_| rest.is_empty());
    Ok(RegistryValue { data_type, bytes: bytes.ok_or_else(wrong)? })
}
