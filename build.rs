//! Lists the built-in baselines: every file in `src/baselines` that says which Windows it applies to, so that a new
//! Windows is a new file and nothing else. The other files there are tables that hold for every Windows. Beside its text each is there as JSON, which is read several times as fast as TOML; see `docs/performance.md`.

#![allow(clippy::expect_used, clippy::panic, reason = "a build that cannot list the baselines must stop")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=src/baselines");
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("src/baselines");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("src/baselines is there")
        .map(|entry| entry.expect("src/baselines can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    let mut tables = String::from("&[\n");
    for file in files {
        let id = file.file_name().and_then(|name| name.to_str()).expect("an id in ASCII").trim_end_matches(".toml");
        let text = fs::read_to_string(&file).expect("src/baselines can be read");
        let table: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{}:\n{error}", file.display()));
        let json = serde_json::to_string(&table).expect("a baseline has no dates and no numbers but integers");
        if !table.contains_key("applies-to") {
            writeln!(tables, "    ({id:?}, {json:?}),").expect("a String takes everything");
            continue;
        }
        let file = file.to_str().expect("a path in UTF-8");
        writeln!(list, "    BuiltIn {{ id: {id:?}, text: include_str!({file:?}), json: {json:?} }},")
            .expect("a String takes everything");
    }
    list.push(']');
    tables.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("baselines.rs"), list).expect("OUT_DIR can be written");
    fs::write(out.join("tables.rs"), tables).expect("OUT_DIR can be written");
}
