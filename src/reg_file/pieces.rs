//! Cuts a text that arrives piece by piece where no statement goes on.

use super::lines::{after_blanks, is_done};
use super::plain::find;

/// The most units of one line with its continuation lines. The registry's own limit for most data is 1 MB.
pub(super) const LONGEST: usize = 32 << 20;

/// A line with its continuation lines is too long to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong {
    /// Its first line.
    pub(crate) line: usize,
}

/// How an importer ends lines, and continues them.
pub(super) trait Grammar {
    type Unit: Copy;

    /// Returns whether the unit ends a line.
    fn ends_line(unit: Self::Unit) -> bool;

    /// Returns whether these two units are one line end.
    fn is_one_end(first: Self::Unit, second: Self::Unit) -> bool;

    /// Returns whether the next line may continue this one; `None` for a line that changes nothing about that.
    fn goes_on(line: &[Self::Unit]) -> Option<bool>;
}

/// The text that has arrived and is not read yet.
pub(super) struct Pieces<G: Grammar> {
    waiting: Vec<G::Unit>,
    /// The length that must be reached before the next search for a place to cut. It doubles, so that a long statement
    /// is not searched again with each piece.
    enough: usize,
}

impl<G: Grammar> Default for Pieces<G> {
    fn default() -> Self {
        Self { waiting: Vec::new(), enough: 0 }
    }
}

impl<G: Grammar> Pieces<G> {
    /// Adds a piece, and passes the text up to the last end of a statement to `read`; all of it if this is the last
    /// piece. At least one unit waits until the text ends, so that `read` knows whether more follows.
    ///
    /// Returns false if what waits is too long for one statement.
    pub(super) fn add(&mut self, piece: &[G::Unit], is_last: bool, read: impl FnOnce(&[G::Unit])) -> bool {
        self.waiting.extend_from_slice(piece);
        if is_last {
            read(&self.waiting);
            self.waiting = Vec::new();
            return true;
        }
        if self.waiting.len() < self.enough.min(LONGEST) {
            return true;
        }
        let cut = last_cut::<G>(&self.waiting);
        read(self.waiting.get(..cut).unwrap_or_default());
        self.waiting.drain(..cut);
        self.enough = if cut == 0 { self.waiting.len().saturating_mul(2) } else { 0 };
        self.waiting.len() <= LONGEST
    }
}

/// Returns the last place in the text where a statement ends for certain; 0 if there is none.
fn last_cut<G: Grammar>(text: &[G::Unit]) -> usize {
    let last = |text: &[G::Unit]| text.iter().rposition(|&unit| G::ends_line(unit));
    // The last unit waits: it may be half a line end, and after it the text may end.
    let Some((&next, before)) = text.split_last() else { return 0 };
    let mut end = last(before).map_or(0, |place| place.saturating_add(1));
    if let Some((&first, before)) = before.split_last()
        && G::is_one_end(first, next)
    {
        end = last(before).map_or(0, |place| place.saturating_add(1));
    }
    let mut cut = end;
    while let Some((&_end, line)) = text.get(..end).and_then(<[G::Unit]>::split_last) {
        let start = last(line).map_or(0, |place| place.saturating_add(1));
        match G::goes_on(line.get(start..).unwrap_or_default()) {
            Some(false) => return cut,
            Some(true) => cut = start,
            None => {}
        }
        end = start;
    }
    cut
}

/// regedit: only data in hex go on, after a backslash.
pub(super) struct Units;

const BACKSLASH: u16 = b'\\' as u16;
const CARRIAGE_RETURN: u16 = b'\r' as u16;
const LINE_FEED: u16 = b'\n' as u16;

impl Grammar for Units {
    type Unit = u16;

    fn ends_line(unit: u16) -> bool {
        unit == CARRIAGE_RETURN || unit == LINE_FEED
    }

    fn is_one_end(first: u16, second: u16) -> bool {
        [first, second] == [CARRIAGE_RETURN, LINE_FEED]
    }

    fn goes_on(line: &[u16]) -> Option<bool> {
        let text = after_blanks(line);
        if matches!(text.first().map(|&unit| u8::try_from(unit)), None | Some(Ok(b';'))) {
            return None;
        }
        let mut from = 0_usize;
        while let Some(place) = find(text.get(from..).unwrap_or_default(), |unit| unit == BACKSLASH) {
            let at = from.saturating_add(place);
            let (before, after) = (text.get(..at)?, text.get(at.saturating_add(1)..)?);
            if is_done(after) && is_data(before) {
                return Some(true);
            }
            from = at.saturating_add(1);
        }
        Some(false)
    }
}

/// Returns whether a text that a backslash follows may end in bytes in hex: after a colon, or from the line's start on.
fn is_data(text: &[u16]) -> bool {
    let is_byte =
        |unit: u16| matches!(u8::try_from(unit), Ok(b',' | b' ' | b'\t' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F'));
    text.iter().rev().find(|&&unit| !is_byte(unit)).is_none_or(|&unit| unit == u16::from(b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the pieces in which a text is read.
    fn cut(text: &str, size: usize) -> Vec<String> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut pieces = Pieces::<Units>::default();
        let mut read = Vec::new();
        let mut take = |part: &[u16]| read.extend((!part.is_empty()).then(|| String::from_utf16(part).unwrap()));
        for piece in units.chunks(size) {
            assert!(pieces.add(piece, false, &mut take));
        }
        pieces.add(&[], true, take);
        read
    }

    #[test]
    fn a_text_is_cut_after_lines_and_never_within_a_statement() {
        assert_eq!(cut("a\r\nb\rc\n\nd", 1), ["a\r\n", "b\r", "c\n", "\n", "d"]);
        for whole in ["x=hex:01,\\\n 02,\\ ; so far\n\n ; and more\n03,\\\n", "a\r\n"] {
            let text = format!("{whole}[k\\b]\n");
            for size in [1, 2, 3, 7, 1000] {
                let pieces = cut(&text, size);
                assert!(pieces[0].starts_with(whole), "{size}: {pieces:?}");
                assert_eq!(pieces.concat(), text);
            }
        }
        assert_eq!(cut("\n\n;\\\n\"c:\\\" ;\n", 5), ["\n\n", ";\\\n", "\"c:\\\" ;\n"]);
    }

    #[test]
    fn a_statement_without_an_end_is_refused() {
        let mut pieces = Pieces::<Units>::default();
        let line: Vec<u16> = "01,\\\n".encode_utf16().collect();
        let piece = line.repeat(1 << 20);
        let taken = (0..10).position(|_| !pieces.add(&piece, false, |part| assert!(part.is_empty())));
        assert_eq!(taken, Some(LONGEST / piece.len()));
    }
}
