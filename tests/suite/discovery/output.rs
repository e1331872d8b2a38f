//! Output stays out of the evidence.

use std::path::Path;

use hivemend::evidence::directory;

use super::Tree;

#[test]
fn output_into_the_evidence_is_known_by_any_way_to_it() {
    let tree = Tree::new();
    tree.pair("case/a").pair("hives");
    let evidence = [tree.path("case"), tree.path("hives/SYSTEM"), tree.path("missing")];
    let contains = |path: &str| {
        let found = directory::contains(&evidence, &tree.path(path))?;
        Some(within(&found, &tree))
    };
    for (output, holder) in [
        ("out", None),
        ("case", Some("case")),
        ("case/out/x.reg", Some("case")),
        ("out/../case/x", Some("case")),
        ("case/a/../../out", None),
        ("case2/x", None),
        ("hives/out", None),
        ("hives/SYSTEM", Some("hives/SYSTEM")),
        ("hives/SYSTEM.LOG1", Some("hives/SYSTEM")),
        ("hives/SOFTWARE", None),
        ("missing/x", None),
    ] {
        assert_eq!(contains(output).as_deref(), holder, "{output}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(tree.path("case/new"), tree.path("dangling")).unwrap();
        symlink("case/a", tree.path("relative")).unwrap();
        symlink("loop", tree.path("loop")).unwrap();
        assert_eq!(contains("dangling").as_deref(), Some("case"));
        assert_eq!(contains("relative/../out").as_deref(), Some("case"));
        assert_eq!(contains("loop/x"), None);
    }
}

fn within(found: &Path, tree: &Tree) -> String {
    found.strip_prefix(tree.path("")).unwrap().to_str().unwrap().to_owned()
}
