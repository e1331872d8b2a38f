//! Disks inside image files.

pub mod keramics;
