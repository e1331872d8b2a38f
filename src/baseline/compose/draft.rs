//! A file as a draft of its Windows: the rows that it inherits, and what it states about them.

use toml::{Table, Value};

use super::tables::{list, table_in, tables, text};
use super::{File, RULE, Shared};

/// The fields that are removed together with a rule.
const ATTACHED: [&str; 2] = ["or", "known"];

/// The fields that state the source of a row and its grade. They apply to the Windows whose file states them.
pub(super) const VOUCHING: [&str; 4] = ["source", "url", "grade", "kinship"];

/// One Windows before composition is complete: its rows without sources.
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) like: Option<String>,
    pub(super) keys: Vec<Table>,
    pub(super) steps: Vec<Table>,
}

/// Reads a file as a draft: the rows of the file that it is like, and what it states about them.
pub(super) fn draft(file: &File, parent: Option<&Draft>, shared: &Shared) -> Result<Draft, String> {
    let known = ["id", "name", "like", "drop", "key", "step", "change", "applies-to"];
    if let Some(field) = file.table.keys().find(|field| !known.contains(&field.as_str())) {
        return Err(format!("{field:?} is not a field of a baseline; the fields are {}", known.join(", ")));
    }
    let inherited = |rows: fn(&Draft) -> &Vec<Table>| parent.map(rows).cloned().unwrap_or_default();
    let mut draft = Draft {
        id: file.id.clone(),
        name: text(&file.table, "name").or_else(|| text(&shared.names, &file.id)).map(str::to_owned),
        like: parent.map(|parent| parent.id.clone()),
        keys: inherited(|parent| &parent.keys),
        steps: inherited(|parent| &parent.steps),
    };
    for row in draft.keys.iter_mut().chain(&mut draft.steps) {
        forget(row);
    }
    for dropped in list(&file.table, "drop")? {
        drop_row(&mut draft, &dropped)?;
    }
    for (id, change) in table_in(&file.table, "change")? {
        let change = change.as_table().cloned().ok_or_else(|| format!("change.{id} must be a table"))?;
        let row = draft.keys.iter_mut().chain(&mut draft.steps).find(|row| text(row, "id") == Some(&id));
        let row = row.ok_or_else(|| format!("change.{id}: {:?} has no such row", draft.like))?;
        state(row, change, &file.id, shared)?;
    }
    for key in tables(&file.table, "key")? {
        let (mut row, key) = from_template(key, shared)?;
        let place = Place::of(&key);
        state(&mut row, key, &file.id, shared)?;
        add(&mut draft.keys, row, &place)?;
    }
    for step in tables(&file.table, "step")? {
        let place = Place::of(&step);
        let mut row = Table::new();
        state(&mut row, step, &file.id, shared)?;
        add(&mut draft.steps, row, &place)?;
    }
    Ok(draft)
}

/// Removes what applied only to the Windows that a row was inherited from. A named kinship stays.
fn forget(row: &mut Table) {
    for field in ["source", "url", "grade"] {
        row.remove(field);
    }
    let values = row.get_mut("values").and_then(Value::as_table_mut);
    for (_, value) in values.into_iter().flat_map(Table::iter_mut) {
        if let Some(value) = value.as_table_mut() {
            forget(value);
        }
    }
}

pub(super) fn drop_row(draft: &mut Draft, dropped: &str) -> Result<(), String> {
    let missing = || format!("drop names {dropped:?}, which does not exist");
    let Some((key, name)) = dropped.split_once('/') else {
        let before = draft.keys.len().saturating_add(draft.steps.len());
        draft.keys.retain(|row| text(row, "id") != Some(dropped));
        draft.steps.retain(|row| text(row, "id") != Some(dropped));
        let gone = before != draft.keys.len().saturating_add(draft.steps.len());
        return if gone { Ok(()) } else { Err(missing()) };
    };
    let row = draft.keys.iter_mut().find(|row| text(row, "id") == Some(key));
    let values = row.and_then(|row| row.get_mut("values")).and_then(Value::as_table_mut);
    values.and_then(|values| values.remove(name)).map(|_| ()).ok_or_else(missing)
}

/// The position of a new row among the existing rows. Findings follow the order of the rows.
pub(super) enum Place {
    Last,
    Before(String),
    After(String),
}

impl Place {
    pub(super) fn of(row: &Table) -> Self {
        match (text(row, "before"), text(row, "after")) {
            (Some(before), _) => Self::Before(before.to_owned()),
            (None, Some(after)) => Self::After(after.to_owned()),
            (None, None) => Self::Last,
        }
    }
}

pub(super) fn add(rows: &mut Vec<Table>, row: Table, place: &Place) -> Result<(), String> {
    let id = text(&row, "id").map(str::to_owned).ok_or("a [[key]] or [[step]] without id")?;
    if rows.iter().any(|other| text(other, "id") == Some(&id)) {
        return Err(format!("{id} exists already; use [change.{id}]"));
    }
    let find = |other: &str| {
        let found = rows.iter().position(|row| text(row, "id") == Some(other));
        found.ok_or_else(|| format!("{id} should stand beside {other:?}, which does not exist"))
    };
    let at = match place {
        Place::Last => rows.len(),
        Place::Before(other) => find(other)?,
        Place::After(other) => find(other)?.saturating_add(1),
    };
    rows.insert(at, row);
    Ok(())
}

