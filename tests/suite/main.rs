//! The integration tests, one binary.

#[cfg(test)]
mod reg_file;
