//! The integration tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it measured"
)]

#[macro_use(test)]
extern crate registered_test;

use std::process::ExitCode;

use hive_fixtures::{apply, builder, damage, exfat, fixture, shadow_volume};

// Before all others, for its macro.
#[macro_use]
mod harness;

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
mod contributing;
mod custody;
mod discovery;
#[cfg(feature = "images")]
mod disk_images;
mod explain;
#[cfg(feature = "images")]
mod file_systems;
mod fleet;
#[cfg(unix)]
mod growth;
mod guides;
mod handover;
mod hashes;
mod help;
mod history;
mod hive_builder;
mod hive_reading;
mod hostile_hives;
mod html;
mod identity;
mod image_matrix;
mod images;
mod importers;
mod judgement;
mod limits;
mod lint;
mod listed;
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
mod sandbox;
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

fn main() -> ExitCode {
    sandbox::part().unwrap_or_else(harness::main)
}
