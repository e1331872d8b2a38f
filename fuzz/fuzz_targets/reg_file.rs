//! Any bytes as a .reg file: read; and what is read can be written and read again, or is refused.
#![no_main]

use hivemend::reg_file::{Dialect, emit, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let reading = parse(bytes);
    let document = reading.effect;
    if let Ok(written) = emit(&document, Dialect::Regedit5) {
        let again = parse(&written).effect;
        assert_eq!(emit(&again, Dialect::Regedit5).unwrap(), written);
    }
});
