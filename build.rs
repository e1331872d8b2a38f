//! Composes the built-in baselines from the files in `src/baselines`, so that a new Windows only needs a new file. Each
//! baseline is stored as text, for people, and as JSON, which is read several times as fast; see `docs/performance.md`.
//!
//! `releases.toml` in the same folder is the list of Windows and builds, which becomes a static table. The other files
//! there are tables for every Windows, each of which becomes JSON.

#![allow(clippy::expect_used, clippy::panic, reason = "a build that cannot list the baselines must stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;

// The library also has these two modules, where they are public.
#[allow(unreachable_pub)]
#[path = "src/baseline/compose.rs"]
mod compose;
#[allow(unreachable_pub)]
#[path = "src/baseline/whole.rs"]
mod whole;

const RELEASES: &str = "releases";

fn main() {
    println!("cargo::rerun-if-changed=src/baselines");
    println!("cargo::rerun-if-changed=src/baseline/compose.rs");
    println!("cargo::rerun-if-changed=src/baseline/compose");
    println!("cargo::rerun-if-changed=src/baseline/whole.rs");
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("src/baselines");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut tables: BTreeMap<String, toml::Table> = fs::read_dir(&folder)
        .expect("src/baselines is there")
        .map(|entry| entry.expect("src/baselines can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.file_stem().and_then(|name| name.to_str()).expect("an id in ASCII").to_owned(), read(&path)))
        .collect();
    let mut take = |name: &str| tables.remove(name).unwrap_or_else(|| panic!("src/baselines/{name}.toml is missing"));
    let windows = take(RELEASES);
    let names = names(&windows);
    let [texts, templates, sources] = ["texts", "templates", "sources"].map(take);
    let for_own = [("texts", &texts), ("templates", &templates), ("sources", &sources), ("names", &names)];
    let for_own = for_own.map(|(name, table)| (name.to_owned(), table.clone()));
    let shared = compose::Shared { texts, templates, sources, names };
    let is_baseline = |table: &toml::Table| table.contains_key("key") || table.contains_key("like");
    let (baselines, tables): (Vec<_>, Vec<_>) = tables.into_iter().partition(|(_, table)| is_baseline(table));
    let files: Vec<compose::File> = baselines.into_iter().map(|(id, table)| compose::File { id, table }).collect();
    let baselines = compose::compose(&files, &shared).unwrap_or_else(|message| panic!("src/baselines: {message}"));

    let mut list =
        String::from("/// The built-in baselines, by id, composed of `src/baselines` when this was built.\n");
    writeln!(list, "pub static BUILT_IN: [BuiltIn; {}] = [", baselines.len()).expect("fits");
    for (id, table) in &baselines {
        let (text, json) = (whole::to_text(table), json(table));
        writeln!(list, "    BuiltIn::new({id:?}, {text:?}, {json:?}),").expect("fits");
    }
    list.push_str("];\n");
    fs::write(out.join("baselines.rs"), list).expect("OUT_DIR can be written");
    let ids: BTreeSet<String> = baselines.into_iter().map(|(id, _)| id).collect();
    let list = releases(&folder.join(format!("{RELEASES}.toml")), windows, &ids);
    fs::write(out.join("releases.rs"), list).expect("OUT_DIR can be written");
    let tables: Vec<String> =
        tables.into_iter().chain(for_own).map(|(name, table)| format!("({name:?}, {:?})", json(&table))).collect();
    fs::write(out.join("tables.rs"), format!("&[{}]", tables.join(", "))).expect("OUT_DIR can be written");
}

fn read(file: &Path) -> toml::Table {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}:\n{error}", file.display()))
}

/// Returns the names of the Windows in `releases.toml`, by id.
fn names(releases: &toml::Table) -> toml::Table {
    let windows = releases["windows"].as_array().into_iter().flatten();
    windows
        .filter_map(|windows| Some((windows.get("id")?.as_str()?.to_owned(), windows.get("name")?.clone())))
        .collect()
}

fn json(table: &toml::Table) -> String {
    serde_json::to_string(table).expect("a baseline has no dates and no numbers but integers")
}

/// `releases.toml`, field by field. The comments in that file explain the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Releases {
    as_of: toml::value::Datetime,
    sources: BTreeMap<String, Source>,
    windows: Vec<Windows>,
    other: Vec<Other>,
    multi_session: MultiSession,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    title: String,
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Windows {
    id: String,
    name: String,
    version: Option<String>,
    product: Option<Product>,
    edition: Option<String>,
    also_named: Option<String>,
    judged_by: Option<String>,
    #[serde(default)]
    builds: Vec<Build>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Product {
    Client,
    Server,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Build {
    number: u32,
    release: Option<String>,
    name: Option<String>,
    judged_by: Option<String>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Other {
    name: String,
    product_name: Option<String>,
    installation_type: Option<String>,
    edition_suffix: Option<String>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MultiSession {
    editions: Vec<String>,
}

/// Returns the static table that `src/os/release.rs` includes.
fn releases(path: &Path, list: toml::Table, baselines: &BTreeSet<String>) -> String {
    let list: Releases = list.try_into().unwrap_or_else(|error| {
        panic!(
            "{}:
{error}",
            path.display()
        )
    });
    let index_of = |id: &str| {
        let index = list.windows.iter().position(|windows| windows.id == id);
        index.unwrap_or_else(|| panic!("{}: no [[windows]] with the id {id:?}", path.display()))
    };
    let mut out = String::from("pub(super) static LIST: &[Windows] = &[\n");
    for windows in &list.windows {
        let own = baselines.contains(&windows.id).then_some(windows.id.as_str());
        let judge = |named: Option<&String>| {
            let judge = named.map(String::as_str).or(own).map(|id| {
                assert!(baselines.contains(id), "{}: {}: no baseline {id:?}", path.display(), windows.id);
                index_of(id)
            });
            judge.map_or_else(|| "None".to_owned(), |index| format!("Some(OsId({index}))"))
        };
        let version = windows.version.as_deref().map(|version| {
            let parts = version.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
            parts.unwrap_or_else(|| panic!("{}: {}: version {version:?}", path.display(), windows.id))
        });
        let product = windows.product.map(|product| match product {
            Product::Client => "Some(Product::Client)",
            Product::Server => "Some(Product::Server)",
        });
        let (id, name, edition) = (&windows.id, &windows.name, &windows.edition);
        let (product, has_baseline) = (product.unwrap_or("None"), own.is_some());
        write!(out, "    Windows {{ id: {id:?}, name: {name:?}, version: {version:?}, product: {product}, ")
            .expect("fits");
        write!(out, "also_named: {:?}, ", windows.also_named).expect("fits");
        writeln!(out, "edition: {edition:?}, has_baseline: {has_baseline}, builds: &[").expect("fits");
        for build in &windows.builds {
            let source = list.sources.get(&build.source);
            let source = source.unwrap_or_else(|| panic!("{}: no source {:?}", path.display(), build.source));
            let judged_by = judge(build.judged_by.as_ref().or(windows.judged_by.as_ref()));
            let (number, release, own_name) = (build.number, &build.release, &build.name);
            write!(out, "        Build {{ number: {number}, release: {release:?}, name: {own_name:?}, ").expect("fits");
            assert!(source.url.starts_with("https://"), "{}: {:?}", path.display(), source.url);
            writeln!(out, "judged_by: {judged_by}, source: {:?} }},", source.title).expect("fits");
        }
        writeln!(out, "    ] }},").expect("fits");
    }
    out.push_str("];\n");
    let all: Vec<String> = (0..list.windows.len()).map(|index| format!("OsId({index})")).collect();
    writeln!(out, "const IDS: &[OsId] = &[{}];", all.join(", ")).expect("fits");
    for (constant, id) in [("UNKNOWN", "unknown"), ("PE", "windows-pe"), ("CONTAINER", "windows-container")] {
        writeln!(out, "const {constant}: OsId = OsId({});", index_of(id)).expect("fits");
    }
    println!("cargo::rustc-env=HIVEMEND_RELEASES_AS_OF={}", list.as_of);
    out.push_str("pub(super) static OTHERS: &[Other] = &[\n");
    for other in &list.other {
        let (name, why, product_name) = (&other.name, &other.why, &other.product_name);
        let (installation_type, edition_suffix) = (&other.installation_type, &other.edition_suffix);
        write!(out, "    Other {{ name: {name:?}, product_name: {product_name:?}, why: {why:?}, ").expect("fits");
        writeln!(out, "installation_type: {installation_type:?}, edition_suffix: {edition_suffix:?} }},")
            .expect("fits");
    }
    writeln!(out, "];\npub(super) static MULTI_SESSION: &[&str] = &{:?};", list.multi_session.editions).expect("fits");
    out
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}
