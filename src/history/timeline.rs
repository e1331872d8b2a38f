//! The time of each generation: a mark on a scale from the oldest to the newest.

use super::Column;

/// The number of places on the scale.
const PLACES: u64 = 16;

/// Returns the scale of each column, in their order. Empty if fewer than two times are known or all are the same.
pub(super) fn of(columns: &[Column]) -> Vec<String> {
    let times = || columns.iter().filter_map(|column| column.last_written).map(|time| time.0);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Vec::new() };
    let Some(span) = last.checked_sub(first).filter(|span| *span > 0) else { return Vec::new() };
    let place = |column: &Column| {
        let since = u128::from(column.last_written?.0.checked_sub(first)?);
        let last_place = u128::from(PLACES.saturating_sub(1));
        // At most the last place, because no time is later than the newest.
        since.saturating_mul(last_place).checked_div(u128::from(span))
    };
    let scale = |column: &Column| {
        let place = place(column);
        (0..u128::from(PLACES)).map(|at| if Some(at) == place { 'o' } else { '-' }).collect()
    };
    columns.iter().map(scale).collect()
}
