//! The integration tests, one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "../support/apply.rs"]
mod apply;
#[path = "../support/hive_builder.rs"]
mod builder;
#[path = "../support/fixture.rs"]
mod fixture;

mod baselines;
mod cases;
mod hive_builder;
mod importers;
mod real_hives;
#[cfg(test)]
mod reg_file;
