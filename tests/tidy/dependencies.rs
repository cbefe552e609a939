//! What must not come into the build by way of a dependency: a second TLS stack, or the same framework twice.

use crate::repository::{assert_none, root};
use std::fs;
use toml::{Table, Value};

/// Libraries that would be a second TLS stack beside rustls with ring, or need more than Rust and a C compiler to build.
const BANNED: [&str; 6] = ["openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "boring-sys", "protobuf-src"];

/// Frameworks of which a second version would be a second runtime, or types that do not fit together.
const ONCE: [&str; 9] = ["tokio", "hyper", "rustls", "ring", "tonic", "prost", "reqwest", "axum", "ractor"];

fn complaints(lock: &str) -> Vec<String> {
    let lock: Table = lock.parse().expect("cargo has read this file before us");
    let packages = lock["package"].as_array().expect("a lock file lists packages");
    let names: Vec<&str> = packages.iter().filter_map(|package| package.get("name").and_then(Value::as_str)).collect();
    let count = |name: &str| names.iter().filter(|other| **other == name).count();
    let banned = BANNED.iter().filter(|name| count(name) > 0);
    let twice = ONCE.iter().filter(|name| count(name) > 1);
    let banned = banned.map(|name| format!("Cargo.lock holds {name}: look with `cargo tree -i {name}` who brings it"));
    banned.chain(twice.map(|name| format!("Cargo.lock holds {} versions of {name}: see `cargo tree -d`", count(name)))).collect()
}

#[test]
fn a_second_stack_or_version_is_found() {
    let package = |name: &str, version: u8| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}.0.0\"\n");
    let lock = [package("openssl-sys", 1), package("tokio", 1), package("tokio", 2), package("serde", 1), package("serde", 2)];
    let found = complaints(&lock.concat());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("openssl-sys") && found[1].contains("2 versions of tokio"));
}

#[test]
fn the_build_has_one_of_each_stack() {
    assert_none(&complaints(&fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is part of the repository")));
}
