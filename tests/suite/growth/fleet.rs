//! Machines on the page of `report --fleet`.

use std::fs;

use super::{Counted, grows_with};
use crate::fleet::made::{Shelf, finding};

/// Machines that all deviate, each in its own way, and all below one name.
#[test]
fn machines_in_lines() {
    let shelf = Shelf::with(&["windows-7-bits-disabled"]);
    grows_with("machines in lines", 150, Counted::Program, |desk, count| {
        let machine = |number: usize| {
            let mut machine = shelf.machine("windows-7-bits-disabled", &format!("PC-{number:04}"));
            "collected/Windows/System32/config".clone_into(&mut machine.evidence);
            finding(&mut machine, "service-bits/Start").id = format!("service-made-{number:04}/Start");
            machine
        };
        fs::write(desk.path("lines.jsonl"), shelf.lines(&(0..count).map(machine).collect::<Vec<_>>())).unwrap();
        ["report", "--fleet", "lines.jsonl"].map(str::to_owned).to_vec()
    });
}
