//! Report as json.
