//! hivemend reads Windows registry hives offline, checks them against what that Windows should have, and explains each
//! finding with its source. It writes the `.reg` file that corrects the findings, together with the one that rolls the
//! correction back.
//!
//! An audit, each installation as soon as it is judged:
//!
//! ```no_run
//! use hivemend::case::Audit;
//! use hivemend::discovery::Evidence;
//!
//! let evidence = [Evidence::from(&"disk.E01".into()), Evidence::from(&"copies/FRONTDESK-04".into())];
//! let closing = Audit::default().run(&evidence, None, |installation, _| {
//!     let judgement = installation.judgement.unwrap_or_default();
//!     println!("{}: {}", installation.evidence, judgement.answer.unwrap_or_default());
//!     Ok(())
//! })?;
//! println!("complete: {}", closing.summary.complete);
//! # Ok::<(), hivemend::error::Error>(())
//! ```
//!
//! The modules are declared in the order of the data flow. Each uses only those above it.
//!
//! ```text
//! evidence -> hive -> discovery -> control_set, os, machine -> baseline -> facts -> audit
//!     -> report -> examination -> remediation -> reg_file text -> verification -> case
//! ```
//!
//! The judgement is in `src/baselines/*.toml`: one file for each Windows, with a reason, a source, and a grade for each
//! expectation. `docs/baselines.md` describes the files.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may fail loudly"))]

// Errors and problems, and the types of the registry.

pub mod error;

pub mod nearest;

pub mod registry;

pub mod security;

pub mod reg_file;

pub mod progress;

pub mod shelf;

// Evidence: bytes, hives, and which hives belong together.

pub mod evidence;

pub mod hive;

pub mod discovery;

// The Windows, and its expectations.

pub mod control_set;

pub mod os;

pub mod machine;

pub mod finding;

pub mod baseline;

// The facts, and the audit's findings.

pub mod facts;

pub mod audit;

pub mod answer;

pub mod report;

pub mod lint;

pub mod check;

pub mod explain;

pub mod examination;

pub mod history;

// Keys without judgement.

pub mod show;

pub mod learn;

// Remediation.

pub mod remediation;

pub mod access;

pub mod handover;

pub mod verification;

pub mod case;

pub mod case_facts;

pub mod custody;

// Many machines.

pub mod fleet;

pub mod html;

pub mod schema;

// Names that users type.

pub mod cli;
