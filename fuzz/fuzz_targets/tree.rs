//! Reads any bytes as a hive: lists its upper keys, looks them up again, and reads their values.
#![no_main]

use hivemend::evidence::Bytes;
use hivemend::hive::{Hive, Key, role};
use libfuzzer_sys::fuzz_target;

/// The most keys that are visited in one input, and levels below the root. The reader does not recurse, and a loop does
/// not affect it.
const MOST_KEYS: usize = 2_000;
const LEVELS: usize = 6;

fn visit(key: &Key<'_, '_>, level: usize, left: &mut usize) {
    let _ = key.values();
    let (subkeys, _) = key.subkeys();
    for subkey in subkeys {
        if level == LEVELS || *left == 0 {
            return;
        }
        *left -= 1;
        // A listed key is found again, or the look-up reports why not.
        assert!(!matches!(key.subkey(&subkey.name()), Ok(None)) || subkey.name().contains('\u{fffd}'));
        visit(&subkey, level + 1, left);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = Hive::from_bytes(Bytes::Read(bytes.to_vec())) else { return };
    let hive = file.as_it_lies();
    let tree = hive.tree();
    let _ = role(&tree);
    if let Ok(root) = tree.root() {
        visit(&root, 0, &mut MOST_KEYS.clone());
    }
    for problem in tree.problems() {
        assert!(!problem.to_string().is_empty());
    }
});
