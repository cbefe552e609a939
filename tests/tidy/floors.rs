//! Who may import whom: the floors of the house, and what must never be carried onto one of them.

use crate::repository::{assert_none, metadata};
use serde_json::Value;

/// What one of our crates may depend on.
struct Floor {
    /// The crate.
    name: &'static str,
    /// Those of our crates it may import.
    may_import: &'static [&'static str],
    /// Crates of others that would break what the floor promises.
    never: &'static [&'static str],
}

/// Asynchrony, actors, and the wire.
const RUNTIMES_AND_WIRES: &[&str] = &["tokio", "prost", "tonic", "ractor", "sqlx", "reqwest"];
/// What a crate that knows neither actors nor the wire must do without.
const ACTORS_AND_WIRES: &[&str] = &["prost", "tonic", "ractor"];

const FLOORS: &[Floor] = &[
    Floor { name: "capstan-types", may_import: &[], never: RUNTIMES_AND_WIRES },
    Floor { name: "capstan-runtime", may_import: &[], never: &["prost", "sqlx"] },
    Floor { name: "capstan-identity", may_import: &["capstan-types"], never: &["prost", "tonic", "ractor", "sqlx", "reqwest"] },
    Floor { name: "capstan-proto", may_import: &["capstan-types", "capstan-identity"], never: &["ractor", "sqlx", "reqwest"] },
    Floor { name: "capstan-registry", may_import: &["capstan-types"], never: &["ractor", "sqlx"] },
    Floor { name: "capstan-blobs", may_import: &[], never: &["ractor", "sqlx", "tonic", "prost"] },
    Floor { name: "capstan-egress", may_import: &["capstan-types"], never: RUNTIMES_AND_WIRES },
    Floor { name: "capstan-sandbox-command-line", may_import: &["capstan-types"], never: RUNTIMES_AND_WIRES },
    Floor { name: "capstan-file-access", may_import: &["capstan-types", "capstan-tree-files"], never: RUNTIMES_AND_WIRES },
    Floor { name: "capstan-patch-files", may_import: &["capstan-types"], never: RUNTIMES_AND_WIRES },
    Floor { name: "capstan-tree-files", may_import: &["capstan-types"], never: RUNTIMES_AND_WIRES },
    Floor {
        name: "capstan-sandbox",
        may_import: &[
            "capstan-types",
            "capstan-egress",
            "capstan-file-access",
            "capstan-patch-files",
            "capstan-sandbox-command-line",
            "capstan-tree-files",
        ],
        never: RUNTIMES_AND_WIRES,
    },
    Floor {
        name: "capstan-agent-node",
        may_import: &[
            "capstan-types",
            "capstan-blobs",
            "capstan-egress",
            "capstan-tree-files",
            "capstan-identity",
            "capstan-proto",
            "capstan-registry",
            "capstan-runtime",
        ],
        never: &["sqlx", "reqwest", "genai"],
    },
    Floor { name: "capstan-model", may_import: &["capstan-types"], never: ACTORS_AND_WIRES },
    Floor { name: "capstan-store", may_import: &["capstan-types"], never: ACTORS_AND_WIRES },
    Floor { name: "capstan-tools", may_import: &["capstan-types"], never: ACTORS_AND_WIRES },
    Floor {
        name: "capstan-coordinator",
        may_import: &[
            "capstan-types",
            "capstan-blobs",
            "capstan-tree-files",
            "capstan-identity",
            "capstan-proto",
            "capstan-registry",
            "capstan-runtime",
            "capstan-model",
            "capstan-store",
            "capstan-tools",
        ],
        never: &["sqlx", "genai", "landlock", "seccompiler", "portable-pty"],
    },
    Floor {
        name: "capstan",
        may_import: &[
            "capstan-types",
            "capstan-blobs",
            "capstan-identity",
            "capstan-proto",
            "capstan-runtime",
            "capstan-coordinator",
            "capstan-agent-node",
            "capstan-sandbox",
        ],
        never: &["sqlx", "genai", "landlock", "seccompiler", "portable-pty"],
    },
];

/// The crate that may import anything.
const TESTS: &str = "capstan-tests";

fn complaints(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let mut found = Vec::new();
    for package in packages.iter().filter(|package| package["name"] != TESTS) {
        let name = package["name"].as_str().expect("a package has a name");
        let Some(floor) = FLOORS.iter().find(|floor| floor.name == name) else {
            found.push(format!("{name} stands on no floor: give it one in tests/tidy/floors.rs and in ARCHITECTURE.md"));
            continue;
        };
        found.extend(imports(package).filter_map(|import| forbidden(floor, import)));
    }
    found
}

/// The names of a package's normal and build dependencies. Its tests may use more.
fn imports(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies.filter(|dependency| dependency["kind"] != "dev").filter_map(|dependency| dependency["name"].as_str())
}

fn forbidden(floor: &Floor, import: &str) -> Option<String> {
    let ours = import == "capstan" || import.starts_with("capstan-");
    let wrong = if ours { !floor.may_import.contains(&import) } else { floor.never.contains(&import) };
    wrong.then(|| format!("{} imports {import}, which its floor does not allow", floor.name))
}

#[test]
fn an_import_that_no_floor_allows_is_found() {
    let bad = serde_json::json!({"packages": [
        {"name": "capstan-types", "dependencies": [{"name": "serde", "kind": null}, {"name": "tokio", "kind": null}]},
        {"name": "capstan-tools", "dependencies": [{"name": "capstan-store", "kind": null}, {"name": "capstan-types", "kind": null}]},
        {"name": "capstan-sandbox", "dependencies": [{"name": "capstan-proto", "kind": "build"}, {"name": "tokio", "kind": "dev"}]},
        {"name": "capstan-shed", "dependencies": []},
        {"name": "capstan-tests", "dependencies": [{"name": "capstan-coordinator", "kind": null}]},
    ]});
    let found = complaints(&bad);
    assert_eq!(found.len(), 4, "{found:#?}");
    for (complaint, part) in found.iter().zip(["imports tokio", "imports capstan-store", "imports capstan-proto", "capstan-shed"])
    {
        assert!(complaint.contains(part), "{complaint}");
    }
}

#[test]
fn every_crate_imports_only_what_its_floor_allows() {
    let metadata = metadata();
    assert_none(&complaints(&metadata));
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    assert_eq!(packages.len(), FLOORS.len() + 1, "a crate of the table is not in the workspace");
}
