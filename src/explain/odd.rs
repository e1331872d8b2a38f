//! Findings that no baseline states: oddities of a hive with any Windows.

use std::io::{self, Write};

use crate::baseline::{chain_rule, group_rule};
use crate::finding::Source;
use crate::report::escape::escape_data;

/// An oddity: its id, its place, why it matters, the source, and how to check it.
struct Odd {
    id: &'static str,
    place: &'static str,
    why: &'static str,
    source: &'static str,
    query: &'static str,
}

const ODD: [Odd; 3] = [
    Odd {
        id: "current-control-set",
        place: "SYSTEM: CurrentControlSet, a real key",
        why: "Windows creates CurrentControlSet in memory at each start. In a hive file, a key of that name is \
              unexpected. Tools that read ControlSetNNN do not see its content, and tools that read that key do not \
              see ControlSetNNN.",
        source: "Microsoft Knowledge Base Q102984",
        query: "hivemend show SYSTEM CurrentControlSet",
    },
    Odd {
        id: "setup-state/SetupType",
        place: "SYSTEM: Setup, value SetupType",
        why: "0 is expected in a Windows whose setup is finished. With 1 or 2, Windows runs CmdLine as SYSTEM at its next start.",
        source: "0 in every real hive of a finished Windows",
        query: "hivemend show SYSTEM Setup",
    },
    Odd {
        id: "setup-state/SystemSetupInProgress",
        place: "SYSTEM: Setup, value SystemSetupInProgress",
        why: "0 is expected in a Windows whose setup is finished. Services behave differently during setup.",
        source: "0 in every real hive of a finished Windows",
        query: "hivemend show SYSTEM Setup",
    },
];

/// Rules for services that no baseline lists, by the prefix of their findings' ids.
const RULES: [&str; 2] = ["chain", "group-members"];

/// Returns the ids of all oddities.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    ODD.iter().map(|odd| odd.id).chain(RULES)
}

/// Returns whether an audit can have a finding with this id.
pub(super) fn is_known(id: &str) -> bool {
    let row = id.split('/').next().unwrap_or_default();
    RULES.contains(&row) || row == "names" || ODD.iter().any(|odd| odd.id == id)
}

/// Writes the explanation of an oddity; returns `None` if the id is not one.
pub(super) fn explain(id: &str, out: &mut dyn Write) -> Option<io::Result<()>> {
    let Some(odd) = ODD.iter().find(|odd| odd.id == id) else { return rule(id, out) };
    Some(writeln!(
        out,
        "{}\n  {}\n\nWhy\n  {}\n\nSource\n  {}\n\nBy hand\n  a hive:           {}",
        odd.id, odd.place, odd.why, odd.source, odd.query
    ))
}

/// Writes the explanation of a rule's finding on a service: `chain/RpcSs/Start`.
fn rule(id: &str, out: &mut dyn Write) -> Option<io::Result<()>> {
    let mut names = id.split('/');
    let (basis, what) = match names.next()? {
        "chain" => (&chain_rule()?.basis, "a service or driver that the judged services need to start"),
        "group-members" => (&group_rule()?.basis, "a service in the svchost group of a judged one"),
        _ => return None,
    };
    let service = names.next().map_or_else(|| "...".to_owned(), escape_data);
    let Source { title, url } = &basis.source;
    Some(writeln!(
        out,
        "{}\n  SYSTEM: CurrentControlSet\\Services\\{service}, {what}\n\nWhy\n  {}\n\nSource\n  {title}\n  {}\n\nBy hand\n  \
         running Windows:  sc qc \"{service}\"\n  a hive:           hivemend show SYSTEM 'CurrentControlSet\\Services\\{service}'",
        escape_data(id),
        basis.why,
        url.as_deref().unwrap_or_default(),
    ))
}
