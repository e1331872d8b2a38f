//! Remarks: diagnostics merged so that each appears once for a file, with all its lines.

use std::collections::BTreeMap;

use super::excerpt::Excerpt;
use crate::reg_file::{self, Diagnostic};

/// One remark on a file.
#[derive(Clone, Debug)]
pub(super) struct Remark {
    /// The diagnostic at the first place.
    pub(super) first: Diagnostic,
    /// The lines of all places, ascending. A line may be repeated.
    pub(super) lines: Vec<usize>,
    /// The line of the first place; `None` if there is no text to show.
    pub(super) excerpt: Option<Excerpt>,
}

/// Merges equal diagnostics into one remark, in the order of their first places.
pub(super) fn gather(diagnostics: &[Diagnostic]) -> Vec<Remark> {
    let mut places = BTreeMap::new();
    let mut remarks: Vec<Remark> = Vec::new();
    for &first in diagnostics {
        let at = *places.entry((first.code, first.importers, first.instead)).or_insert(remarks.len());
        match remarks.get_mut(at) {
            Some(remark) => remark.lines.push(first.line),
            None => remarks.push(Remark { first, lines: vec![first.line], excerpt: None }),
        }
    }
    remarks
}

/// Adds remarks for another importer. Equal remarks on the same lines are merged.
pub(super) fn join(remarks: &mut Vec<Remark>, others: Vec<Remark>) {
    for other in others {
        let same = |remark: &&mut Remark| {
            (remark.first.code, remark.first.instead, &remark.lines)
                == (other.first.code, other.first.instead, &other.lines)
        };
        match remarks.iter_mut().find(same) {
            Some(remark) => remark.first.importers = remark.first.importers.and(other.first.importers),
            None => remarks.push(other),
        }
    }
    remarks.sort_by_key(|remark| (remark.first.line, remark.first.column));
}

/// Adds an excerpt of the text to each remark. The remarks are sorted by line, so one pass through the text is enough.
pub(super) fn add_excerpts(remarks: &mut [Remark], text: &[u16]) {
    let mut lines = reg_file::lines_of(text);
    let mut current = lines.next();
    for remark in remarks {
        let wanted = remark.first.line;
        while current.is_some_and(|(number, _)| number < wanted) {
            current = lines.next();
        }
        let Some((_, line)) = current.filter(|&(number, _)| number == wanted) else { continue };
        remark.excerpt = Some(Excerpt::of(line, remark.first.column));
    }
}
