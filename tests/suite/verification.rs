//! `verify`, and the proof that `audit --patch` asks of its own patches.

mod identity;
mod overlay;
mod program;
mod proof;
