//! The command lines of `IMPORT.txt` for Windows, run by Wine's reg as far as it supports them, without hives.

use super::prefix::wine;
use crate::handover::Handed;

#[test]
fn wine_runs_the_lines_that_import() {
    let Some(wine) = wine() else { return };
    let case = "windows-7-bits-parameters-read-only";
    let roots = [
        "--software-root",
        r"HKEY_LOCAL_MACHINE\HANDED-SOFTWARE",
        "--system-root",
        r"HKEY_LOCAL_MACHINE\HANDED-SYSTEM",
    ];
    for (options, key) in [
        (&["--target", "live"][..], r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\BITS"),
        (&roots[..], r"HKEY_LOCAL_MACHINE\HANDED-SYSTEM\ControlSet001\Services\BITS"),
    ] {
        let handed = Handed::new(case, options);
        let imports: Vec<String> =
            handed.lines("reg").into_iter().filter(|line| line.starts_with("reg import ")).collect();
        assert_eq!(imports.len(), 1);
        for line in imports {
            wine.run_in(&handed.patch(), &line);
        }
        let values = wine.stored_below(key);
        let start = values.iter().find(|((_, name), _)| String::from_utf16_lossy(name) == "Start");
        assert_eq!(start.unwrap().1, &(4, vec![3, 0, 0, 0]), "{key}");
    }
}
