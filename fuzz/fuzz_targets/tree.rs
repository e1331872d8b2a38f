//! Any bytes as a hive: its upper keys are listed and looked up again, their values read.
#![no_main]

use hivemend::evidence::Bytes;
use hivemend::hive::{Hive, Key, role};
use libfuzzer_sys::fuzz_target;

/// Keys visited in one input, and levels below the root: the reader does not recurse, and a loop is no concern of it.
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
        // A key that is listed is found again, or the look-up says why not.
        assert!(!matches!(key.subkey(&subkey.name()), Ok(None)) || subkey.name().contains('\u{fffd}'));
        visit(&subkey, level + 1, left);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(hive) = Hive::from_bytes(Bytes::Read(bytes.to_vec())) else { return };
    let tree = hive.tree();
    let _ = role(&tree);
    if let Ok(root) = tree.root() {
        visit(&root, 0, &mut MOST_KEYS.clone());
    }
    for problem in tree.problems() {
        assert!(!problem.to_string().is_empty());
    }
});
