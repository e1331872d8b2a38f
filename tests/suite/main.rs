//! The integration tests, one binary.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that goes wrong should stop there and one that is skipped say so; clippy.toml allows these only inside test functions"
)]

#[path = "../support/hive_builder.rs"]
mod builder;

mod hive_builder;
