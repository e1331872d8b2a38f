//! Reads Windows registry hives offline and judges what stands in them.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))] // tests may fail loudly

pub mod audit;
pub mod baseline;
pub mod control_set;
pub mod discovery;
pub mod error;
pub mod evidence;
pub mod facts;
pub mod finding;
pub mod hive;
pub mod os;
pub mod reg_file;
pub mod registry;
