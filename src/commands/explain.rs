//! `explain`: describes one expectation in words.

use hivemend::baseline::read_own;
use hivemend::cli::ExplainArgs;
use hivemend::error::Error;

use super::to_stdout;

pub(crate) fn explain(args: &ExplainArgs) -> Result<u8, Error> {
    let own = args.baseline.iter().map(|file| Ok(read_own(file)?.baseline)).collect::<Result<Vec<_>, Error>>()?;
    let mut page = Vec::new();
    hivemend::explain::explain(&args.id, &own, &mut page)?
        .map_err(|source| Error::Write { path: "stdout".to_owned(), source })?;
    to_stdout(|out| out.write_all(&page))
}
