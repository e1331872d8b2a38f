//! A user's file as a whole baseline: its own rows, and those of the built-in baseline that it is like.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::draft::{Draft, Place, VOUCHING, add, drop_row, from_template, state};
use super::tables::{list, table_in, tables, text};
use super::vouching::Voucher;
use super::{File, RULE, Shared};

/// The fields of a user's document.
const DOCUMENT: [&str; 10] =
    ["id", "name", "like", "drop", "key", "step", "change", "applies-to", "defaults", "sources"];

/// The fields that `[defaults]` cannot set, because each key has its own.
const NO_DEFAULT: [&str; 6] = ["id", "path", "values", "template", "before", "after"];

/// See [`super::compose_own`].
pub(super) fn compose(file: &File, parent: Option<&Table>, shared: &Shared) -> Result<Table, String> {
    if let Some(field) = file.table.keys().find(|field| !DOCUMENT.contains(&field.as_str())) {
        return Err(format!("{field:?} is not a field of a baseline; the fields are {}", DOCUMENT.join(", ")));
    }
    let defaults = table_in(&file.table, "defaults")?;
    if let Some(field) = defaults.keys().find(|field| NO_DEFAULT.contains(&field.as_str())) {
        return Err(format!("defaults: {field} belongs to a single key"));
    }
    let mut sources = shared.sources.clone();
    // A name that the file defines means the file's own source.
    sources.extend(table_in(&file.table, "sources")?);
    let name = text(&file.table, "name").or_else(|| text(&shared.names, &file.id)).unwrap_or(&file.id);
    let draft = Draft {
        id: file.id.clone(),
        name: Some(name.to_owned()),
        like: text(&file.table, "like").map(str::to_owned),
        keys: parent.map(|parent| tables(parent, "key")).transpose()?.unwrap_or_default(),
        steps: parent.map(|parent| tables(parent, "step")).transpose()?.unwrap_or_default(),
    };
    let mut own = Own { file, defaults, sources: &sources, shared, draft };
    own.rows()?;
    own.whole()
}

struct Own<'a> {
    file: &'a File,
    defaults: Table,
    sources: &'a Table,
    shared: &'a Shared,
    draft: Draft,
}

