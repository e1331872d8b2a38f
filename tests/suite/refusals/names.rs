//! Ids that `--only` and `--skip` accept, and unknown ids.

use super::{XP, audit, left, plan};
use crate::command_line::Desk;

#[test]
fn an_id_that_no_finding_can_have_is_refused_with_the_nearest() {
    let desk = Desk::with(&[XP]);
    for (option, id, near) in [
        ("--skip", "service-bits/Strat", "service-bits/Start"),
        ("--only", "service-bist", "service-bits"),
        ("--only", "winlogon-notify-senslogn/Shutdwn", "winlogon-notify-senslogn/Shutdown"),
    ] {
        let said = audit(&desk, 2, XP, &[option, id]);
        assert!(said.contains(option) && said.contains(&format!("did you mean {near:?}")), "{said}");
    }
    assert!(audit(&desk, 2, XP, &["--only", "x"]).contains("--only"));
}

#[test]
fn ids_are_taken_in_any_case_and_a_key_stands_for_its_values() {
    let desk = Desk::with(&[XP]);
    let shutdown = "winlogon-notify-senslogn/Shutdown";
    for (arguments, expected) in [
        (["--skip", "WINLOGON-NOTIFY-SENSLOGN/shutdown"], Some("left out with --skip")),
        (["--skip", "winlogon-notify-senslogn"], Some("left out with --skip")),
        (["--only", "winlogon-notify-senslogn"], None),
        (["--only", "service-bits/Start"], Some("not among those named with --only")),
    ] {
        audit(&desk, 1, XP, &arguments);
        assert_eq!(left(&plan(&desk), shutdown).as_deref(), expected, "{arguments:?}");
    }
}
