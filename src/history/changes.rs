//! Changes between columns, each between the last column with the old data and the first with the new data.

use super::{Cell, Change, Column, Presence, Row, View};
use crate::report::table::data;

/// Returns the changes of a value along the followed columns. Columns where the value cannot be read or was not audited
/// are skipped, so the interval is wider.
pub(super) fn changes(row: &Row, columns: &[Column]) -> Vec<Change> {
    let known = |cell: &Cell| matches!(cell.state, Presence::Present | Presence::Absent);
    let followed = row.cells.iter().zip(columns).enumerate();
    let followed = followed.filter(|(_, (cell, column))| column.followed && known(cell));
    let mut changes = Vec::new();
    let mut last: Option<(usize, &Cell, &Column)> = None;
    for (index, (cell, column)) in followed {
        if let Some((until, old, before)) = last
            && !same(old, cell)
        {
            let sentence = sentence(row, (old, before), (cell, column));
            changes.push(Change { until, from: index, sentence });
        }
        last = Some((index, cell, column));
    }
    changes
}

/// Returns whether the control sets of one hive, in one view, contain different data.
pub(super) fn control_sets_differ(cells: &[Cell], columns: &[Column]) -> bool {
    let known = |cell: &Cell| matches!(cell.state, Presence::Present | Presence::Absent);
    // The control sets of one hive are adjacent, in the order of their numbers.
    let mut first: Option<(&Cell, &Column)> = None;
    for (cell, column) in cells.iter().zip(columns).filter(|(cell, _)| known(cell)) {
        match first {
            Some((other, of)) if of.path == column.path && of.view == column.view => {
                if !same(other, cell) {
                    return true;
                }
            }
            _ => first = Some((cell, column)),
        }
    }
    false
}

/// Returns whether two cells have the same data, or both have no data.
pub(super) fn same(a: &Cell, b: &Cell) -> bool {
    a.state == b.state && a.observed == b.observed
}

fn sentence(row: &Row, (old, before): (&Cell, &Column), (new, after): (&Cell, &Column)) -> String {
    let value = row.value.as_ref().map_or("the key".to_owned(), |value| data::name(value));
    let time = |column: &Column| column.last_written.map_or(String::new(), |time| format!(" ({time})"));
    let written = match (new.key_last_written, &new.key_last_written_note) {
        (Some(_), Some(note)) => format!(" (its key's time cannot be right: {})", data::prose(note)),
        // The data, and so the key, changed after the older hive was written, but the key's time is earlier.
        (Some(time), None) if before.last_written.is_some_and(|old| time < old) => {
            format!(" (key written {time}, which is before the hive that still has the old data)")
        }
        (Some(time), None) => format!(" (key written {time})"),
        (None, _) => time(after),
    };
    // Logs are applied to the file beside them, whatever its time is.
    let ordered = before.last_written != after.last_written || before.path == after.path;
    let order = if ordered { "" } else { "; both were last written at the same time, and the order is a guess" };
    format!(
        "{value} {} until {}{}, {} from {}{written}{order}",
        said(old),
        place(before),
        time(before),
        said(new),
        place(after)
    )
}

/// Returns the data of a cell in a few words.
pub(crate) fn said(cell: &Cell) -> String {
    match (&cell.state, &cell.observed) {
        (_, Some(observed)) => data::value(observed),
        (Presence::Present, None) => "there".to_owned(),
        (Presence::Absent, None) => "absent".to_owned(),
        (Presence::Unreadable, None) => "unreadable".to_owned(),
        (Presence::NotAudited, None) => "not audited".to_owned(),
    }
}

fn place(column: &Column) -> String {
    match column.view {
        View::Replayed => format!("{} with its logs", data::prose(&column.label)),
        View::Primary => data::prose(&column.label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::Generation;
    use crate::finding::{Datum, ObservedDatum};
    use crate::hive::State;
    use crate::registry::{DataType, FileTime};

    fn column(time: u64, label: &str) -> Column {
        Column {
            letter: String::new(),
            label: label.to_owned(),
            generation: Generation::Copy,
            path: label.to_owned(),
            same: Vec::new(),
            view: View::Primary,
            control_set: None,
            marks: Vec::new(),
            followed: label != "aside",
            last_written: Some(FileTime(time)),
            sha256: None,
            md5: None,
            sha1: None,
            state: State::Clean,
            os: "windows-xp".parse().unwrap(),
            judged: true,
        }
    }

    /// Returns a cell. `None` is unreadable, and an empty text is absent.
    fn cell(data: Option<&str>, key_written: u64) -> Cell {
        let observed = data.filter(|data| !data.is_empty()).map(|data| ObservedDatum {
            datum: Datum { data_type: DataType(3), data: None },
            raw: data.as_bytes().to_vec(),
        });
        let state = match data {
            None => Presence::Unreadable,
            Some("") => Presence::Absent,
            Some(_) => Presence::Present,
        };
        let key_last_written = Some(FileTime(key_written));
        Cell { state, observed, verdict: None, key_last_written, key_last_written_note: None }
    }

    fn told(cells: &[(Option<&str>, u64, u64, &str)]) -> Vec<(usize, usize, String)> {
        let columns: Vec<Column> = cells.iter().map(|(_, time, _, label)| column(*time, label)).collect();
        let cells = cells.iter().map(|(data, _, written, _)| cell(*data, *written)).collect();
        let row = Row {
            id: String::new(),
            key: String::new(),
            value: Some("V".to_owned()),
            cells,
            changes: Vec::new(),
            control_sets_differ: false,
        };
        changes(&row, &columns).into_iter().map(|change| (change.until, change.from, change.sentence)).collect()
    }

    #[test]
    fn control_sets_of_one_hive_may_differ_without_a_change() {
        let set = |number, path: &str| Column { control_set: Some(number), ..column(1, path) };
        let cells = [cell(Some("2"), 1), cell(Some("3"), 1)];
        assert!(control_sets_differ(&cells, &[set(1, "a"), set(2, "a")]));
        assert!(!control_sets_differ(&cells, &[set(1, "a"), set(1, "b")]));
        assert!(!control_sets_differ(&[cell(None, 1), cell(Some("3"), 1)], &[set(1, "a"), set(2, "a")]));
    }

    #[test]
    fn a_column_that_cannot_be_read_widens_the_bracket() {
        let found = told(&[(Some("a"), 1, 1, "x"), (None, 2, 1, "y"), (Some(""), 3, 3, "z")]);
        assert_eq!(found.iter().map(|(until, from, _)| (*until, *from)).collect::<Vec<_>>(), [(0, 2)]);
        assert!(
            found[0].2.starts_with("V REG_BINARY 61 until x (") && found[0].2.contains(", absent from z (key written "),
            "{found:?}"
        );
    }

    #[test]
    fn columns_aside_and_equal_data_are_no_change() {
        assert_eq!(told(&[(Some("a"), 1, 1, "x"), (Some("b"), 2, 2, "aside"), (Some("a"), 3, 3, "z")]), []);
    }

    #[test]
    fn a_key_that_says_it_was_written_before_the_old_data_were_is_told() {
        let found = told(&[(Some("a"), 10, 1, "x"), (Some("b"), 20, 5, "y")]);
        assert!(found[0].2.ends_with("which is before the hive that still has the old data)"), "{found:?}");
        let found = told(&[(Some("a"), 10, 1, "x"), (Some("b"), 20, 15, "y")]);
        assert!(!found[0].2.contains("before"), "{found:?}");
    }
}
