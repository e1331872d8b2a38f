//! The result of a walk of a whole hive, below the hive's line.

use std::io;

use super::page::{Ink, Page};
use super::{data, grouped, word};
use crate::hive::walk::{Coverage, Loss};

pub(super) fn write(page: &mut Page<'_>, indent: usize, width: usize, coverage: &Coverage) -> io::Result<()> {
    let ink = if coverage.complete { Ink::Good } else { Ink::High };
    page.labelled(indent, width, "checked", &counts(coverage).join("\n"), ink)?;
    for loss in &coverage.lost {
        page.labelled(indent, width, "lost", &lost(loss), ink)?;
    }
    if coverage.lost_left_out > 0 {
        let more = format!("and in {} more places, which are not listed", grouped(coverage.lost_left_out));
        page.labelled(indent, width, "lost", &more, ink)?;
    }
    Ok(())
}

/// ```text
/// 203,485 of 203,485 keys, 385,411 of 385,411 values
/// 55,106,800 of 55,106,912 bytes in use reached (2 cells not), 10,123,456 free; coverage 99.9997 %
/// ```
fn counts(coverage: &Coverage) -> [String; 2] {
    let of = |delivered, promised, noun| format!("{} of {} {noun}", grouped(delivered), grouped(promised));
    let keys = of(coverage.keys, coverage.keys_promised, "keys");
    let values = of(coverage.values, coverage.values_promised, "values");
    let mut bytes = of(coverage.reached_bytes, coverage.allocated_bytes, "bytes in use reached");
    if coverage.unreached_cells > 0 {
        bytes = format!("{bytes} ({} cells not)", grouped(coverage.unreached_cells));
    }
    bytes = format!("{bytes}, {} free", grouped(coverage.free_bytes));
    if coverage.unreadable_bytes > 0 {
        bytes = format!("{bytes}, {} unreadable", grouped(coverage.unreadable_bytes));
    }
    [format!("{keys}, {values}"), format!("{bytes}; coverage {} %", percent(coverage.coverage))]
}

/// Returns a percentage with two decimals, rounded down, so that 100 means all.
fn percent(fraction: f64) -> String {
    let text = format!("{:.4}", fraction * 100.0);
    match text.strip_suffix("00") {
        Some(shorter) => shorter.to_owned(),
        None => text,
    }
}

/// Returns a loss: `Microsoft\Windows: 3 of 5 subkeys (its node is at 0x1020)`.
fn lost(loss: &Loss) -> String {
    let key = if loss.key.is_empty() { "the root key".to_owned() } else { data::prose(&loss.key) };
    let (delivered, promised) = (grouped(loss.delivered), grouped(loss.promised));
    format!("{key}: {delivered} of {promised} {} (its node is at {:#x})", word(&loss.what), loss.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_is_all() {
        assert_eq!([1.0, 0.5, 0.999_999].map(percent), ["100.00", "50.00", "99.9999"]);
    }
}
