//! Reads the project's own vectors: whole cases, each with what it takes from the defaults of its group.
//! `vectors/README.md` describes the files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value};

static CASES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .flat_map(|path| group(&path))
        .collect()
});

/// All cases, by `group/name`.
pub(crate) fn cases() -> &'static BTreeMap<String, Value> {
    &CASES
}

/// What the fetches of a document give, one after the other: `None` for one that fails.
pub(crate) fn versions(document: &Value) -> Vec<Option<Vec<u8>>> {
    let mut versions = Vec::new();
    let mut version = Some(document);
    while let Some(current) = version {
        versions.push(body(current));
        version = current.get("then");
    }
    versions
}

fn body(version: &Value) -> Option<Vec<u8>> {
    if version.get("missing").is_some() || version.get("status").is_some() {
        None
    } else if let Some(name) = version.get("file") {
        let name = format!("documents/{}.json", name.as_str().unwrap());
        Some(fs::read(folder().join(name)).unwrap())
    } else if let Some(raw) = version.get("raw") {
        Some(raw.as_str().unwrap().as_bytes().to_vec())
    } else {
        Some(version["json"].to_string().into_bytes())
    }
}

fn group(path: &Path) -> Vec<(String, Value)> {
    let group = path.file_stem().unwrap().to_str().unwrap();
    let mut file: Value =
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{group}: {error}"));
    let Value::Object(cases) = file["cases"].take() else { panic!("{group} has no cases") };
    let defaults = file["defaults"].as_object().unwrap();
    let whole = |mut case: Value| {
        for (member, defaults) in defaults {
            case[member] = with_changes(defaults, case.get(member)).into();
        }
        case
    };
    cases.into_iter().map(|(name, case)| (format!("{group}/{name}"), whole(case))).collect()
}

/// The defaults with the members of `changes`; `null` takes one out.
fn with_changes(defaults: &Value, changes: Option<&Value>) -> Map<String, Value> {
    let mut members = defaults.as_object().unwrap().clone();
    for (name, value) in changes.and_then(Value::as_object).into_iter().flatten() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    members
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}
