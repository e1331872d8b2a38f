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
#[path = "../support/damage.rs"]
mod damage;
#[path = "../support/exfat.rs"]
mod exfat;
#[path = "../support/fixture.rs"]
mod fixture;
#[path = "../support/shadow_volume.rs"]
mod shadow_volume;

mod access;
mod accounted;
mod agreement;
mod applied;
mod architecture;
mod archive_formats;
mod archives;
mod baselines;
mod bitlocker;
mod cases;
mod command_line;
mod custody;
mod discovery;
#[cfg(feature = "images")]
mod disk_images;
mod explain;
#[cfg(feature = "images")]
mod file_systems;
mod handover;
mod help;
mod history;
mod hive_builder;
mod hive_reading;
mod hostile_hives;
mod identity;
mod image_matrix;
mod images;
mod importers;
mod judgement;
mod lint;
mod output_gate;
mod own_baselines;
#[cfg(feature = "images")]
mod partitions;
mod provenance;
mod real_hives;
mod refusals;
mod reg_file;
mod replay;
mod report;
mod schemas;
mod shadow_copies;
mod show;
mod terminal;
mod values;
mod verification;
mod walk;
#[cfg(unix)]
mod wine;
mod wrappings;
