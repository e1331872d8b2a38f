//! Reads Windows registry hives offline and judges what stands in them.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))] // tests may fail loudly

pub mod error;
pub mod evidence;
pub mod hive;
pub mod reg_file;
pub mod registry;
