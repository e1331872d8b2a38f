//! `verify`, and the proof that `audit --patch` asks of its own patches.

mod identity;
mod overlay;
mod own_patches;
mod preconditions;
pub(crate) mod program;
mod proof;
