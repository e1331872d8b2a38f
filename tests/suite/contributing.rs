//! The promises of README, CONTRIBUTING.md, and the documentation to people who build on this project.

use std::collections::BTreeSet;
use std::path::Path;

use hivemend::schema::Record;
use serde_json::Value;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The oldest Rust is said in several places, alike. `.ci/release` builds with it.
#[test]
fn the_oldest_rust_is_the_same_everywhere() {
    let minimum = env!("CARGO_PKG_RUST_VERSION");
    for manifest in ["Cargo.toml", "tests/support/Cargo.toml", "tests/registered/Cargo.toml"] {
        let manifest_text = text(manifest);
        let said = manifest_text.lines().find_map(|line| line.strip_prefix("rust-version = "));
        assert_eq!(said, Some(format!("\"{minimum}\"").as_str()), "{manifest}");
    }
    for page in ["README.md", "CONTRIBUTING.md"] {
        let page_text = text(page);
        let said: Vec<&str> = page_text
            .match_indices(" or later")
            .filter_map(|(at, _)| page_text[..at].rsplit([' ', '(']).next())
            .filter(|word| word.starts_with("1."))
            .collect();
        assert_eq!(said, [minimum], "{page}");
    }
    assert!(text(".ci/release").contains("cargo \"+$rust\" check"));
}

/// README's first command, as `.ci/run` takes it from there.
#[test]
fn the_first_command_can_be_repeated_and_git_ignores_what_it_makes() {
    let readme = text("README.md");
    let (_, command) = readme.split_once("\ncargo run -p hive-fixtures").unwrap();
    let (command, _) = command.split_once("\n```").unwrap();
    assert_eq!(command.matches("--overwrite").count(), 2, "{command}");
    assert!(command.contains("--exit-zero"), "{command}");
    for word in command.split_whitespace().filter(|word| word.contains('/')) {
        assert!(word.starts_with("trial/"), "{command}");
    }
    assert!(text(".gitignore").lines().any(|line| line == "/trial"));
}

/// Every cargo alias is explained, and every alias that is explained is there.
#[test]
fn every_alias_is_described() {
    let config: toml::Table = toml::from_str(&text(".cargo/config.toml")).unwrap();
    let page = text("CONTRIBUTING.md");
    for alias in config["alias"].as_table().unwrap().keys() {
        assert!(page.contains(&format!("`cargo {alias}")), "cargo {alias}");
    }
}

/// `docs/json.md`: the schema is closed, and every field is always there but those that the page names.
#[test]
fn the_schema_keeps_the_rules_of_the_page() {
    fn objects<'a>(at: &str, value: &'a Value, found: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Object(fields) => {
                let shares = value["$ref"].as_str().is_some_and(|name| name.ends_with("_fields"));
                if value["type"] == "object" || shares {
                    found.push((at.to_owned(), value));
                }
                for (name, field) in fields {
                    objects(&format!("{at}/{name}"), field, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| objects(at, item, found)),
            _ => {}
        }
    }
    let names = |value: &Value| -> BTreeSet<String> {
        let listed = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        listed.chain(value.as_object().into_iter().flatten().map(|(name, _)| name.clone())).collect()
    };
    let schema: Value = serde_json::from_str(&hivemend::schema::text(Record::Report).unwrap()).unwrap();
    let mut found = Vec::new();
    objects("", &schema, &mut found);
    assert!(found.len() > 25, "only {} objects", found.len());
    let mut optional = BTreeSet::new();
    for (at, object) in found {
        // Fields that several objects share are closed where they are used.
        let shared = at.ends_with("_fields");
        let closed = object["additionalProperties"] == false || object["unevaluatedProperties"] == false;
        assert!(closed || shared, "{at} is open");
        let (properties, required) = (names(&object["properties"]), names(&object["required"]));
        assert!(required.is_subset(&properties), "{at}");
        let at = at.trim_end_matches("_fields");
        optional.extend(properties.difference(&required).map(|name| format!("{at}/{name}")));
    }
    let page = text("docs/json.md");
    let (_, listed) = page.split_once("are absent as a group in `find`").unwrap();
    let listed = listed.split("\n* ").next().unwrap();
    let listed: BTreeSet<String> =
        listed.split('`').skip(1).step_by(2).map(|name| format!("/$defs/installation/{name}")).collect();
    assert_eq!(optional, listed);
    assert_eq!(schema["properties"]["schema_version"]["const"], "1");
}
