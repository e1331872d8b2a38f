//! Reads Windows registry hives offline and judges what stands in them.

pub mod reg_file;
