//! The baselines as data: well-formed, complete, with a source for every row, and with their list in the documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hivemend::baseline::{BUILT_IN, Baseline, Basis, BuiltIn, ExpectedKey, Rule, list};
use hivemend::finding::{Grade, Severity};
use hivemend::os::OsId;
use hivemend::registry::RegistryValue;

mod coverage;
mod kin;
mod rows;

fn baselines() -> Vec<Baseline> {
    let read =
        |built_in: &BuiltIn| Baseline::parse(built_in.id, built_in.text).unwrap_or_else(|error| panic!("{error}"));
    let mut baselines: Vec<Baseline> = BUILT_IN.iter().map(read).collect();
    baselines.sort_by_key(|baseline| baseline.applies_to.first().copied());
    baselines
}

/// Every basis in a baseline: of keys, of values, of steps, with a name for it.
fn bases(baseline: &Baseline) -> Vec<(String, &Basis)> {
    let keys = baseline.keys.iter().map(|key| (key.id.clone(), &key.basis));
    let values = baseline
        .keys
        .iter()
        .flat_map(|key| key.values.iter().map(|value| (format!("{}/{}", key.id, value.name), &value.basis)));
    let steps = baseline.steps.iter().map(|step| (step.id.clone(), &step.basis));
    keys.chain(values).chain(steps).map(|(id, basis)| (format!("{}: {id}", baseline.id), basis)).collect()
}

fn is_kebab_case(id: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.split('-').all(is_word)
}

#[test]
fn every_windows_is_covered_exactly_once() {
    let covered: Vec<OsId> = baselines().iter().flat_map(|baseline| baseline.applies_to.clone()).collect();
    for os in OsId::ALL.iter().filter(|os| os.has_baseline()) {
        assert_eq!(covered.iter().filter(|covered| *covered == os).count(), 1, "{os}");
        assert!(Baseline::of(*os).unwrap().unwrap().applies_to.contains(os), "{os}");
    }
    assert!(covered.iter().all(|os| os.has_baseline()));
}

#[test]
fn ids_are_unique_and_kebab_case() {
    for built_in in &BUILT_IN {
        let stem = built_in.id;
        let baseline = Baseline::parse(stem, Baseline::text_of(stem).unwrap()).unwrap();
        assert_eq!(baseline.id, stem, "the id is the file's name");
        // What the program reads is made from the text when it is built.
        assert_eq!(format!("{:?}", built_in.read().unwrap()), format!("{baseline:?}"), "{stem}");
        let ids: Vec<&str> = baseline
            .keys
            .iter()
            .map(|key| key.id.as_str())
            .chain(baseline.steps.iter().map(|step| step.id.as_str()))
            .collect();
        assert!(ids.iter().all(|id| is_kebab_case(id)), "{stem}: {ids:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{stem}: an id twice");
        for key in &baseline.keys {
            let names: BTreeSet<String> = key.values.iter().map(|value| value.name.to_lowercase()).collect();
            assert_eq!(names.len(), key.values.len(), "{stem}: {}: a value twice", key.id);
        }
    }
}

#[test]
fn every_row_says_why_and_who_says_so() {
    for baseline in baselines() {
        for (id, basis) in bases(&baseline) {
            assert!(basis.why.len() > 15 && basis.why.ends_with('.'), "{id}: why: {:?}", basis.why);
            assert!(basis.source.title.len() > 8, "{id}: source: {:?}", basis.source.title);
            let url = basis.source.url.as_deref().unwrap_or("https://");
            assert!(url.starts_with("https://") || url.starts_with("http://"), "{id}: {url}");
            assert_ne!(basis.severity, Severity::Critical, "{id}: critical is the audit's word");
            let kin = basis.kinship.as_ref().map(|kin| OsId::ALL.iter().find(|os| os.as_str() == kin));
            match (basis.grade, kin) {
                (Grade::Inferred, Some(Some(os))) => {
                    assert!(os.has_baseline() && !baseline.applies_to.contains(os), "{id}: {os}");
                }
                (Grade::Inferred, _) => panic!("{id}: inferred from {:?}", basis.kinship),
                (_, kin) => assert!(kin.is_none(), "{id}: a kinship, but not inferred"),
            }
            for technique in &basis.attack {
                let digits = technique.strip_prefix('T').unwrap_or_default();
                let (id_part, sub) = digits.split_once('.').unwrap_or((digits, "000"));
                let is_number =
                    |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
                assert!(is_number(id_part, 4) && is_number(sub, 3), "{id}: {technique}");
                assert_ne!(technique, "T1574.002", "{id}: ATT&CK revoked it");
            }
        }
        for key in &baseline.keys {
            for value in &key.values {
                if let Rule::Unknown(reason) = &value.rule {
                    assert!(reason.len() > 15, "{}: {}/{}: {reason:?}", baseline.id, key.id, value.name);
                }
            }
        }
    }
}

