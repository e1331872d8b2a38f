//! The volumes of a disk: in its partition table, outside any table, or the disk itself if it is one volume.
//!
//! Supported are MBR with extended partitions, and GPT with its backup, in sectors of 512 and 4,096 bytes. Each region
//! of a table is classified. If no table leads to a known volume, boot sectors are searched. Every readable part of a
//! disk counts: a defect of one partition does not affect the others.

mod assembly;
pub mod bitlocker;
mod boot_sector;
mod classify;
mod entry;
mod field;
mod gpt;
mod guid;
mod kind;
mod label;
mod listed;
mod lost;
mod mbr;
mod reading;
mod regions;
pub mod shadow_copies;
mod signature;
mod table;
#[cfg(test)]
mod tests;

pub use assembly::volumes;
pub use classify::file_system_of;
pub use kind::VolumeKind;
pub use listed::{Table, Volume, VolumeName};
pub use table::Scheme;
