//! An explanation as plain text.

use std::io::{self, Write};

use super::row::{Id, Row, Stated};
use super::{expected, same_effect, shown};
use crate::baseline::{ExpectedKey, Profile};
use crate::finding::Grade;
use crate::report::escape::escape_data;

/// The longest line, if the text can be broken.
const WIDTH: usize = 80;

/// The output of an explanation.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Page<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    /// Writes what the rows state about an id. `last` is the newest supported Windows.
    pub(super) fn write(mut self, id: &str, found: &Id, rows: &[Row<'_>], last: Option<&str>) -> io::Result<()> {
        let Some(first) = rows.first() else { return Ok(()) };
        writeln!(self.out, "{}", escape_data(id))?;
        self.place(found, first.stated)?;
        self.why(rows)?;
        self.facts(rows, last)?;
        self.expected(rows)?;
        self.list("What Windows shows", &shown::errors(found, first.stated))?;
        self.list("Known deviations", &each_once(rows, |row| expected::exceptions(row.stated)))?;
        self.list("No alarm: Windows treats this the same", &same_effect::notes(rows))?;
        self.by_hand(found, first.stated)
    }

    fn place(&mut self, found: &Id, stated: Stated<'_>) -> io::Result<()> {
        let Some(key) = stated.key() else {
            return writeln!(self.out, "  A manual step: hives do not hold the facts that it needs.");
        };
        let value = match (found, stated) {
            (_, Stated::Value(_, value)) => format!(", value {}", name(&value.name)),
            _ => String::new(),
        };
        self.paragraph(2, &format!("{}: {}{value}", key.role, place(key)))?;
        if let Id::Key(_, Some(other)) = found {
            let text = format!("The baseline does not name {}; the following is about the key.", escape_data(other));
            self.paragraph(2, &text)?;
        }
        Ok(())
    }

    fn why(&mut self, rows: &[Row<'_>]) -> io::Result<()> {
        let groups = grouped(rows, |row| row.stated.basis().why.clone());
        self.heading("Why")?;
        for (why, windows) in &groups {
            self.paragraph(2, why)?;
            if groups.len() > 1 {
                self.paragraph(4, &format!("on {}", windows.join(", ")))?;
            }
        }
        let advice = each_once(rows, |row| match row.stated {
            Stated::Value(_, value) => value.advice.iter().cloned().collect(),
            _ => Vec::new(),
        });
        self.list("What to do", &advice)
    }

    fn facts(&mut self, rows: &[Row<'_>], newest: Option<&str>) -> io::Result<()> {
        self.heading("Facts")?;
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            let span = if first.windows == last.windows {
                first.windows.to_owned()
            } else if Some(last.windows) == newest {
                format!("since {}", first.windows)
            } else {
                format!("{} to {}", first.windows, last.windows)
            };
            self.paragraph(2, &format!("Windows: {span}"))?;
        }
        for (severity, windows) in differing(rows, |row| word(&row.stated.basis().severity)) {
            self.paragraph(2, &format!("severity: {severity}{windows}"))?;
        }
        let attack = each_once(rows, |row| row.stated.basis().attack.clone());
        if !attack.is_empty() {
            let names =
                attack.iter().map(|id| format!("{id} (https://attack.mitre.org/techniques/{}/)", id.replace('.', "/")));
            self.paragraph(2, &format!("ATT&CK: {}", names.collect::<Vec<_>>().join(", ")))?;
        }
        let profiles = |row: &Row<'_>| match row.stated {
            Stated::Value(_, value) => value.profiles.clone(),
            Stated::Key(key) => key.profiles.clone(),
            Stated::Step(_) => vec![Profile::Kb968001],
        };
        let profiles = each_once(rows, |row| profiles(row).iter().map(word).collect());
        self.paragraph(2, &format!("profile: {}", profiles.join(", ")))
    }

    fn expected(&mut self, rows: &[Row<'_>]) -> io::Result<()> {
        self.heading("Expected")?;
        for (at, (lines, of_rows)) in grouped_rows(rows, |row| expected::lines(row.stated)).into_iter().enumerate() {
            if at > 0 {
                writeln!(self.out)?;
            }
            for line in &lines {
                self.paragraph(2, line)?;
            }
            let vouched = |row: &Row<'_>| {
                let basis = row.stated.basis();
                (basis.grade, basis.source.title.clone(), basis.source.url.clone())
            };
            for ((grade, source, url), of_rows) in grouped_rows(&of_rows, vouched) {
                let windows: Vec<&str> = of_rows.iter().map(|row| row.windows).collect();
                self.paragraph(4, &format!("{} on {}", grade_name(grade), windows.join(", ")))?;
                self.paragraph(6, &source)?;
                if let Some(url) = url {
                    self.paragraph(6, &url)?;
                }
            }
        }
        Ok(())
    }

    fn by_hand(&mut self, found: &Id, stated: Stated<'_>) -> io::Result<()> {
        let Some(key) = stated.key() else { return Ok(()) };
        self.heading("By hand")?;
        let value = match (found, stated) {
            (_, Stated::Value(_, value)) if key.each_subkey.is_none() && value.name.is_empty() => " /ve".to_owned(),
            (_, Stated::Value(_, value)) if key.each_subkey.is_none() => {
                format!(" /v \"{}\"", escape_data(&value.name))
            }
            _ if key.each_subkey.is_some() => " /s".to_owned(),
            _ => String::new(),
        };
        let path = escape_data(&key.path);
        writeln!(self.out, "  running Windows:  reg query \"HKLM\\{}\\{path}\"{value}", key.role)?;
        let recursive = if key.each_subkey.is_some() { " --recursive" } else { "" };
        writeln!(self.out, "  a hive:           hivemend show {} '{path}'{recursive}", key.role)
    }

    fn list(&mut self, heading: &str, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.heading(heading)?;
        lines.iter().try_for_each(|line| self.paragraph(2, line))
    }

    fn heading(&mut self, heading: &str) -> io::Result<()> {
        writeln!(self.out, "\n{heading}")
    }

    /// Writes a paragraph with lines broken between words. All lines but the first are indented by two more.
    fn paragraph(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let mut line = String::new();
        let mut at = indent;
        for word in text.split_whitespace() {
            let needed = line.chars().count().saturating_add(word.chars().count()).saturating_add(1);
            if !line.is_empty() && at.saturating_add(needed) > WIDTH {
                writeln!(self.out, "{:at$}{line}", "")?;
                line.clear();
                at = indent.saturating_add(2);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(self.out, "{:at$}{line}", "")
    }
}

fn place(key: &ExpectedKey) -> String {
    let mut path = escape_data(&key.path);
    if let Some(subkeys) = &key.each_subkey {
        let holding: Vec<String> = subkeys.holding.iter().map(|(name, data)| format!("{name} is {data}")).collect();
        let which = if holding.is_empty() {
            ", each subkey".to_owned()
        } else {
            format!(", the subkey where {}", holding.join(" and "))
        };
        path.push_str(&which);
        if let Some(below) = &subkeys.below {
            path.push_str(", its key ");
            path.push_str(below);
        }
    }
    path
}

fn name(name: &str) -> String {
    if name.is_empty() { "(Default)".to_owned() } else { escape_data(name) }
}

fn grade_name(grade: Grade) -> String {
    word(&grade)
}

/// Returns a value of an enumeration as reports spell it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Groups the rows by what they state, in order of first appearance.
fn grouped_rows<'a, T: PartialEq>(rows: &[Row<'a>], of: impl Fn(&Row<'a>) -> T) -> Vec<(T, Vec<Row<'a>>)> {
    let mut groups: Vec<(T, Vec<Row<'a>>)> = Vec::new();
    for row in rows {
        let said = of(row);
        match groups.iter_mut().find(|(known, _)| *known == said) {
            Some((_, group)) => group.push(*row),
            None => groups.push((said, vec![*row])),
        }
    }
    groups
}

/// Groups the rows as [`grouped_rows`] does, and returns only the names of the Windows.
fn grouped<'a>(rows: &[Row<'a>], of: impl Fn(&Row<'a>) -> String) -> Vec<(String, Vec<&'a str>)> {
    let groups = grouped_rows(rows, of).into_iter();
    groups.map(|(said, rows)| (said, rows.into_iter().map(|row| row.windows).collect())).collect()
}

/// Returns what the rows state, with the names of the Windows if they differ.
fn differing(rows: &[Row<'_>], of: impl Fn(&Row<'_>) -> String) -> Vec<(String, String)> {
    let groups = grouped(rows, of);
    let alone = groups.len() == 1;
    let windows = |windows: Vec<&str>| if alone { String::new() } else { format!(" on {}", windows.join(", ")) };
    groups.into_iter().map(|(said, of)| (said, windows(of))).collect()
}

/// Returns everything that the rows state, without duplicates.
fn each_once(rows: &[Row<'_>], of: impl Fn(&Row<'_>) -> Vec<String>) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for one in rows.iter().flat_map(of) {
        if !said.contains(&one) {
            said.push(one);
        }
    }
    said
}
