//! hivemend reads Windows registry hives offline, tells what in them is not as that Windows should have it, says how it
//! knows, and writes the `.reg` file that puts it right together with the one that takes it back.
//!
//! The modules stand in the order in which data flow; each uses only those above it.
//!
//! ```text
//! evidence -> hive -> discovery -> control_set, os, machine -> baseline -> facts -> audit
//!     -> report -> examination -> remediation -> reg_file text
//! ```
//!
//! The judgement lives in `src/baselines/*.toml`: one file for each Windows, with why, source and grade for each
//! expectation. `docs/baselines.md` describes them.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may fail loudly"))]

// What can go wrong, and the registry's words.

pub mod error;

pub mod nearest;

pub mod registry;

pub mod security;

pub mod reg_file;

pub mod progress;

// Evidence: bytes, hives, and which of them belong together.

pub mod evidence;

pub mod hive;

pub mod discovery;

// Which Windows it is, and what it should have.

pub mod control_set;

pub mod os;

pub mod machine;

pub mod finding;

pub mod baseline;

// What it has, and what that comes to.

pub mod facts;

pub mod audit;

pub mod answer;

pub mod report;

pub mod lint;

pub mod check;

pub mod explain;

pub mod examination;

pub mod history;

// Keys as they are, judged by nobody.

pub mod show;

pub mod learn;

// Putting it right.

pub mod remediation;

pub mod access;

pub mod handover;

pub mod verification;

pub mod case_facts;

pub mod custody;

pub mod html;

pub mod schema;

// What users type.

pub mod cli;
