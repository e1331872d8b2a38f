//! Discovery (stands in until its branch is merged).
#![allow(missing_docs)]
use crate::error::{Error, Problem};
use crate::registry::Role;
use std::path::PathBuf;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    Live,
    Regback,
    Repair,
    RestorePoint,
    ShadowCopy,
    WindowsOld,
    Setup,
    Copy,
}
pub struct FoundLog {
    pub path: PathBuf,
    pub locator: String,
    pub size: u64,
}
pub struct FoundHive {
    pub path: PathBuf,
    pub locator: String,
    pub role: Role,
    pub size: u64,
    pub logs: Vec<FoundLog>,
}
pub struct Installation {
    pub id: String,
    pub evidence: String,
    pub generation: Generation,
    pub hives: Vec<FoundHive>,
    pub problems: Vec<Problem>,
}
pub struct Discovery {
    pub installations: Vec<Installation>,
    pub problems: Vec<Problem>,
}
pub fn discover(_evidence: &[PathBuf], _map: bool) -> Result<Discovery, Error> {
    Ok(Discovery { installations: vec![], problems: vec![] })
}
