//! Replay of transaction logs in memory.

mod corpus;
mod elsewhere;
mod new_format;
mod old_format;
pub(crate) mod program;
mod properties;

use hivemend::evidence::Bytes;
use hivemend::hive::transaction_log::LogState;
use hivemend::hive::{Hive, Outcome};

use crate::builder::log::Entry;
use crate::builder::{self, BaseBlock};

/// States of one hive, each with more in it than the one before.
pub(crate) struct History {
    pub(crate) states: Vec<Vec<u8>>,
    pub(crate) hive: builder::Hive,
}

impl History {
    /// A hive and what it becomes in as many steps: one more key with a value each time, and a big one in the last.
    pub(crate) fn of(steps: u32) -> Self {
        let mut hive = builder::Hive { file_name: builder::units("SYSTEM"), ..builder::Hive::new("ROOT") };
        hive.root.create("Alpha").set_dword("Number", 0);
        let mut states = vec![hive.to_bytes()];
        for step in 1..=steps {
            hive.root.create("Alpha").set_dword("Number", step);
            hive.root
                .create(&format!("Step{step}"))
                .set_binary("Data", &vec![0xaa; if step == steps { 9000 } else { 200 }]);
            states.push(hive.to_bytes());
        }
        Self { states, hive }
    }

    /// The base block of the state after that many steps.
    pub(crate) fn base_block(&self, step: usize) -> BaseBlock {
        self.hive.base_block(u32::try_from(self.states[step].len() - builder::PAGE).unwrap())
    }

    /// The entry that leads to a state.
    pub(crate) fn entry(&self, sequence: u32, step: usize) -> Entry {
        Entry::between(sequence, &self.states[step - 1], &self.states[step])
    }

    /// The first state, dirty.
    pub(crate) fn dirty(&self, primary_sequence: u32, secondary_sequence: u32) -> Vec<u8> {
        let base_block = BaseBlock { primary_sequence, secondary_sequence, ..self.base_block(0) };
        let mut bytes = base_block.encode();
        bytes.extend(&self.states[0][builder::PAGE..]);
        bytes
    }
}

/// The hive in `primary` after these logs, with what became of them.
pub(crate) fn replay(primary: &[u8], logs: &[(&str, &[u8])]) -> (Hive, Outcome) {
    Hive::from_bytes(Bytes::Read(primary.to_vec())).unwrap().replay(logs)
}

/// Asserts that the hive bins are those of a state, and the base block that of a clean hive.
fn is_recovered(hive: &Hive, state: &[u8], sequence: u32) {
    assert!(hive.bytes()[builder::PAGE..] == state[builder::PAGE..], "the hive bins are not those of the state");
    let base_block = hive.base_block();
    assert_eq!((base_block.primary_sequence, base_block.secondary_sequence), (sequence, sequence));
    assert_eq!(base_block.problems(hive.size()), []);
}

fn states(outcome: &Outcome) -> Vec<LogState> {
    outcome.logs.iter().map(|log| log.state).collect()
}

fn problems(outcome: &Outcome) -> Vec<String> {
    outcome.logs.iter().flat_map(|log| &log.problems).map(ToString::to_string).collect()
}

/// Asserts that nothing was applied.
fn is_left_alone(hive: &Hive, outcome: &Outcome, primary: &[u8]) {
    assert_eq!(outcome.replay, None);
    assert!(hive.bytes() == primary, "bytes of the hive changed");
}