/// Returns the template's part of a key, and the key without the fields that name the template.
pub(super) fn from_template(mut key: Table, shared: &Shared) -> Result<(Table, Table), String> {
    let Some(kind) = key.remove("template") else { return Ok((Table::new(), key)) };
    let kind = kind.as_str().ok_or("template must be a string")?;
    let name = key.remove("name").and_then(|name| name.as_str().map(str::to_owned));
    let name = name.ok_or_else(|| format!("a key of the template {kind:?} needs a name"))?;
    let template = shared.templates.get(kind).and_then(Value::as_table);
    let mut row = template.cloned().ok_or_else(|| format!("no template {kind:?} in templates.toml"))?;
    let id = name.to_lowercase().replace([' ', '_'], "-");
    for (_, value) in &mut row {
        fill_in(value, &name, &id);
    }
    if let Some(values) = row.get_mut("values").and_then(Value::as_table_mut) {
        say_texts_of_values(values, shared)?;
    }
    Ok((row, key))
}

/// Replaces `{name}` with the name, and `{id}` with its kebab-case form.
fn fill_in(value: &mut Value, name: &str, id: &str) {
    match value {
        Value::String(text) => *text = text.replace("{name}", name).replace("{id}", id),
        Value::Array(entries) => entries.iter_mut().for_each(|entry| fill_in(entry, name, id)),
        Value::Table(table) => table.iter_mut().for_each(|(_, entry)| fill_in(entry, name, id)),
        _ => {}
    }
}

/// Applies what a file states to the inherited row. `id` is the file's id.
pub(super) fn state(row: &mut Table, stated: Table, id: &str, shared: &Shared) -> Result<(), String> {
    let mut stated = stated;
    let values = table_in(&stated, "values")?;
    stated.remove("values");
    stated.remove("after");
    stated.remove("before");
    let own = text(row, "id").or_else(|| text(&stated, "id")).unwrap_or("a row").to_owned();
    let within = |message: String| format!("{own}: {message}");
    say_text(&mut stated, shared).map_err(within)?;
    // A file may state the source of a row without the row. A whole baseline names the file that states each row.
    let says_where = stated.contains_key("stated-in");
    let is_statement = stated.keys().any(|field| !VOUCHING.contains(&field.as_str()));
    for (field, value) in stated {
        row.insert(field, value);
    }
    if !says_where && (is_statement || !row.contains_key("stated-in")) {
        row.insert("stated-in".to_owned(), Value::String(id.to_owned()));
    }
    if values.is_empty() {
        return Ok(());
    }
    let all = row.entry("values").or_insert_with(|| Value::Table(Table::new()));
    let all = all.as_table_mut().ok_or_else(|| within("values must be a table".to_owned()))?;
    for (name, value) in values {
        let within = |message: String| format!("{own}/{name}: {message}");
        let mut value = value.as_table().cloned().ok_or_else(|| within("must be a table".to_owned()))?;
        say_text(&mut value, shared).map_err(within)?;
        let place = all.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        let place = place.as_table_mut().ok_or_else(|| within("must be a table".to_owned()))?;
        change_value(place, value, id).map_err(within)?;
    }
    Ok(())
}

fn change_value(place: &mut Table, mut value: Table, id: &str) -> Result<(), String> {
    let is_rule = |field: &str| RULE.contains(&field);
    if value.keys().any(|field| is_rule(field)) {
        place.retain(|field, _| !is_rule(field) && !ATTACHED.contains(&field));
    }
    let says_where = value.contains_key("stated-in");
    let is_statement = value.keys().any(|field| !VOUCHING.contains(&field.as_str()));
    if let Some(also) = value.remove("or-also") {
        let also = also.as_array().cloned().ok_or("or-also must be a list")?;
        let or = place.entry("or").or_insert_with(|| Value::Array(Vec::new()));
        or.as_array_mut().ok_or("or must be a list")?.extend(also);
    }
    for (field, datum) in value {
        place.insert(field, datum);
    }
    if !says_where && (is_statement || !place.contains_key("stated-in")) {
        place.insert("stated-in".to_owned(), Value::String(id.to_owned()));
    }
    Ok(())
}

/// Replaces a sentence's name, `@name`, with the sentence.
fn say_text(table: &mut Table, shared: &Shared) -> Result<(), String> {
    for field in ["why", "advice", "unknown"] {
        if let Some(Value::String(sentence)) = table.get_mut(field)
            && let Some(name) = sentence.strip_prefix('@')
        {
            *sentence = text(&shared.texts, name).ok_or_else(|| format!("no text {name:?} in texts.toml"))?.to_owned();
        }
    }
    // Deviating data may have a sentence of their own.
    let exceptions = table.get_mut("but").and_then(Value::as_array_mut);
    exceptions.into_iter().flatten().filter_map(Value::as_table_mut).try_for_each(|data| say_text(data, shared))
}

fn say_texts_of_values(values: &mut Table, shared: &Shared) -> Result<(), String> {
    for (_, value) in values.iter_mut() {
        if let Some(value) = value.as_table_mut() {
            say_text(value, shared)?;
        }
    }
    Ok(())
}
