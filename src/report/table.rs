//! Report as table.
