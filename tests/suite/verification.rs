//! `verify`, and the proof that `audit --patch` requires of its own patches.

mod identity;
mod overlay;
mod own_patches;
mod preconditions;
pub(crate) mod program;
mod proof;
