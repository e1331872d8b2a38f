//! `verify` as an errand: a worker opens the containers, reads the hives in them, and sends the result.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Importing, Mounts, Patch, Standing, render, run};
use crate::discovery::{Errand, Evidence, Listener, Text};
use crate::error::Error;
use crate::evidence::archive::Unpacking;
use crate::examination::Options;
use crate::finding::Severity;
use crate::registry::{bytes_of_hex, hex};
use crate::remediation::PlanFile;
use crate::report::table::Style;

/// The request to verify patches.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// The evidence.
    #[serde(with = "crate::evidence::paths::many")]
    pub evidence: Vec<PathBuf>,
    /// The `.reg` files, in the order of import.
    pub files: Vec<PatchFile>,
    /// The places of the hives at the time of the import.
    pub mounts: Mounts,
    /// How the evidence is read and judged.
    pub options: Options,
    /// The lowest severity that counts for the standing.
    pub fail_on: Severity,
    /// The format of the text: a table in this style, or JSON.
    pub table: Option<Style>,
}

/// A `.reg` file, and how it is imported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatchFile {
    /// The path, as the user named it.
    pub path: String,
    /// The bytes.
    pub bytes: PatchBytes,
    /// The user's statements on the import.
    pub importing: Importing,
    /// The plan that the file may have been written from.
    pub plan: Option<PlanFile>,
}

/// The bytes of a `.reg` file. As text they are hexadecimal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PatchBytes(pub Vec<u8>);

impl From<PatchBytes> for String {
    fn from(bytes: PatchBytes) -> Self {
        hex(&bytes.0)
    }
}

impl TryFrom<String> for PatchBytes {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        bytes_of_hex(&text).map(Self).ok_or("expected hexadecimal digits")
    }
}

/// The result beside the text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The overall result.
    pub standing: Standing,
    /// Every file of the evidence that was opened.
    #[serde(with = "crate::evidence::paths::many")]
    pub opened: Vec<PathBuf>,
}

impl Errand for Question {
    const NAME: &str = "verify";

    type Head = ();
    type Answer = Answer;

    fn evidence(&self) -> Vec<Vec<Evidence>> {
        vec![self.evidence.iter().map(Evidence::from).collect()]
    }

    fn unpacking(&self) -> &Unpacking {
        &self.options.unpacking
    }

    fn run(&self, say: &mut Listener<'_, ()>) -> Result<Answer, Error> {
        let read = |file: &PatchFile| {
            let patch = Patch::read(file.path.clone(), &file.bytes.0, &file.importing)?;
            Ok(patch.with_plan(file.plan.clone().map(Arc::new)))
        };
        let patches = self.files.iter().map(read).collect::<Result<Vec<Patch>, Error>>()?;
        let verification = run(&self.evidence, &patches, &self.mounts, &self.options)?;
        Text::of(say, &verification, self.table.as_ref(), render)?;
        Ok(Answer { standing: verification.outcome(self.fail_on), opened: verification.opened })
    }
}
