//! Coverage: the part of a hive's bytes that a walk of its keys explains.

use serde::{Deserialize, Serialize};

use super::bins::{Bins, begins_bin, scan};
use super::loss::Loss;
use super::marks::Marks;
use super::met::{Kind, Met};
use super::walker::Walker;
use super::{Visitor, Walked};
use crate::error::Problem;
use crate::hive::Hive;
use crate::hive::base_block::SIZE;
use crate::hive::cell::{Cells, in_file};

/// The result of a walk of a whole hive, compared with the contents of its hive bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Whether all entries that the hive counts, and every hive bin, could be read.
    pub complete: bool,
    /// Subkeys according to the counts in the visited keys, plus the root.
    pub keys_promised: u64,
    /// Visited keys.
    pub keys: u64,
    /// Values according to the counts in the visited keys.
    pub values_promised: u64,
    /// Values whose name, type and data were read.
    pub values: u64,
    /// The bytes of the cells in use.
    pub allocated_bytes: u64,
    /// The bytes of cells that a key leads to: nodes, lists, values, data, class names, security descriptors.
    pub reached_bytes: u64,
    /// Cells in use that no key leads to.
    pub unreached_cells: u64,
    /// The bytes of free cells.
    pub free_bytes: u64,
    /// Bytes of hive bins in which cells cannot be distinguished, and bytes beyond the end of a truncated file.
    pub unreadable_bytes: u64,
    /// The reached part of the bytes that are in use or unreadable, from 0 to 1, rounded down to six decimals.
    pub coverage: f64,
    /// The losses by key: entries that are counted but could not be read.
    pub lost: Vec<Loss>,
    /// The number of further losses.
    pub lost_left_out: u64,
}

/// Walks a whole hive, and compares the reached cells with the contents of the hive bins. Returns the problems of both.
pub fn check<V: Visitor + Send>(hive: &Hive, visitor: &mut V) -> (Coverage, Vec<Problem>) {
    let declared = hive.base_block.data_size;
    let cells = Cells::new(&hive.bytes, declared, hive.base_block.minor).without(hive.bytes.holes());
    let ((walked, reached), bins) = rayon::join(|| Walker::new(hive, visitor).run(), || scan(cells.bytes, declared));
    let (coverage, mut problems) = compare(cells, walked, &reached, bins);
    if !coverage.complete && begins_bin(hive.bytes.get(SIZE..).unwrap_or_default(), declared) {
        problems.push(
            Problem::at(in_file(declared), "the end of the hive bins, as the base block has it", "another hive bin")
                .advise("lost data may lie past that end: the base block may be wrong"),
        );
    }
    (coverage, problems)
}

fn compare(cells: Cells<'_>, walked: Walked, reached: &Marks, mut bins: Bins) -> (Coverage, Vec<Problem>) {
    let size = |offset| cells.cell(offset, "").map_or(0, |cell| (cell.len() as u64).saturating_add(4));
    let mut unreached_cells = 0_u64;
    let mut unreached_bytes = 0_u64;
    for offset in bins.cells.without(reached) {
        unreached_cells = unreached_cells.saturating_add(1);
        unreached_bytes = unreached_bytes.saturating_add(size(offset));
    }
    let mut met = std::mem::take(&mut bins.met);
    let mut reached_elsewhere = 0_u64;
    for offset in reached.without(&bins.cells) {
        if bins.is_unreadable(offset) {
            reached_elsewhere = reached_elsewhere.saturating_add(size(offset));
        } else {
            misplaced(&mut met, offset);
        }
    }
    let unreadable_bytes = bins.unreadable_bytes();
    let reached_bytes = bins.allocated_bytes.saturating_sub(unreached_bytes);
    let all = bins.allocated_bytes.saturating_add(unreadable_bytes);
    let coverage = Coverage {
        complete: !walked.damaged && !met.damage() && unreadable_bytes == 0,
        keys_promised: walked.keys_promised,
        keys: walked.keys,
        values_promised: walked.values_promised,
        values: walked.values,
        allocated_bytes: bins.allocated_bytes,
        reached_bytes,
        unreached_cells,
        free_bytes: bins.free_bytes,
        unreadable_bytes,
        coverage: fraction(reached_bytes.saturating_add(reached_elsewhere), all),
        lost: walked.lost,
        lost_left_out: walked.lost_left_out,
    };
    let mut problems = walked.problems;
    problems.extend(met.into_problems());
    problems.sort();
    problems.dedup();
    (coverage, problems)
}

fn misplaced(met: &mut Met, offset: u32) {
    met.meet(Kind::Misplaced, || Problem::at(in_file(offset), "a cell that begins here", "the middle of another one"));
}

/// Returns a fraction in millionths, rounded down, so that 1 means all. If the whole is 0, the result is 0.
fn fraction(part: u64, whole: u64) -> f64 {
    let millionths = part.min(whole).saturating_mul(1_000_000).checked_div(whole).unwrap_or(0);
    f64::from(u32::try_from(millionths).unwrap_or(0)) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_is_1() {
        let parts = [(0, 0), (9, 9), (12, 9), (9_999_999, 10_000_000)];
        assert_eq!(parts.map(|(part, whole)| fraction(part, whole).to_string()), ["0", "1", "1", "0.999999"]);
    }
}
