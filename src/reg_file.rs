//! The `.reg` format.
