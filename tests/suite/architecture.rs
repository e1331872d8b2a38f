//! The modules are declared in the order of the data flow: each uses only those declared above it.

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
            if code.iter().any(|line| line.contains("println!") || line.contains("io::stdout")) {
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

/// Every source file of the library by its module path.
fn all_files() -> std::collections::BTreeMap<String, PathBuf> {
    let mut all = std::collections::BTreeMap::new();
    for module in modules() {
        for file in files(&module) {
            let path = file.strip_prefix(source()).unwrap().with_extension("");
            all.insert(path.to_str().unwrap().replace('/', "::"), file);
        }
    }
    all
}

/// The paths that a `use` names: `a::{b, c::d}` is two.
fn spread(text: &str) -> Vec<String> {
    let text = text.trim();
    let Some((before, rest)) = text.split_once('{') else {
        return vec![text.split(" as ").next().unwrap().trim().to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth, mut part) = (Vec::new(), 0, String::new());
    for letter in inner.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(letter);
        }
    }
    parts.push(part);
    let inner = parts.iter().filter(|part| !part.trim().is_empty()).flat_map(|part| spread(part));
    inner.map(|part| format!("{before}{part}")).collect()
}

/// The files that a file uses, by module path.
fn uses_of(module: &str, text: &str, all: &std::collections::BTreeMap<String, PathBuf>) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join(" ");
    let mut paths: Vec<String> = Vec::new();
    for part in code.split("use ").skip(1) {
        if ["super::", "crate::", "self::"].iter().any(|start| part.starts_with(start)) {
            paths.extend(spread(part.split(';').next().unwrap()));
        }
    }
    for start in ["super::", "crate::"] {
        for (at, _) in code.match_indices(start) {
            let path: String = code[at..]
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':'))
                .collect();
            paths.push(path);
        }
    }
    let resolve = |path: &String| {
        let mut own: Vec<&str> = module.split("::").collect();
        let mut parts = path.split("::").map(str::trim).peekable();
        if parts.next_if_eq(&"crate").is_some() {
            own.clear();
        }
        parts.next_if_eq(&"self");
        while parts.next_if_eq(&"super").is_some() {
            own.pop();
        }
        own.extend(parts);
        while !own.is_empty() && !all.contains_key(&own.join("::")) {
            own.pop();
        }
        Some(own.join("::")).filter(|found| !found.is_empty() && found != module)
    };
    paths.iter().filter_map(resolve).collect()
}

#[test]
fn no_two_files_use_each_other() {
    let all = all_files();
    assert!(all.len() > 150, "only {} files were found", all.len());
    let mut uses = std::collections::BTreeMap::new();
    for (module, file) in &all {
        uses.insert(module.clone(), uses_of(module, &fs::read_to_string(file).unwrap(), &all));
    }
    assert!(uses["discovery::containers"].contains(&"discovery::opener".to_owned()));
    // A file and those in its own folder are one subject.
    let kin = |a: &str, b: &str| a.starts_with(&format!("{b}::")) || b.starts_with(&format!("{a}::"));
    let mut wrong = Vec::new();
    for (module, used) in &uses {
        for other in used.iter().filter(|other| module < *other && !kin(module, other)) {
            if uses.get(other).is_some_and(|uses| uses.contains(module)) {
                wrong.push(format!("{module} and {other}"));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "files that use each other: {}", wrong.join(", "));
}
