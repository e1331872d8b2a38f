//! Schema.
#![allow(missing_docs)]
pub fn text() -> &'static str {
    ""
}
