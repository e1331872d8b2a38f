//! Report as schema.
