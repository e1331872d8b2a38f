//! `FailureActions`: what Windows does when a service fails.
//!
//! The value is a `SERVICE_FAILURE_ACTIONS` of 32-bit fields: dwResetPeriod, lpRebootMsg, lpCommand, cActions,
//! lpsaActions, 20 bytes; `SC_ACTION`s follow, each Type and Delay.
//!
//! <https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_failure_actionsw>,
//! <https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-sc_action>

use crate::baseline::Action;
use crate::registry::RegistryValue;

/// Bytes before the first action.
const HEADER: usize = 20;
/// The offset of the number of actions.
const COUNT: usize = 12;

/// Returns a sentence if the value contains one of these actions.
pub(super) fn unwanted(actions: &[Action], value: &RegistryValue) -> Option<String> {
    let bytes = &value.bytes;
    let Some(count) = number(bytes, COUNT).filter(|_| bytes.len() >= HEADER) else {
        return Some(format!("The data are not a SERVICE_FAILURE_ACTIONS structure: they have {} bytes.", bytes.len()));
    };
    let stored = bytes.get(HEADER..).unwrap_or_default().chunks_exact(8);
    let stored = stored.take(usize::try_from(count).unwrap_or(usize::MAX));
    let kinds: Vec<u32> = stored.filter_map(|action| number(action, 0)).collect();
    let set = actions.iter().find(|action| kinds.contains(&(**action as u32)))?;
    Some(match set {
        Action::RunCommand => "When the service fails, Windows runs the program in FailureCommand.".to_owned(),
        Action::Reboot => "When the service fails, Windows restarts the computer.".to_owned(),
        Action::Restart => "When the service fails, Windows restarts the service.".to_owned(),
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::DataType;

    fn value(count: u32, kinds: &[u32]) -> RegistryValue {
        let header = [86_400, 0, 0, count, 20];
        let actions = kinds.iter().flat_map(|kind| [*kind, 60_000]);
        let bytes = header.into_iter().chain(actions).flat_map(u32::to_le_bytes).collect();
        RegistryValue { data_type: DataType::BINARY, bytes }
    }

    #[test]
    fn a_program_that_runs_on_failure_is_found_and_a_restart_is_not() {
        let run = [Action::RunCommand];
        assert_eq!(unwanted(&run, &value(3, &[1, 1, 0])), None);
        assert!(unwanted(&run, &value(3, &[1, 3, 0])).unwrap().contains("runs the program"));
        // Actions beyond the count are ignored; a count that is too high adds no actions.
        assert_eq!(unwanted(&run, &value(1, &[1, 3])), None);
        assert!(unwanted(&run, &value(u32::MAX, &[3])).is_some());
    }

    #[test]
    fn what_is_too_short_says_so() {
        let short = RegistryValue { data_type: DataType::BINARY, bytes: vec![0; 19] };
        assert!(unwanted(&[Action::RunCommand], &short).unwrap().contains("19 bytes"));
    }
}
