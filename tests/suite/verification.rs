//! `verify`, and the proof that `audit --patch` asks of its own patches.

mod overlay;
mod preconditions;
mod program;
mod proof;
