//! The sources that vouch for the rows of a draft, and the resulting grade.

use toml::{Table, Value};

use super::RULE;
use super::draft::Draft;
use super::tables::{list, table_in, tables, text};

/// The sources of the rows of one Windows.
pub(super) struct Voucher<'a> {
    pub(super) draft: &'a Draft,
    pub(super) drafts: &'a [Draft],
    pub(super) sources: &'a Table,
}

/// The combined sources of one row.
pub(super) struct Vouched {
    pub(super) titles: Vec<String>,
    pub(super) url: Option<String>,
    pub(super) grade: &'static str,
}

impl Voucher<'_> {
    /// Returns the whole baseline, each row with its sources and grade, without values that only a template names.
    pub(super) fn whole(&self) -> Result<Table, String> {
        let mut whole = Table::new();
        whole.insert("id".to_owned(), Value::String(self.draft.id.clone()));
        whole.insert("name".to_owned(), Value::String(self.draft.name.clone().unwrap_or_default()));
        if let Some(like) = self.draft.like.as_ref().filter(|like| self.name_of(like).is_some()) {
            whole.insert("like".to_owned(), Value::String(like.clone()));
        }
        let mut keys = Vec::with_capacity(self.draft.keys.len());
        for key in &self.draft.keys {
            let mut key = key.clone();
            let id = text(&key, "id").unwrap_or_default().to_owned();
            let of_key = text(&key, "kinship").map(str::to_owned);
            self.vouch(&id, &mut key)?;
            let values = key.get_mut("values").and_then(Value::as_table_mut);
            if let Some(values) = values {
                // A value that only a template names is not a row.
                values.retain(|_, value| {
                    value.as_table().is_some_and(|value| RULE.iter().any(|field| value.contains_key(*field)))
                });
                for (name, value) in values.iter_mut() {
                    // Without a statement there is no source.
                    if let Some(value) = value.as_table_mut().filter(|value| !value.contains_key("unknown")) {
                        if let Some(kin) = of_key.as_ref().filter(|_| !value.contains_key("kinship")) {
                            value.insert("kinship".to_owned(), Value::String(kin.clone()));
                        }
                        self.vouch(&format!("{id}/{name}"), value)?;
                    }
                }
            }
            keys.push(Value::Table(key));
        }
        whole.insert("key".to_owned(), Value::Array(keys));
        let mut steps = Vec::with_capacity(self.draft.steps.len());
        for step in &self.draft.steps {
            let mut step = step.clone();
            let id = text(&step, "id").unwrap_or_default().to_owned();
            self.vouch(&id, &mut step)?;
            steps.push(Value::Table(step));
        }
        whole.insert("step".to_owned(), Value::Array(steps));
        Ok(whole)
    }

    /// Returns the name of a Windows, if the file describes one.
    fn name_of(&self, id: &str) -> Option<&str> {
        self.drafts.iter().find(|draft| draft.id == id)?.name.as_deref()
    }

    /// Adds to a row the sources that vouch for it.
    fn vouch(&self, id: &str, row: &mut Table) -> Result<(), String> {
        let own = row.remove("source").and_then(|source| source.as_str().map(str::to_owned));
        let put = |row: &mut Table, field: &str, text: String| {
            row.insert(field.to_owned(), Value::String(text));
        };
        if let Some(own) = own.as_ref().filter(|own| !self.sources.contains_key(own.as_str())) {
            // A source that only this row names, as in a user's baseline.
            let grade = text(row, "grade").unwrap_or("single-source").to_owned();
            put(row, "source", own.clone());
            put(row, "grade", grade);
            return Ok(());
        }
        let mut vouched = self.vouched(&self.draft.id, id)?;
        if let Some(own) = own {
            let mut own = self.merit(&[(own.as_str(), None, None)], id)?;
            own.titles.extend(vouched.iter_mut().flat_map(|vouched| std::mem::take(&mut vouched.titles)));
            vouched = Some(own);
        }
        if let Some(vouched) = vouched {
            row.remove("kinship");
            put(row, "source", vouched.titles.join("; "));
            if let Some(url) = vouched.url {
                put(row, "url", url);
            }
            put(row, "grade", vouched.grade.to_owned());
            return Ok(());
        }
        let (kin, of_kin) = self.kin(id, text(row, "kinship"))?;
        let name = self.name_of(&kin).unwrap_or(&kin).to_owned();
        put(
            row,
            "source",
            of_kin.map_or(format!("carried over from {name}"), |of_kin| {
                format!("carried over from {name} ({})", of_kin.titles.join("; "))
            }),
        );
        put(row, "grade", "inferred".to_owned());
        put(row, "kinship", kin);
        Ok(())
    }

    /// Returns the nearest Windows that this one is like and that has a source for the row. If none has a source,
    /// returns the Windows that this one is like. `named` is the Windows that a file names instead.
    fn kin(&self, id: &str, named: Option<&str>) -> Result<(String, Option<Vouched>), String> {
        if let Some(named) = named.filter(|named| *named != self.draft.id) {
            self.name_of(named).ok_or_else(|| format!("{id}: kinship names {named:?}, which is not a Windows"))?;
            if !self.has_row(named, id) {
                return Err(format!("{id}: kinship names {named:?}, which has no such row to carry over"));
            }
            return Ok((named.to_owned(), self.vouched(named, id)?));
        }
        let mut nearest = None;
        let mut at = self.draft;
        while let Some(parent) = at.like.as_ref().and_then(|like| self.drafts.iter().find(|draft| draft.id == *like)) {
            at = parent;
            if parent.name.is_none() || !self.has_row(&parent.id, id) {
                continue;
            }
            if let Some(vouched) = self.vouched(&parent.id, id)? {
                return Ok((parent.id.clone(), Some(vouched)));
            }
            nearest.get_or_insert_with(|| parent.id.clone());
        }
        match nearest {
            Some(nearest) => Ok((nearest, None)),
            None => Err(format!("{id}: no source covers it, and it has no kinship; write `unknown` or a kinship")),
        }
    }

    /// Returns whether the rows of a Windows include this one.
    fn has_row(&self, windows: &str, id: &str) -> bool {
        let Some(draft) = self.drafts.iter().find(|draft| draft.id == windows) else { return false };
        let (key, value) = id.split_once('/').map_or((id, None), |(key, value)| (key, Some(value)));
        let row = draft.keys.iter().chain(&draft.steps).find(|row| text(row, "id") == Some(key));
        row.is_some_and(|row| {
            value.is_none_or(|value| {
                let values = row.get("values").and_then(Value::as_table);
                let value = values.and_then(|values| values.get(value)).and_then(Value::as_table);
                value.is_some_and(|value| RULE.iter().any(|field| value.contains_key(*field)))
            })
        })
    }

    /// Returns the combined sources that cover a row; `None` if no source covers it.
    pub(super) fn vouched(&self, windows: &str, id: &str) -> Result<Option<Vouched>, String> {
        let mut covering = Vec::new();
        for (name, source) in self.sources.iter().filter(|(name, _)| *name != "groups") {
            let source = source.as_table().ok_or_else(|| format!("sources.toml: {name} must be a table"))?;
            for cover in tables(source, "covers").map_err(|message| format!("sources.toml: {name}: {message}"))? {
                if self.includes(&list(&cover, "windows")?, windows)? && covers(&list(&cover, "rows")?, id) {
                    let own = |field| text(&cover, field).map(str::to_owned);
                    covering.push((name.as_str(), own("at"), own("url")));
                    break;
                }
            }
        }
        if covering.is_empty() { Ok(None) } else { self.merit(&covering, id).map(Some) }
    }

    /// Returns whether `windows` is in a list of Windows and of groups of them.
    fn includes(&self, list_of: &[String], windows: &str) -> Result<bool, String> {
        let groups = table_in(self.sources, "groups")?;
        for entry in list_of {
            let members = list(&groups, entry)?;
            if entry == windows || members.iter().any(|member| member == windows) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Combines sources. Microsoft's own text, two machines, or two sources of different origin confirm a row; one
    /// source alone does not.
    pub(super) fn merit(
        &self,
        covering: &[(&str, Option<String>, Option<String>)],
        id: &str,
    ) -> Result<Vouched, String> {
        let mut vouched = Vouched { titles: Vec::new(), url: None, grade: "single-source" };
        let mut origins: Vec<&str> = Vec::new();
        for (name, at, url) in covering {
            let source = self.sources.get(*name).and_then(Value::as_table);
            let source = source.ok_or_else(|| format!("{id}: no source {name:?} in sources.toml"))?;
            let field = |field| text(source, field).ok_or_else(|| format!("sources.toml: {name} has no {field}"));
            let title = field("title")?;
            vouched.titles.push(at.as_ref().map_or(title.to_owned(), |at| format!("{title}, {at}")));
            let url = url.as_deref().or_else(|| text(source, "url"));
            vouched.url = vouched.url.or_else(|| url.map(|url| url.replace("{service}", service(id))));
            let machines = source.get("machines").and_then(Value::as_integer).unwrap_or(1);
            let origin = text(source, "origin").unwrap_or(name);
            if !origins.contains(&origin) {
                origins.push(origin);
            }
            if field("kind")? == "microsoft" || machines > 1 || origins.len() > 1 {
                vouched.grade = "confirmed";
            }
        }
        Ok(vouched)
    }
}

/// Returns the service that a row is about: `bits` in `service-bits-parameters/ServiceDll`.
fn service(row: &str) -> &str {
    let key = row.split('/').next().unwrap_or(row);
    key.strip_prefix("service-").unwrap_or(key).trim_end_matches("-parameters")
}

/// Returns whether a list of patterns covers a row. `key/*` covers the key and its values; `!` takes a row out again.
fn covers(patterns: &[String], row: &str) -> bool {
    let fits = |pattern: &str| {
        pattern == row
            || pattern.strip_suffix("/*").is_some_and(|key| like(key, row.split('/').next().unwrap_or(row)))
            || pattern.contains('*') && like(pattern, row)
    };
    let taken_out = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')).any(fits);
    !taken_out && patterns.iter().filter(|pattern| !pattern.starts_with('!')).any(|pattern| fits(pattern))
}

/// Returns whether a text fits a pattern in which `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).filter_map(|skipped| tail.get(skipped..)).any(|tail| like(rest, tail))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_names() {
        let covers =
            |patterns: &[&str], row| covers(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>(), row);
        assert!(covers(&["service-bits/*"], "service-bits/Start") && covers(&["service-bits/*"], "service-bits"));
        assert!(!covers(&["service-bits/*"], "service-bits-parameters/ServiceDll"));
        assert!(
            covers(&["service-*/Start"], "service-sens/Start") && !covers(&["service-*/Start"], "service-sens/Type")
        );
        assert!(!covers(&["service-bits/*", "!service-bits/Type"], "service-bits/Type"));
    }
}
