//! Findings that no baseline states: what is odd in a hive whatever the Windows.

use std::io::{self, Write};

/// An odd thing: its id, where it is, why it matters, who says so, and how to look.
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
        why: "Windows makes CurrentControlSet in memory at each start. In a hive file, a key of that name is unexpected: it hides \
              its content from tools that look into ControlSetNNN, and the other way round.",
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
        why: "0 is expected in a Windows whose setup is finished. Services behave otherwise during setup.",
        source: "0 in every real hive of a finished Windows",
        query: "hivemend show SYSTEM Setup",
    },
];

/// The ids.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    ODD.iter().map(|odd| odd.id)
}

/// Writes what is to be said of an id; `None` where it is another one.
pub(super) fn explain(id: &str, out: &mut dyn Write) -> Option<io::Result<()>> {
    let odd = ODD.iter().find(|odd| odd.id == id)?;
    Some(writeln!(
        out,
        "{}\n  {}\n\nWhy\n  {}\n\nSource\n  {}\n\nBy hand\n  a hive:           {}",
        odd.id, odd.place, odd.why, odd.source, odd.query
    ))
}
