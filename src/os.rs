//! Detects the Windows that two hives belong to by a vote of the marks in them.
//!
//! No mark decides alone, because each can be damaged, planted, or left over. The Windows that most marks support wins.
//! If a mark contradicts it, or its build is not in the list, it is `uncertain`, and reports say so.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::hive::Tree;

mod collect;
mod marks;
mod release;
mod special;
mod vote;

pub(crate) use marks::lenient_text;
use marks::{SoftwareMarks, SystemMarks};
use release::Build;
pub use release::{OsId, ProductType};
use vote::Mark;

/// A Windows as detected from its hives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// The Windows by its name in `baseline list`, or one without a baseline.
    pub id: OsId,
    /// Whether the user stated the Windows instead of the hives.
    pub forced: bool,
    /// Whether every mark agrees, and the build is in the list.
    pub certainty: Certainty,
    /// The marks that support this Windows, and those that contradict it.
    pub marks: Marks,
    /// The Windows whose baseline judges this build, with every grade `inferred`. Set for a build without a baseline of
    /// its own or not in the list. `None` if the baseline was made for this build, or if there is no baseline.
    pub judged_by: Option<OsId>,
    /// The usual name.
    pub name: Cow<'static, str>,
    /// The product name in the hive, which is "Windows 10" on Windows 11.
    pub product_name: Option<String>,
    /// Kernel version, `5.1` to `10.0`.
    pub version: Option<String>,
    /// Build number.
    pub build: Option<u32>,
    /// Update build revision, the number after the build.
    pub revision: Option<u64>,
    /// Service pack, as text.
    pub service_pack: Option<String>,
    /// `WinNT`, `ServerNT` or `LanmanNT`.
    pub product_type: Option<String>,
    /// `x86`, `x64`, `arm64` or `ia64`.
    pub architecture: Option<String>,
    /// Edition, such as `Professional`.
    pub edition: Option<String>,
    /// The marks in the hives that this is based on.
    pub basis: Vec<String>,
}

/// How certain the detected Windows is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Every mark agrees, or the user stated the Windows.
    Certain,
    /// Marks contradict each other, or the build is not in the list.
    Uncertain,
}

/// The marks of a vote, as sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The marks that support the Windows.
    #[serde(rename = "for")]
    pub with: Vec<String>,
    /// The marks that contradict it.
    pub against: Vec<String>,
}

impl Os {
    /// Returns this result with the Windows that the user states.
    #[must_use]
    pub fn forced(mut self, id: OsId) -> Self {
        self.basis.push("the user said so (--os)".to_owned());
        Self { id, forced: true, certainty: Certainty::Certain, judged_by: None, name: id.name().into(), ..self }
    }

    /// Returns the Windows whose baseline judges this one.
    pub fn baseline(&self) -> Option<OsId> {
        self.judged_by.or_else(|| self.id.has_baseline().then_some(self.id))
    }

    /// Returns whether the Windows was detected with doubt.
    pub fn is_uncertain(&self) -> bool {
        self.certainty == Certainty::Uncertain
    }

    /// Returns the number of the service pack, 0 for none; `None` if neither hive states it.
    pub fn service_pack_number(&self) -> Option<u32> {
        match &self.service_pack {
            Some(text) => text.rsplit(' ').next()?.parse().ok(),
            // From XP on, a hive without the value means no service pack.
            None => self.version.as_ref().map(|_| 0),
        }
    }

    /// Returns the product type, if it is known.
    pub fn product(&self) -> Option<ProductType> {
        self.product_type.as_deref().and_then(ProductType::from_hive)
    }
}

/// The trees of a pair of hives; either may be missing.
#[derive(Clone, Copy)]
pub struct Pair<'a, 'h> {
    /// SOFTWARE.
    pub software: Option<&'a Tree<'h>>,
    /// SYSTEM, and the minor version of its format.
    pub system: Option<(&'a Tree<'h>, u32)>,
}

/// Detects the Windows that a pair of hives belongs to. Also returns the marks that could not be read. An id without a
/// baseline is returned only if the marks support such a Windows, or none.
pub fn identify(pair: Pair<'_, '_>) -> (Os, Vec<Problem>) {
    let mut problems = Vec::new();
    let software = pair.software.map(|tree| SoftwareMarks::read(tree, &mut problems)).unwrap_or_default();
    let system = pair.system.map(|(tree, minor)| SystemMarks::read(tree, minor, &mut problems));
    let mut os = conclude(&software, system.as_ref());
    // A mark that could not be read might contradict the result.
    if !problems.is_empty() && os.id != OsId::UNKNOWN {
        os.marks.against.push("some of the marks could not be read".to_owned());
        os.certainty = Certainty::Uncertain;
    }
    (os, problems)
}

