//! The vote: each mark supports some Windows of the list and contradicts others. The best candidate wins.

use super::release::{OsId, Product, Windows};

/// A fact in a hive, and what follows from it.
#[derive(Debug)]
pub(super) struct Mark {
    /// `SOFTWARE: CurrentVersion=6.1`.
    pub(super) text: String,
    pub(super) claim: Claim,
    pub(super) weight: u32,
    /// Whether reports include it in the short basis.
    pub(super) main: bool,
    /// Whether it is a hint, which supports a Windows and never contradicts one.
    pub(super) hint: bool,
}

/// What a mark claims about its Windows.
#[derive(Clone, Debug)]
pub(super) enum Claim {
    /// The kernel version.
    Version(u64, u64),
    /// A kernel version before this one.
    Before(u64, u64),
    /// This kernel version or a later one.
    Since(u64, u64),
    /// The kernel version, and the build of the feature update that was installed.
    Base(u64, u64, u32),
    /// The build.
    Build(u32),
    /// The build of the feature update. It is older than the build if an enablement package was installed.
    Lab(u32),
    /// Client or server.
    Product(Product),
    /// The name of one of these.
    Named(Vec<OsId>),
    /// The EditionID of one Windows alone.
    Edition(OsId),
    /// Shown with the marks, without effect on the vote.
    Nothing,
}

/// The result of the vote.
#[derive(Debug)]
pub(super) struct Elected {
    pub(super) id: OsId,
    /// Whether no other Windows has as many votes.
    pub(super) alone: bool,
}

/// Returns the Windows that most marks support; `None` if no mark names a version.
pub(super) fn elect(marks: &[Mark]) -> Option<Elected> {
    if !marks.iter().any(Mark::names_a_version) {
        return None;
    }
    let editions = |id: OsId| marks.iter().any(|mark| matches!(mark.claim, Claim::Edition(of) if of == id));
    let mut best: Option<(i64, Elected)> = None;
    for id in OsId::ALL.iter().copied() {
        let Some(windows) = id.entry().filter(|windows| windows.version.is_some()) else { continue };
        let score = marks.iter().map(|mark| mark.score(id)).fold(0_i64, i64::saturating_add);
        // For the same build, the Windows without an edition of its own is more likely.
        let lacks_edition = windows.edition.is_some() && !editions(id);
        let score = if lacks_edition { score.saturating_sub(2) } else { score };
        match &mut best {
            Some((most, elected)) if score == *most => elected.alone = false,
            Some((most, _)) if score < *most => {}
            _ => best = Some((score, Elected { id, alone: true })),
        }
    }
    best.map(|(_, elected)| elected)
}

impl Mark {
    /// Returns a mark that reports include in the short basis.
    pub(super) fn main(text: String, weight: u32, claim: Claim) -> Self {
        Self { text, claim, weight, main: true, hint: false }
    }

    /// Returns a mark that counts and appears only in the list of all marks.
    pub(super) fn other(text: String, weight: u32, claim: Claim) -> Self {
        Self { main: false, ..Self::main(text, weight, claim) }
    }

    /// Returns a hint, which supports a Windows and never contradicts one.
    pub(super) fn hint(text: String, claim: Claim) -> Self {
        Self { hint: true, ..Self::other(text, 1, claim) }
    }

    fn names_a_version(&self) -> bool {
        !matches!(self.claim, Claim::Product(_) | Claim::Nothing)
    }

    fn score(&self, id: OsId) -> i64 {
        match self.agrees(id) {
            Some(true) => self.weight.into(),
            Some(false) if !self.hint => i64::from(self.weight).saturating_neg(),
            _ => 0,
        }
    }

    /// Returns whether the mark supports this Windows; `None` if it does not concern it.
    pub(super) fn agrees(&self, id: OsId) -> Option<bool> {
        let windows = id.entry()?;
        let version = windows.version?;
        match &self.claim {
            Claim::Version(major, minor) => Some(version == (*major, *minor)),
            Claim::Before(major, minor) => Some(version < (*major, *minor)),
            Claim::Since(major, minor) => Some(version >= (*major, *minor)),
            Claim::Base(major, minor, build) => {
                Some(version == (*major, *minor) && (has(windows, *build) || !is_listed(*build)))
            }
            Claim::Build(build) if is_listed(*build) => Some(has(windows, *build)),
            Claim::Build(build) => nearest(*build, windows.product).map(|nearest| nearest == id),
            Claim::Lab(build) => is_listed(*build).then(|| has(windows, *build)),
            Claim::Product(product) => windows.product.map(|of| of == *product),
            Claim::Named(ids) => Some(ids.contains(&id)),
            Claim::Edition(of) => Some(*of == id),
            Claim::Nothing => None,
        }
    }
}

fn has(windows: &Windows, number: u32) -> bool {
    windows.builds.iter().any(|build| build.number == number)
}

/// Returns whether any Windows of the list has this build.
pub(super) fn is_listed(number: u32) -> bool {
    OsId::ALL.iter().filter_map(|id| id.entry()).any(|windows| has(windows, number))
}

/// Returns the Windows with a baseline of its own whose build is nearest to this unlisted one.
fn nearest(number: u32, product: Option<Product>) -> Option<OsId> {
    let known = OsId::ALL.iter().copied().filter(|id| id.has_baseline());
    let known = known.filter_map(|id| Some((id, id.entry()?))).filter(|(_, windows)| windows.product == product);
    let distances = known.filter_map(|(id, windows)| {
        let distance = windows.builds.iter().map(|build| build.number.abs_diff(number)).min()?;
        Some((distance, id))
    });
    distances.min().map(|(_, id)| id)
}
