//! Registry hives made of text and of nothing, for tests, fuzzing, benchmarks, and whoever wants to try hivemend.
//!
//! [`fixture`] compiles the cases of `fixtures/`; [`builder`] lays hives out, byte for byte as Windows does.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "development code: what cannot be built should stop the test at once"
)]

pub mod apply;
pub mod builder;
pub mod damage;
pub mod exfat;
pub mod fixture;
pub mod shadow_volume;
