//! What to restart before Windows uses the changes of a patch.

use crate::remediation::{Plan, Target};

/// Returns a sentence or two. Windows reads the key of a service into its list of services when Windows starts, and
/// `Parameters` when the service starts. It reads everything else that is audited (service groups, Winlogon, drivers)
/// when Windows starts.
///
/// <https://learn.microsoft.com/windows/win32/services/database-of-installed-services>
pub(super) fn what_to_restart(plan: &Plan, target: Target) -> String {
    if target == Target::Offline {
        return "Nothing: Windows reads all of this when it starts.".to_owned();
    }
    let mut services: Vec<&str> = Vec::new();
    for edit in &plan.edits {
        match service_of_parameters(&edit.key) {
            Some(name) if !services.iter().any(|known| known.eq_ignore_ascii_case(name)) => services.push(name),
            Some(_) => {}
            None => return "The machine: Windows reads what the patch changes when it starts.".to_owned(),
        }
    }
    format!("These services, or the machine: {}.", services.join(", "))
}

/// Returns the service if the key is its `Parameters` and the service can be stopped while Windows runs.
fn service_of_parameters(key: &str) -> Option<&str> {
    let mut names = key.split('\\').skip(1);
    let (services, service, parameters) = (names.next()?, names.next()?, names.next()?);
    let is_parameters = services.eq_ignore_ascii_case("Services") && parameters.eq_ignore_ascii_case("Parameters");
    // Windows cannot stop the services that handle remote procedure calls.
    let is_fixed = ["RpcSs", "DcomLaunch", "RpcEptMapper"].iter().any(|fixed| fixed.eq_ignore_ascii_case(service));
    let is_plain = service.bytes().all(|byte| byte.is_ascii_graphic());
    (is_parameters && !is_fixed && is_plain && names.next().is_none()).then_some(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_of_services_that_can_stop_spare_a_restart_of_the_machine() {
        assert_eq!(service_of_parameters(r"ControlSet001\Services\BITS\Parameters"), Some("BITS"));
        assert_eq!(service_of_parameters(r"ControlSet001\services\bits\parameters"), Some("bits"));
        for key in [
            r"ControlSet001\Services\BITS",
            r"ControlSet001\Services\RpcSs\Parameters",
            r"ControlSet001\Services\BITS\Parameters\Below",
            r"ControlSet001\Services\B TS\Parameters",
            r"Microsoft\Windows NT\CurrentVersion\Svchost",
        ] {
            assert_eq!(service_of_parameters(key), None, "{key}");
        }
    }
}
