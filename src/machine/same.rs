//! Whether SOFTWARE and SYSTEM are from one machine: the names that both contain, and contradictions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Machine;
use crate::control_set::{ControlSets, key_name};
use crate::hive::{Key, Tree};
use crate::os::lenient_text;
use crate::registry::{FileTime, same_text};

/// Whether two hives are from one machine, and the evidence for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SameMachine {
    /// The result.
    pub state: Sameness,
    /// The values in the hives that prove or contradict it; empty if there are none.
    pub by: Vec<String>,
}

/// Whether two hives are from one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// Both hives name something that only one machine has.
    Proven,
    /// Nothing proves or contradicts it. A machine without network cards has this state.
    Unproven,
    /// The hives contradict each other.
    Contradicted,
}

/// A day, in units of 100 ns: the tolerance for wrong clocks and for time zones.
const DAY: u64 = 24 * 60 * 60 * 10_000_000;

/// Compares two hives. `written` is the time of SYSTEM's last write, from its base block.
///
/// A network card has one GUID in `NetworkCards` of SOFTWARE, in `Interfaces` and below the network class in SYSTEM:
/// three real pairs agree, and 25 pairs of hives of different machines share none.
pub fn same_machine(
    software: &Tree<'_>,
    system: &Tree<'_>,
    machine: &Machine,
    written: Option<FileTime>,
) -> SameMachine {
    let cards = cards_of_software(software);
    let (known, all_read) = cards_of_system(system);
    let is_known = |card: &String| known.iter().any(|known| same_text(known, card));
    let mut by: Vec<String> =
        cards.iter().filter(|card| is_known(card)).map(|card| format!("both name the network card {card}")).collect();
    if let Some(name) = &machine.computer_name {
        let names = computer_names(software).into_iter().filter(|(_, found)| same_text(found, name));
        by.extend(names.map(|(place, _)| format!("computer name {name}, in SOFTWARE as {place}")));
    }
    let mut contradictions = Vec::new();
    if all_read && !cards.is_empty() && !cards.iter().any(is_known) {
        let names: Vec<&str> = cards.iter().map(String::as_str).collect();
        contradictions
            .push(format!("SOFTWARE names the network cards {}, and SYSTEM knows none of them", names.join(", ")));
    }
    let last_sign = machine.last_shutdown.into_iter().chain(written).max();
    if let (Some(installed), Some(last)) = (machine.installed, last_sign)
        && installed.0 > last.0.saturating_add(DAY)
    {
        contradictions.push(format!("SOFTWARE was installed {installed}, and SYSTEM was last written {last}"));
    }
    match (contradictions.is_empty(), by.is_empty()) {
        (false, _) => SameMachine { state: Sameness::Contradicted, by: contradictions },
        (true, false) => SameMachine { state: Sameness::Proven, by },
        (true, true) => SameMachine { state: Sameness::Unproven, by },
    }
}

fn cards_of_software(software: &Tree<'_>) -> BTreeSet<String> {
    let key = software.key(r"Microsoft\Windows NT\CurrentVersion\NetworkCards").ok().flatten();
    let cards = key.map(|key| key.subkeys().0).unwrap_or_default();
    let names = cards.iter().filter_map(|card| lenient_text(&card.value("ServiceName").ok().flatten()?));
    // Before Windows 2000 a card had the name of its driver.
    names.filter(|name| name.starts_with('{')).collect()
}

/// Returns every network card in any control set, bound to TCP/IP or not; and whether all places were readable.
fn cards_of_system(system: &Tree<'_>) -> (BTreeSet<String>, bool) {
    const NETWORK_CLASS: &str = "{4D36E972-E325-11CE-BFC1-08002BE10318}";
    let sets = ControlSets::read(system).map(|sets| sets.present).unwrap_or_default();
    let mut cards = BTreeSet::new();
    let mut all_read = !sets.is_empty();
    for set in sets.into_iter().map(key_name) {
        for place in
            [format!(r"{set}\Services\Tcpip\Parameters\Interfaces"), format!(r"{set}\Control\Network\{NETWORK_CLASS}")]
        {
            match system.key(&place) {
                Ok(Some(key)) => {
                    let (subkeys, problems) = key.subkeys();
                    all_read &= problems.is_empty();
                    cards.extend(subkeys.iter().map(Key::name));
                }
                Ok(None) => {}
                Err(_) => all_read = false,
            }
        }
    }
    (cards, all_read)
}

/// Returns the computer names in SOFTWARE, each with its place. Observed on XP, 7 and 8.1.
fn computer_names(software: &Tree<'_>) -> Vec<(&'static str, String)> {
    let places = [
        (r"Microsoft\Windows\CurrentVersion\Reliability", "LastComputerName"),
        (r"Microsoft\Windows NT\CurrentVersion\Winlogon", "DefaultDomainName"),
        (r"Microsoft\Windows\CurrentVersion\Group Policy\DataStore\Machine\0", "szTargetName"),
    ];
    let read = |(path, name): (&str, &'static str)| {
        let value = software.key(path).ok().flatten()?.value(name).ok().flatten()?;
        Some((name, lenient_text(&value)?))
    };
    places.into_iter().filter_map(read).collect()
}
