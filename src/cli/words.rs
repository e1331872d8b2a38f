//! Parsers for words for which clap has none.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::builder::{EnumValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error, ValueEnum};

use crate::evidence::hash::{Algorithm, Hashes};
use crate::finding::Severity;
use crate::os::OsId;

/// Parses the id of a Windows that has a baseline.
pub(super) fn os_id(text: &str) -> Result<OsId, String> {
    text.parse().ok().filter(|id: &OsId| id.has_baseline()).ok_or_else(|| {
        let meant = OsId::meant(text).filter(|id| id.has_baseline());
        let meant = meant.map(|id| format!("; did you mean \"{id}\"?")).unwrap_or_default();
        format!("no baseline \"{text}\"{meant}\nSee `hivemend baseline list`")
    })
}

/// Parses every severity but `info`, which never fails a run.
pub(super) fn fail_on() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["low", "medium", "high", "critical"]).try_map(|text| Severity::from_str(&text, false))
}

/// Parses the names of hash algorithms with commas between them. No name may be repeated.
#[derive(Clone)]
pub(super) struct HashesParser;

impl TypedValueParser for HashesParser {
    type Value = Hashes;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Hashes, Error> {
        let mut algorithms = BTreeSet::new();
        for name in value.to_string_lossy().split(',') {
            let algorithm = EnumValueParser::<Algorithm>::new().parse_ref(command, argument, OsStr::new(name))?;
            if !algorithms.insert(algorithm) {
                let option = argument.map(ToString::to_string).unwrap_or_default();
                let possible = Algorithm::ALL.map(Algorithm::word).join(", ");
                let message = format!(
                    "invalid value '{}' for '{option}': {name} is repeated\n  [possible values: {possible}]\n\n\
                     For more information, try '--help'.\n",
                    value.display()
                );
                return Err(Error::raw(ErrorKind::InvalidValue, message).with_cmd(command));
            }
        }
        Ok(algorithms.into_iter().collect())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Algorithm::value_variants().iter().filter_map(Algorithm::to_possible_value)))
    }
}
