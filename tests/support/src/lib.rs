//! Registry hives from text or from code, for tests, fuzzing, benchmarks, and for trying out hivemend.
//!
//! [`fixture`] compiles the cases in `fixtures/`. [`builder`] lays out hives as Windows does, byte for byte.
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
