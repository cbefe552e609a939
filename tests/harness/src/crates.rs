//! The sources of real published crates, as cargo fetched them to build this workspace: real input that needs no network.

use crate::capstan::toolchain_bin;
use crate::git::Repository;
use crate::process::command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use toml::Table;

/// Published crates that are part of every build of this workspace, are small, depend on nothing, and carry their own tests.
pub const REAL_CRATES: [&str; 3] = ["httpdate", "percent-encoding", "strsim"];

/// Tables of a manifest that need crates which are not here, or programs which nobody asked for.
const NEEDLESS: [&str; 4] = ["dev-dependencies", "bench", "badges", "profile"];

/// What lies beside the sources and is of no use to a repository.
const LEFT_OUT: [&str; 4] = ["benches", "Cargo.lock", "Cargo.toml.orig", ".cargo_vcs_info.json"];

/// Unpacks a crate into `dir`, made for it, as a git repository that compiles and tests offline.
///
/// # Panics
/// When the crate is not part of this workspace's build.
#[must_use]
pub fn unpack(name: &str, dir: &Path) -> Repository {
    copy(&source_of(name), dir);
    let manifest = dir.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a published crate has a manifest");
    fs::write(&manifest, standalone(&text)).expect("the copy can be written");
    fs::write(dir.join(".gitignore"), "/target\n").expect("the copy can be written");
    lock(dir);
    Repository::of(dir)
}

/// Where cargo keeps the sources of a crate.
///
/// # Panics
/// When the crate is not part of this workspace's build.
#[must_use]
pub fn source_of(name: &str) -> PathBuf {
    let packages = metadata()["packages"].as_array().expect("metadata lists packages");
    let found = packages.iter().filter(|package| package["name"] == name && !package["source"].is_null());
    let manifest = found.filter_map(|package| package["manifest_path"].as_str()).next();
    let manifest = manifest.unwrap_or_else(|| panic!("`{name}` is not part of this build: choose another crate of Cargo.lock"));
    Path::new(manifest).parent().expect("a manifest lies in a directory").to_owned()
}

/// The manifest without what needs other crates, as a workspace of its own.
fn standalone(manifest: &str) -> String {
    let mut manifest: Table = manifest.parse().expect("cargo has read this manifest before us");
    NEEDLESS.iter().for_each(|table| drop(manifest.remove(*table)));
    manifest.insert("workspace".to_owned(), Table::new().into());
    manifest.to_string()
}

/// Writes Cargo.lock now, so that a test run changes nothing but `target`.
fn lock(dir: &Path) {
    let empty = tempfile::tempdir().expect("a temporary directory can be made");
    let status = cargo(empty.path()).args(["generate-lockfile", "--offline"]).current_dir(dir).status();
    assert!(status.expect("cargo can be started").success(), "no Cargo.lock could be made in {}", dir.display());
}

/// The toolchain's own `cargo`, with this directory as its CARGO_HOME.
fn cargo(home: &Path) -> Command {
    let mut cargo = command(&toolchain_bin().join("cargo").display().to_string());
    cargo.env("RUSTC", toolchain_bin().join("rustc")).env("CARGO_HOME", home);
    cargo
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("the sources can be listed").map(|entry| entry.expect("the entry can be read")) {
        let name = entry.file_name();
        if name.to_str().is_none_or(|name| LEFT_OUT.contains(&name) || name == ".cargo-ok") {
            continue;
        }
        let target = to.join(&name);
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            // Read and written, so that the copy is not read-only as the registry's files may be.
            fs::write(target, fs::read(entry.path()).expect("the source can be read")).expect("the copy can be written");
        }
    }
}

/// What cargo knows of all packages of this build, asked once. Packages for other platforms are left out: they may never have been
/// fetched.
fn metadata() -> &'static Value {
    static FOUND: OnceLock<Value> = OnceLock::new();
    FOUND.get_or_init(|| {
        let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let mut cargo = cargo(&cargo_home());
        cargo.args(["metadata", "--offline", "--format-version", "1", "--filter-platform", &platform]);
        let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo can be started");
        assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
    })
}

/// Where this user's cargo keeps what it fetched.
fn cargo_home() -> PathBuf {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).expect("a user has a home")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_crates_pass_their_own_tests_offline() {
        for name in REAL_CRATES {
            let dir = tempfile::tempdir().unwrap();
            let repository = unpack(name, &dir.path().join(name));
            assert!(repository.git(&["ls-files"]).contains("src/lib.rs"), "{name}");
            let mut cargo = cargo(&dir.path().join("cargo"));
            let output = cargo.args(["test", "--offline", "--quiet", "--lib"]).current_dir(repository.dir()).output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && printed.contains("test result: ok"), "{name}: {output:?}");
            assert_eq!(repository.git(&["status", "--porcelain"]), "", "{name}");
        }
    }

    #[test]
    fn a_manifest_is_freed_of_what_needs_other_crates() {
        let manifest =
            "[package]\nname = \"a\"\n[dependencies]\n[dev-dependencies.b]\nversion = \"1\"\n[[bench]]\nname = \"c\"\n";
        let freed: Table = standalone(manifest).parse().unwrap();
        assert_eq!(freed.keys().collect::<Vec<_>>(), ["dependencies", "package", "workspace"]);
    }
}