impl Own<'_> {
    /// Reads the rows.
    fn rows(&mut self) -> Result<(), String> {
        for dropped in list(&self.file.table, "drop")? {
            drop_row(&mut self.draft, &dropped)?;
        }
        for (id, change) in table_in(&self.file.table, "change")? {
            self.change(&id, change)?;
        }
        let rows = self.draft.keys.iter().chain(&self.draft.steps);
        let mut ids: BTreeSet<String> = rows.filter_map(|row| text(row, "id")).map(str::to_owned).collect();
        let mut take = |row: &Table| {
            let id = text(row, "id").ok_or("a [[key]] or [[step]] without id")?;
            let hint = if self.draft.like.is_some() { "; to change it, use [change]" } else { "" };
            if ids.insert(id.to_owned()) { Ok(()) } else { Err(format!("{id}: this id is taken{hint}")) }
        };
        let mut keys = std::mem::take(&mut self.draft.keys);
        for key in tables(&self.file.table, "key")? {
            let place = Place::of(&key);
            let (mut row, key) = from_template(key, self.shared)?;
            for (field, value) in key.iter().filter(|(field, _)| ["id", "hive", "path"].contains(&field.as_str())) {
                row.insert(field.clone(), value.clone());
            }
            take(&row)?;
            let excludes = |field: &str| match field {
                "expect" => key.contains_key("optional"),
                "optional" => key.contains_key("expect"),
                _ => false,
            };
            for (field, value) in self.defaults.iter().filter(|(field, _)| !excludes(field)) {
                if !row.contains_key(field) {
                    row.insert(field.clone(), value.clone());
                }
            }
            state(&mut row, key, &self.file.id, self.shared)?;
            keep_stated(&mut row, self.shared.names.contains_key(&self.file.id));
            put(&mut keys, row, &place)?;
        }
        self.draft.keys = keys;
        let mut steps = std::mem::take(&mut self.draft.steps);
        for step in tables(&self.file.table, "step")? {
            let place = Place::of(&step);
            take(&step)?;
            let mut row = Table::new();
            for field in VOUCHING {
                if let Some(value) = self.defaults.get(field) {
                    row.insert(field.to_owned(), value.clone());
                }
            }
            state(&mut row, step, &self.file.id, self.shared)?;
            put(&mut steps, row, &place)?;
        }
        self.draft.steps = steps;
        Ok(())
    }

    /// Changes a row of the built-in baseline. The source of its old data does not vouch for new data.
    fn change(&mut self, id: &str, change: Value) -> Result<(), String> {
        let Value::Table(change) = change else { return Err(format!("change.{id} must be a table")) };
        let mut rows = self.draft.keys.iter_mut().chain(&mut self.draft.steps);
        let row = rows.find(|row| text(row, "id") == Some(id));
        let row = row.ok_or_else(|| {
            format!("change.{id}: {} has no such row", self.draft.like.as_deref().unwrap_or("nothing"))
        })?;
        let restates = |table: &Table| table.keys().any(|field| RULE.contains(&field.as_str()) || field == "or-also");
        let needs_source = |table: &Table| restates(table) && !table.contains_key("source");
        let new_data: Vec<String> = table_in(&change, "values")?
            .iter()
            .filter(|(_, value)| value.as_table().is_some_and(needs_source))
            .map(|(name, _)| name.clone())
            .collect();
        let key_restated = needs_source(&change);
        let of_key: Table = change
            .iter()
            .filter(|(field, _)| VOUCHING.contains(&field.as_str()))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect();
        state(row, change, &self.file.id, self.shared)?;
        let vouching = if of_key.contains_key("source") { &of_key } else { &self.defaults };
        if key_restated {
            vouch_anew(row, vouching);
        }
        let values = row.get_mut("values").and_then(Value::as_table_mut);
        for (name, value) in values.into_iter().flat_map(Table::iter_mut) {
            if let Some(value) = value.as_table_mut().filter(|_| new_data.contains(name)) {
                vouch_anew(value, vouching);
                if !value.contains_key("source") {
                    // The source of the key does not cover this value.
                    value.insert("source".to_owned(), Value::String(String::new()));
                }
            }
        }
        Ok(())
    }

    /// Returns the whole baseline.
    fn whole(self) -> Result<Table, String> {
        let drafts = [];
        let voucher = Voucher { draft: &self.draft, drafts: &drafts, sources: self.sources };
        let mut whole = Table::new();
        whole.insert("id".to_owned(), Value::String(self.draft.id.clone()));
        whole.insert("name".to_owned(), Value::String(self.draft.name.clone().unwrap_or_default()));
        for field in ["like", "applies-to"] {
            if let Some(value) = self.file.table.get(field) {
                whole.insert(field.to_owned(), value.clone());
            }
        }
        let mut rows = Vec::with_capacity(self.draft.keys.len());
        for key in &self.draft.keys {
            let mut key = key.clone();
            let id = text(&key, "id").unwrap_or_default().to_owned();
            self.say_who(&voucher, &id, &mut key, true)?;
            if let Some(values) = key.get_mut("values").and_then(Value::as_table_mut) {
                for (name, value) in values.iter_mut() {
                    if let Some(value) = value.as_table_mut() {
                        self.say_who(&voucher, &format!("{id}/{name}"), value, false)?;
                    }
                }
            }
            rows.push(Value::Table(key));
        }
        whole.insert("key".to_owned(), Value::Array(rows));
        let mut rows = Vec::with_capacity(self.draft.steps.len());
        for step in &self.draft.steps {
            let mut step = step.clone();
            let id = text(&step, "id").unwrap_or_default().to_owned();
            self.say_who(&voucher, &id, &mut step, true)?;
            rows.push(Value::Table(step));
        }
        whole.insert("step".to_owned(), Value::Array(rows));
        Ok(whole)
    }

    /// Adds to a row the source that vouches for it. The values of a key inherit the key's source.
    fn say_who(&self, by: &Voucher<'_>, id: &str, row: &mut Table, is_key: bool) -> Result<(), String> {
        let put = |row: &mut Table, field: &str, text: String| {
            row.insert(field.to_owned(), Value::String(text));
        };
        let missing = || format!("{id}: no source; name it in `source`, or for all keys in [defaults]");
        let is_built_in = self.shared.names.contains_key(&self.file.id);
        let vouched = match text(row, "source") {
            Some("") if !is_built_in => return Err(missing()),
            Some(own) if self.sources.contains_key(own) && own != "groups" => by.merit(&[(own, None, None)], id)?,
            Some(text) if !text.is_empty() => {
                if !row.contains_key("grade") {
                    put(row, "grade", "single-source".to_owned());
                }
                return Ok(());
            }
            // A built-in file: its sources name the rows that they cover.
            _ if is_built_in => {
                let Some(vouched) = by.vouched(&self.file.id, id)? else {
                    let kin = text(row, "kinship").or(self.draft.like.as_deref()).unwrap_or(&self.file.id).to_owned();
                    put(row, "source", format!("carried over from {kin}"));
                    put(row, "grade", "inferred".to_owned());
                    put(row, "kinship", kin);
                    return Ok(());
                };
                vouched
            }
            _ if is_key => return Err(missing()),
            _ => return Ok(()),
        };
        row.remove("kinship");
        put(row, "source", vouched.titles.join("; "));
        if let Some(url) = vouched.url {
            put(row, "url", url);
        }
        if !row.contains_key("grade") {
            put(row, "grade", vouched.grade.to_owned());
        }
        Ok(())
    }
}

/// Removes the source of a row and adds the fields of `vouching`.
fn vouch_anew(row: &mut Table, vouching: &Table) {
    for field in VOUCHING {
        row.remove(field);
        if let Some(value) = vouching.get(field) {
            row.insert(field.to_owned(), value.clone());
        }
    }
}

/// Keeps the values that a file states. A value that only the template states has no source here. In a built-in file it
/// is a row, because the sources cover rows by name.
fn keep_stated(row: &mut Table, is_built_in: bool) {
    let is_rule = |value: &Table| RULE.iter().any(|field| value.contains_key(*field));
    if let Some(values) = row.get_mut("values").and_then(Value::as_table_mut) {
        values.retain(|_, value| {
            value.as_table().is_none_or(|value| value.contains_key("stated-in") || is_built_in && is_rule(value))
        });
    }
}

/// Adds a row. Most rows go to the end, however many there are.
fn put(rows: &mut Vec<Table>, row: Table, place: &Place) -> Result<(), String> {
    if matches!(place, Place::Last) {
        rows.push(row);
        return Ok(());
    }
    add(rows, row, place)
}
