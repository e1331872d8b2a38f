//! The layout, taken apart without any reader.

use super::everything;

#[test]
fn the_same_tree_gives_the_same_bytes() {
    assert!(everything().to_bytes() == everything().to_bytes());
}
