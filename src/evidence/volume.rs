//! The volumes of a disk: what its partition table lists, the disk itself where it is one volume, and what no table leads to.
//!
//! MBR with extended partitions and GPT with its backup, in sectors of 512 and 4,096 bytes. Each region that a table names is
//! classified. Where no table leads to a known volume, boot sectors are searched. What of a disk can be read counts: a
//! defect of one partition takes nothing from the others.

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
