//! The written report: JSON, its schema, the table.

mod documents;
mod forms;
mod samples;
mod screens;
mod standards;
mod tables;
