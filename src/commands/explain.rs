//! `explain`: one expectation in words.

use std::path::PathBuf;

use hivemend::baseline::read_own;
use hivemend::error::Error;

use super::to_stdout;

pub(crate) fn explain(id: &str, files: &[PathBuf]) -> Result<u8, Error> {
    let own = files.iter().map(|file| Ok(read_own(file)?.baseline)).collect::<Result<Vec<_>, Error>>()?;
    let mut page = Vec::new();
    hivemend::explain::explain(id, &own, &mut page)?
        .map_err(|source| Error::Write { path: "stdout".to_owned(), source })?;
    to_stdout(|out| out.write_all(&page))
}
