//! Keys as a table.

use std::io::{self, Write};

use super::form::{Form, Head, Said, shown};
use crate::error::Problem;
use crate::finding::ObservedDatum;
use crate::registry::RegistryValue;
use crate::report::table::{KeyPage, Style};

pub(super) struct Table<'w>(KeyPage<'w>);

impl<'w> Table<'w> {
    pub(super) fn new(out: &'w mut dyn Write, style: Style) -> Self {
        Self(KeyPage::new(out, style))
    }
}

impl Form for Table<'_> {
    fn key(&mut self, head: &Head<'_>) -> Said {
        let class = head.class.as_deref().map(shown);
        self.0.key(&shown(&head.path.to_units()), head.last_written, class.as_deref())?;
        Ok(Ok(()))
    }

    fn value(&mut self, name: Vec<u16>, value: RegistryValue) -> Said {
        self.0.value(&shown(&name), &ObservedDatum::from(&value))?;
        Ok(Ok(()))
    }

    fn subkeys(&mut self, names: &mut dyn Iterator<Item = String>) -> io::Result<()> {
        self.0.subkeys(names)
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        self.0.problem(problem)
    }

    fn end(&mut self, _: &[Problem]) -> io::Result<()> {
        Ok(())
    }
}
