//! An excerpt of a line with a marked place.

use crate::report::escape::is_unseen;

/// The most units on either side of the place. More do not fit on a terminal.
const REACH: usize = 500;

/// The text before a place in a line, and the text from it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    before: Vec<u16>,
    after: Vec<u16>,
    /// Whether the line continues on that side.
    more_before: bool,
    more_after: bool,
}

/// An excerpt as it is displayed, and the place in it, in columns from 0.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fitted {
    pub(crate) text: String,
    pub(crate) column: usize,
}

impl Excerpt {
    /// Returns the text around a column of a line. Columns count from 1 in UTF-16 units, up to one past the end.
    pub(crate) fn of(line: &[u16], column: usize) -> Self {
        let place = column.saturating_sub(1).min(line.len());
        let (before, after) = line.split_at_checked(place).unwrap_or_default();
        let from = before.len().saturating_sub(REACH);
        let to = after.len().min(REACH);
        Self {
            before: before.get(from..).unwrap_or_default().to_vec(),
            after: after.get(..to).unwrap_or_default().to_vec(),
            more_before: from > 0,
            more_after: to < after.len(),
        }
    }

    /// Returns the part around the place that fits into `width` columns.
    pub(crate) fn fit(&self, width: usize) -> Fitted {
        // Space for the place itself and for the ellipsis on either side.
        let width = width.max(16);
        let followed_by_brace = self.after.starts_with(&[u16::from(b'u'), u16::from(b'{')]);
        let before = cells(&self.before, followed_by_brace);
        let after = cells(&self.after, false);
        let (left, right) = (total(&before), total(&after));
        let fits = left.saturating_add(right) <= width && !self.more_before && !self.more_after;
        if fits {
            return Fitted { text: text(&before).chain(text(&after)).collect(), column: left };
        }
        let width = width.saturating_sub(2);
        let room = (width / 2).max(width.saturating_sub(right)).min(left);
        let skipped = before.len().saturating_sub(count(before.iter().rev(), room));
        let kept = before.get(skipped..).unwrap_or_default();
        let shown = after.get(..count(after.iter(), width.saturating_sub(total(kept)))).unwrap_or_default();
        let cut_before = self.more_before || skipped > 0;
        let cut_after = self.more_after || shown.len() < after.len();
        let mark = |cut: bool| if cut { "…" } else { "" };
        let text = [mark(cut_before)].into_iter().chain(text(kept)).chain(text(shown)).chain([mark(cut_after)]);
        Fitted { text: text.collect(), column: total(kept).saturating_add(usize::from(cut_before)) }
    }
}

/// A character as displayed, and its width in columns.
struct Cell {
    shown: String,
    width: usize,
}

fn text(cells: &[Cell]) -> impl Iterator<Item = &str> {
    cells.iter().map(|cell| cell.shown.as_str())
}

fn total(cells: &[Cell]) -> usize {
    cells.iter().fold(0, |width, cell| width.saturating_add(cell.width))
}

/// Returns how many cells fit into `room` columns.
fn count<'c>(cells: impl Iterator<Item = &'c Cell>, room: usize) -> usize {
    let mut used = 0_usize;
    cells
        .take_while(|cell| {
            used = used.saturating_add(cell.width);
            used <= room
        })
        .count()
}

/// Returns the characters of a text one by one. `followed_by_brace` states that `u{` follows the text.
fn cells(units: &[u16], followed_by_brace: bool) -> Vec<Cell> {
    let mut rest = units;
    let mut cells = Vec::new();
    for character in char::decode_utf16(units.iter().copied()) {
        rest = rest.get(character.as_ref().map_or(1, |character| character.len_utf16())..).unwrap_or_default();
        let before_brace = match rest {
            [] => followed_by_brace,
            [first, second, ..] => [*first, *second] == [u16::from(b'u'), u16::from(b'{')],
            [_] => false,
        };
        cells.push(match character {
            Ok('\\') if before_brace => escaped(u32::from('\\')),
            Ok(character) => match width_of(character) {
                Some(width) => Cell { shown: character.to_string(), width },
                None => escaped(character.into()),
            },
            Err(unpaired) => escaped(unpaired.unpaired_surrogate().into()),
        });
    }
    cells
}

/// Returns an escape as [`crate::report::escape`] writes it.
fn escaped(code: u32) -> Cell {
    let shown = format!("\\u{{{code:x}}}");
    Cell { width: shown.len(), shown }
}

/// Returns the width of a character in columns, if it is the same on every terminal and beside any other; `None` if
/// that is uncertain, as for combining marks, right-to-left letters, and pictures. Wide characters follow UAX #11.
fn width_of(character: char) -> Option<usize> {
    let narrow = matches!(character, ' '..='~' | '\u{a1}'..='\u{2af}' | '\u{370}'..='\u{482}' | '\u{48a}'..='\u{52f}'
        | '\u{1e00}'..='\u{1fff}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{20c0}');
    let wide = matches!(character, '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    match (narrow, wide) {
        _ if is_unseen(character) => None,
        (true, _) => Some(1),
        (_, true) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(line: &str, column: usize, width: usize) -> (String, usize) {
        let units: Vec<u16> = line.encode_utf16().collect();
        let Fitted { text, column } = Excerpt::of(&units, column).fit(width);
        (text, column)
    }

    #[test]
    fn a_short_line_is_whole() {
        assert_eq!(fitted("abcdef", 3, 40), ("abcdef".into(), 2));
        assert_eq!(fitted("abc", 4, 40), ("abc".into(), 3));
        assert_eq!(fitted("", 1, 40), (String::new(), 0));
    }

    #[test]
    fn the_caret_stands_right_behind_anything() {
        assert_eq!(fitted("\u{202e}\tx", 3, 40), (r"\u{202e}\u{9}x".into(), 13));
        assert_eq!(fitted("日é😀x", 5, 40), (r"日é\u{1f600}x".into(), 12));
        assert_eq!(fitted("שa\u{301}x", 4, 40), (r"\u{5e9}a\u{301}x".into(), 15));
        assert_eq!(fitted(r"\u{1b}", 2, 40), (r"\u{5c}u{1b}".into(), 6));
        assert_eq!(fitted(r"\u{1b}", 1, 40), (r"\u{5c}u{1b}".into(), 0));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line: String = (0..100).map(|number| char::from(b'a' + number % 26)).collect();
        assert_eq!(fitted(&line, 1, 16), ("abcdefghijklmn…".into(), 0));
        assert_eq!(fitted(&line, 101, 16), ("…ijklmnopqrstuv".into(), 15));
        assert_eq!(fitted(&line, 53, 16), ("…tuvwxyzabcdefg…".into(), 8));
    }

    #[test]
    fn whatever_the_line_the_place_is_shown_and_the_width_kept() {
        let line = "a\u{202e}日\u{301}x".repeat(2000);
        for column in [1, 2, 499, 500, 501, 502, 6000, 10_000, 10_001] {
            for width in [16, 17, 40, 119, 2000] {
                let (text, place) = fitted(&line, column, width);
                let columns: usize = text.chars().map(|c| if c == '日' { 2 } else { 1 }).sum();
                assert!(columns <= width && place <= columns, "{column} in {width}: {columns}, {place}");
                assert!(text.chars().all(|character| character == '…' || width_of(character).is_some()));
            }
        }
    }
}