fn conclude(software: &SoftwareMarks, system: Option<&SystemMarks>) -> Os {
    let cast = collect::collect(software, system);
    let unnamed = blank(software, system);
    if let Some((other, mark)) = special::other(software) {
        let marks = Marks { with: vec![mark.clone()], against: Vec::new() };
        let certainty = Certainty::Certain;
        return Os { name: other.name.into(), certainty, basis: vec![mark, other.why.to_owned()], marks, ..unnamed };
    }
    let pe = special::preinstallation(software, system);
    let container = special::container(system);
    let mut doubts = Vec::new();
    for (id, scale) in [(OsId::PE, pe), (OsId::CONTAINER, container)] {
        if scale.tips() {
            let certainty = if scale.against.is_empty() { Certainty::Certain } else { Certainty::Uncertain };
            let (basis, marks) = (scale.with.clone(), Marks { with: scale.with, against: scale.against });
            let (version, build) = (software_version(software).map(text_of), software.build);
            return Os { id, name: id.name().into(), certainty, basis, marks, version, build, ..unnamed };
        }
        doubts.extend(scale.with.into_iter().map(|mark| format!("{mark} (as in {})", id.name())));
    }
    let main = |mark: &&Mark| mark.main;
    let Some(elected) = vote::elect(&cast) else {
        let basis: Vec<String> = cast.iter().filter(main).map(|mark| mark.text.clone()).collect();
        return Os { marks: Marks { with: basis.clone(), against: doubts }, basis, ..unnamed };
    };
    let id = elected.id;
    let agreed =
        |wanted: bool| cast.iter().filter(move |mark| (wanted || !mark.hint) && mark.agrees(id) == Some(wanted));
    let confirmed = cast.iter().any(|mark| mark.agrees(id) == Some(true) && collect::names_the_kernel(&mark.claim));
    let text = |mark: &Mark| mark.text.clone();
    let basis = cast.iter().filter(main).filter(|mark| mark.agrees(id) != Some(false)).map(text).collect();
    let mut against: Vec<String> = agreed(false).map(text).chain(doubts).collect();
    if let Some(edition) = id.entry().and_then(|windows| windows.edition)
        && software.edition.as_deref() != Some(edition)
    {
        against.push(format!("SOFTWARE: EditionID is not {edition}"));
    }
    if !elected.alone {
        against.push("another Windows has as many votes".to_owned());
    }
    let builds = id.entry().map(|windows| windows.builds).unwrap_or_default();
    let build = software.build.or(software.second_build).or_else(|| core_os_build(system)).or(match builds {
        [only] => Some(only.number),
        _ => None,
    });
    let known = builds.iter().find(|known| Some(known.number) == build);
    if known.is_none() {
        against.push(not_in_the_list(id, build));
    }
    // A vote of hints alone gives the most likely Windows without confirmation.
    if !confirmed {
        against.push("no mark names the version or the build of this Windows".to_owned());
    }
    let version = id.version().filter(|_| confirmed).or_else(|| software_version(software)).or(id.version());
    let judge = known.or_else(|| builds.last()).and_then(|build| build.judged_by);
    let certainty = if against.is_empty() { Certainty::Certain } else { Certainty::Uncertain };
    Os {
        id,
        certainty,
        name: known.and_then(|build| build.name).unwrap_or_else(|| id.name()).into(),
        judged_by: judge.filter(|judge| *judge != id || known.is_none()),
        version: version.map(text_of),
        build,
        marks: Marks { with: once(agreed(true).map(text)), against: once(against) },
        basis,
        ..unnamed
    }
}

/// Returns the facts that need no vote. The id is `unknown`.
fn blank(software: &SoftwareMarks, system: Option<&SystemMarks>) -> Os {
    let build = software.build.or_else(|| core_os_build(system));
    Os {
        id: OsId::UNKNOWN,
        forced: false,
        certainty: Certainty::Uncertain,
        marks: Marks::default(),
        judged_by: None,
        name: OsId::UNKNOWN.name().into(),
        product_name: software.product_name.clone(),
        version: software_version(software).map(text_of),
        build,
        revision: software.revision.or_else(|| system.and_then(|marks| marks.revision).filter(|_| build > Some(9600))),
        service_pack: software.service_pack.clone().or_else(|| {
            // 0x300 is Service Pack 3.
            let number = system?.service_pack? >> 8;
            (number > 0).then(|| format!("Service Pack {number}"))
        }),
        product_type: system.and_then(|marks| marks.product_type.clone()),
        architecture: architecture(software, system),
        edition: software.edition.clone(),
        basis: Vec::new(),
    }
}

/// Returns the same texts in the same order without duplicates, because one mark may count twice.
fn once(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

/// Returns why a build does not belong to this Windows, and the date of the list.
fn not_in_the_list(id: OsId, build: Option<u32>) -> String {
    let Some(build) = build else { return "the build is not known".to_owned() };
    let builds = id.entry().map(|windows| windows.builds).unwrap_or_default();
    let nearest = builds.iter().min_by_key(|known| known.number.abs_diff(build)).map(Build::cited);
    let nearest = nearest.map_or_else(String::new, |nearest| format!("; the nearest is {nearest}"));
    format!("build {build} is not in the list of {} builds of {}{nearest}", id.name(), OsId::as_of())
}

fn software_version(software: &SoftwareMarks) -> Option<(u64, u64)> {
    let by_numbers = software.major.map(|major| (major, software.minor.unwrap_or(0)));
    by_numbers.or_else(|| software.current_version.as_deref().and_then(parse_version))
}

fn core_os_build(system: Option<&SystemMarks>) -> Option<u32> {
    system?.core_os.as_ref()?.split('.').nth(2)?.parse().ok()
}

fn text_of((major, minor): (u64, u64)) -> String {
    format!("{major}.{minor}")
}

fn architecture(software: &SoftwareMarks, system: Option<&SystemMarks>) -> Option<String> {
    let of_system =
        system.and_then(|marks| marks.architecture.as_deref()).map(|name| match name.to_ascii_uppercase().as_str() {
            "AMD64" => "x64".to_owned(),
            other => other.to_ascii_lowercase(),
        });
    let of_software = software.architecture.or(software.has_wow64.then_some("x64")).map(str::to_owned);
    of_system.or(of_software)
}

fn parse_version(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split('.').map(|part| part.trim().parse().ok());
    Some((parts.next()??, parts.next()??))
}