/// From the article's rows, not from the files: what a Windows must be asked about.
fn required(id: &str) -> Vec<&'static str> {
    let is = |ids: &[&str]| ids.contains(&id);
    let is_2000 = is(&["windows-2000"]);
    let before_vista = is_2000 || is(&["windows-xp", "windows-xp-x64", "windows-server-2003"]);
    let before_7 = before_vista || is(&["windows-vista", "windows-server-2008"]);
    let mut rows = vec![
        "winlogon-notify-senslogn",
        "service-bits",
        "service-bits-parameters",
        "service-bits-performance",
        "service-bits-security",
        "service-sens",
        "service-sens-parameters",
        "service-sens-security",
        "service-eventsystem",
        "service-eventsystem-parameters",
        "service-eventsystem-security",
        "service-rpcss",
        "service-rpcss-parameters",
        "service-rpcss-security",
        "service-wuauserv",
        "service-wuauserv-parameters",
        "service-wuauserv-security",
        "svchost-netsvcs",
        "svchost-rpcss",
        "winlogon",
        "control-mini-nt",
        "client-for-microsoft-networks",
        "client-for-microsoft-networks-ndi",
        "service-lanmanworkstation",
        "service-dnscache",
        "name-servers",
        "name-server-interfaces",
        "automatic-updates",
        "automatic-updates-policy",
        "update-access-policy",
        "bits-policy",
        "wsus-policy",
        "administrator-logged-on",
        "run-as",
        "back-up-registry",
        "restart-after-change",
        "services-running",
        "proxy",
        "windows-update-log",
    ];
    let mut when = |holds: bool, more: &[&'static str]| rows.extend(more.iter().filter(|_| holds));
    when(
        is_2000,
        &[
            "svchost-bitsgroup",
            "terminal-server-mode",
            "register-wlnotify",
            "network-client-selected",
            "console-session",
        ],
    );
    when(
        !is_2000,
        &[
            "service-dcomlaunch",
            "service-dcomlaunch-parameters",
            "service-dcomlaunch-security",
            "svchost-dcomlaunch",
            "service-cryptsvc",
            "service-cryptsvc-parameters",
            "service-lanmanworkstation-parameters",
            "service-dnscache-parameters",
            "svchost-networkservice",
        ],
    );
    when(before_vista, &["winlogon-notify"]);
    when(is(&["windows-xp-x64"]), &["winlogon-notify-senslogn-wow6432", "winlogon-notify-wow6432"]);
    when(
        !before_vista,
        &[
            "svchost-localservice",
            "name-resolution",
            "service-nsi",
            "service-nsi-parameters",
            "service-trustedinstaller",
        ],
    );
    let since_8 = !before_7 && !is(&["windows-7", "windows-server-2008-r2"]);
    when(since_8, &["service-wuauserv-trigger"]);
    let before_10 = is(&["windows-8", "windows-server-2012", "windows-8.1", "windows-server-2012-r2"]) || !since_8;
    when(!before_10, &["service-usosvc", "service-usosvc-parameters", "service-dosvc"]);
    when(!before_10 && !is(&["windows-server-2016"]), &["service-waasmedicsvc"]);
    when(!before_7, &["service-rpceptmapper-security"]);
    when(!before_7, &["service-rpceptmapper", "service-rpceptmapper-parameters"]);
    rows
}

