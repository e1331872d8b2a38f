//! The modules stand in the order of the data's way: each uses only those that are declared above it.

use std::fs;
use std::path::{Path, PathBuf};

/// The public modules of the library, in the order of their declaration.
fn modules() -> Vec<String> {
    let library = fs::read_to_string(source().join("lib.rs")).unwrap();
    library.lines().filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned())).collect()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file of a module: its own, and those in its folder.
fn files(module: &str) -> Vec<PathBuf> {
    let mut files = vec![source().join(format!("{module}.rs"))];
    let mut folders = vec![source().join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The crate's modules that a source text names, its own tests left out.
fn uses(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default())
}

#[test]
fn a_module_uses_only_modules_declared_above_it() {
    let modules = modules();
    assert!(modules.len() > 10, "the declarations in lib.rs were not found: {modules:?}");
    let place = |name: &str| modules.iter().position(|module| module == name);
    let mut wrong = Vec::new();
    for module in &modules {
        for file in files(module) {
            let text = fs::read_to_string(&file).unwrap();
            for used in uses(&text).filter(|used| used != module) {
                if place(used) > place(module) {
                    wrong.push(format!("{} uses {used}, which is declared below {module}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_one_module_knows_nt_hive_and_only_main_prints() {
    let mut wrong = Vec::new();
    for module in modules() {
        for file in files(&module) {
            let text = fs::read_to_string(&file).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let in_tree =
                file.ends_with("hive/tree.rs") || file.parent().is_some_and(|folder| folder.ends_with("hive/tree"));
            if !in_tree && code.iter().any(|line| line.contains("nt_hive::") || line.contains("use nt_hive")) {
                wrong.push(format!("{} names nt_hive", file.display()));
            }
            // A worker's stdout is a file in memory, which nobody sees.
            let worker = file.ends_with("evidence/worker.rs");
            if !worker && code.iter().any(|line| line.contains("println!") || line.contains("io::stdout")) {
                wrong.push(format!("{} prints", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What `docs/robustness.md` says of the limits is what the source says.
#[test]
fn the_limits_in_the_documentation_are_those_of_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/robustness.md")).unwrap();
    let mut limits = 0;
    for row in page.lines().filter(|line| line.starts_with("| `") && line.contains(".rs` |")) {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`')).skip(1);
        let (name, value, file) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        let text = fs::read_to_string(root.join(file)).unwrap();
        let declared = text.lines().any(|line| {
            line.contains(&format!("const {name}: ")) && line.trim_end().ends_with(&format!(" = {value};"))
        });
        assert!(declared, "{file} has no `const {name}: … = {value};`");
        limits += 1;
    }
    assert!(limits > 15, "only {limits} limits are documented");
}
