//! The command line of hivemend.

fn main() {}
