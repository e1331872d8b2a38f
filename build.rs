//! Composes the built-in baselines from the files in `src/baselines`, so that a new Windows is a new file and nothing
//! else. Each is there as text, for people, and as JSON, which is read several times as fast; see `docs/performance.md`.

#![allow(clippy::expect_used, clippy::panic, reason = "a build that cannot list the baselines must stop")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

// The library has these two as well, and there they are public.
#[allow(unreachable_pub)]
#[path = "src/baseline/compose.rs"]
mod compose;
#[allow(unreachable_pub)]
#[path = "src/baseline/whole.rs"]
mod whole;

/// The files that are no baseline: what baselines refer to.
const SHARED: [&str; 3] = ["sources", "templates", "texts"];

fn main() {
    println!("cargo::rerun-if-changed=src/baselines");
    println!("cargo::rerun-if-changed=src/baseline/compose.rs");
    println!("cargo::rerun-if-changed=src/baseline/compose");
    println!("cargo::rerun-if-changed=src/baseline/whole.rs");
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("src/baselines");
    let [sources, templates, texts] = SHARED.map(|name| read(&folder.join(format!("{name}.toml"))));
    let mut ids: Vec<String> = fs::read_dir(&folder)
        .expect("src/baselines is there")
        .map(|entry| entry.expect("src/baselines can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().and_then(|name| name.to_str()).expect("an id in ASCII").to_owned())
        .filter(|id| !SHARED.contains(&id.as_str()))
        .collect();
    ids.sort();
    let file = |id: &String| compose::File { table: read(&folder.join(format!("{id}.toml"))), id: id.clone() };
    let files: Vec<compose::File> = ids.iter().map(file).collect();
    let shared = compose::Shared { texts, templates, sources };
    let baselines = compose::compose(&files, &shared).unwrap_or_else(|message| panic!("src/baselines: {message}"));
    let mut list = format!(
        "/// The built-in baselines, by id, composed of `src/baselines` when this was built.\npub static BUILT_IN: [BuiltIn; {}] = [\n",
        baselines.len()
    );
    for (id, table) in baselines {
        let text = whole::to_text(&table);
        let json = serde_json::to_string(&table).expect("a baseline has no dates and no numbers but integers");
        writeln!(list, "    BuiltIn::new({id:?}, {text:?}, {json:?}),").expect("a String takes everything");
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("baselines.rs");
    fs::write(out, list).expect("OUT_DIR can be written");
}

fn read(file: &Path) -> toml::Table {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}:\n{error}", file.display()))
}