#[test]
fn every_windows_has_every_row() {
    for baseline in baselines() {
        let ids = baseline.keys.iter().map(|key| key.id.as_str());
        let ids: BTreeSet<&str> = ids.chain(baseline.steps.iter().map(|step| step.id.as_str())).collect();
        let required: BTreeSet<&str> = required(&baseline.id).into_iter().collect();
        assert_eq!(ids, required, "{}", baseline.id);
        for key in baseline.keys.iter().filter(|key| is_chain(&key.id)) {
            let names: BTreeSet<&str> = key.values.iter().map(|value| value.name.as_str()).collect();
            let mut rows = vec!["ServiceDll", "ServiceMain"];
            if !key.id.ends_with("-parameters") {
                rows = vec!["Start", "DelayedAutoStart", "Type", "ErrorControl", "ImagePath", "ObjectName", "Group"];
                rows.extend(["DependOnService", "FailureCommand", "FailureActions", "ServiceDll"]);
                let impersonates = ["service-bits", "service-sens", "service-eventsystem", "service-wuauserv"];
                rows.extend(impersonates.contains(&key.id.as_str()).then_some("RequiredPrivileges"));
            }
            assert_eq!(names, rows.into_iter().collect(), "{}: {}", baseline.id, key.id);
        }
    }
}

/// A service of the chain that BITS, SENS and Automatic Updates hang on.
fn is_chain(id: &str) -> bool {
    let service = id.strip_prefix("service-").map(|id| id.trim_end_matches("-parameters")).unwrap_or_default();
    ["bits", "sens", "eventsystem", "rpcss", "dcomlaunch", "rpceptmapper", "wuauserv"].contains(&service)
}

/// The article's table, typed from it.
#[test]
fn senslogn_is_as_the_article_prints_it() {
    let numbers = [("Asynchronous", 1), ("Impersonate", 1), ("MaxWait", 0x258), ("Safe", 1)];
    let everywhere = [
        "Lock",
        "Logoff",
        "Logon",
        "Shutdown",
        "StartScreenSaver",
        "StartShell",
        "Startup",
        "StopScreenSaver",
        "Unlock",
    ];
    let since_xp = ["Disconnect", "PostShell", "Reconnect"];
    let expected_in = |key: &ExpectedKey| -> BTreeMap<String, RegistryValue> {
        let values = key.values.iter().filter_map(|value| match &value.rule {
            Rule::OneOf { accepted, .. } => Some((value.name.clone(), accepted[0].value.clone())),
            _ => None,
        });
        values.collect()
    };
    for baseline in baselines() {
        let keys = baseline.keys.iter().filter(|key| key.id.starts_with("winlogon-notify-senslogn"));
        for key in keys {
            let text = |name: &str| RegistryValue::text(hivemend::registry::DataType::SZ, name);
            let mut article: BTreeMap<String, RegistryValue> = BTreeMap::new();
            let is_2000 = baseline.id == "windows-2000";
            if ["windows-2000", "windows-xp", "windows-xp-x64", "windows-server-2003"].contains(&baseline.id.as_str()) {
                let functions = everywhere.iter().chain(since_xp.iter().filter(|_| !is_2000));
                article.extend(functions.map(|name| ((*name).to_owned(), text(&format!("Sens{name}Event")))));
                article.extend(numbers.map(|(name, number)| (name.to_owned(), RegistryValue::dword(number))));
                article.insert("DLLName".into(), text("WlNotify.dll"));
                assert!(key.closed && key.recreate, "{}", baseline.id);
                assert_eq!(article.len(), if is_2000 { 14 } else { 17 });
            }
            assert_eq!(expected_in(key), article, "{}: {}", baseline.id, key.id);
        }
    }
}

#[test]
fn the_documentation_has_the_list() {
    const COMMAND: &str = "UPDATE_DOCS=1 cargo test --test suite the_documentation_has_the_list";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/baselines.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- baseline list -->\n", "<!-- end -->");
    let (before, rest) = page.split_once(begin).expect("the mark where the list begins");
    let (old, after) = rest.split_once(end).expect("the mark where it ends");
    let mut table = Vec::new();
    list::render(&mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(old, table, "docs/baselines.md is stale; refresh it with: {COMMAND}");
    }
}
