//! Profiles: what an audit looks for.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Baseline, Presence};

/// What an audit looks for; all of it unless the user names some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What KB 968001 asks for: SensLogn, BITS, SENS, and what they directly depend on
    Kb968001,
    /// Every service and driver that Windows Update needs to start
    Chain,
    /// Code from outside Windows' own folders wherever these services or Winlogon load it
    Persistence,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::Kb968001, Self::Chain, Self::Persistence];
}

impl Baseline {
    /// Removes the rows that belong to none of these profiles. The steps of the article belong to the article's
    /// profile. Services stay listed without rows, because dependencies are followed from them.
    #[must_use]
    pub fn with_profiles(&self, profiles: &[Profile]) -> Cow<'_, Self> {
        if Profile::ALL.iter().all(|profile| profiles.contains(profile)) {
            return Cow::Borrowed(self);
        }
        let mut chosen = self.clone();
        let wanted = |of: &[Profile]| of.iter().any(|profile| profiles.contains(profile));
        for key in &mut chosen.keys {
            key.values.retain(|value| wanted(&value.profiles));
        }
        chosen.keys.retain_mut(|key| match key.presence {
            Presence::Absent => wanted(&key.profiles),
            _ if key.itself && wanted(&key.profiles) => true,
            _ => {
                key.itself = false;
                !key.values.is_empty() || key.service().is_some()
            }
        });
        if !wanted(&[Profile::Kb968001]) {
            chosen.steps.clear();
        }
        Cow::Owned(chosen)
    }
}
