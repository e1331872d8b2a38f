//! Volumes: what lies on a disk, and what a volume keeps of its own past.

pub mod shadow_copies;
