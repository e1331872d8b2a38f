//! Reads any bytes as a base block: they are read, or refused with a reason.
#![no_main]

use hivemend::hive::BaseBlock;
use hivemend::hive::replay::look;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(base_block) = BaseBlock::read(bytes) {
        let size = u64::try_from(bytes.len()).unwrap();
        for problem in base_block.problems(size) {
            assert!(!problem.expected.is_empty() && !problem.found.is_empty());
        }
    }
    let _ = (look(&[("LOG", bytes)], true), look(&[("LOG", bytes)], false));
});
