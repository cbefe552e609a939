//! Reads this repository: its text files, and what cargo knows of its crates.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories that hold what is made, not written.
const NOT_WRITTEN: [&str; 2] = [".git", "target"];

/// One text file.
pub(crate) struct TextFile {
    /// Its path below the root of the repository, with `/` between the names.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

impl TextFile {
    /// A file that exists only in a test.
    pub(crate) fn example(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it holds tests, or what only tests use.
    pub(crate) fn is_for_tests(&self) -> bool {
        self.path.starts_with("tests/") || self.name() == "tests.rs" || self.path.contains("/tests/")
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests crate lies one level below the root").to_owned()
}

/// Every text file of the repository.
pub(crate) fn text_files() -> Vec<TextFile> {
    let root = root();
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 10, "only {} files found below {}", found.len(), root.display());
    found
}

/// Every Rust file of the repository.
pub(crate) fn rust_files() -> Vec<TextFile> {
    text_files().into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<TextFile>) {
    let entries = fs::read_dir(dir).expect("a directory of the repository can be listed");
    for entry in entries.map(|entry| entry.expect("an entry of the repository can be read")) {
        let (path, kind) = (entry.path(), entry.file_type().expect("the kind of an entry is known"));
        if kind.is_dir() && !NOT_WRITTEN.iter().any(|made| entry.file_name() == OsStr::new(made)) {
            collect(root, &path, found);
        } else if kind.is_file() {
            found.extend(read(root, &path));
        }
    }
}

/// Reads a file; `None` for what is not text, and for what somebody removed meanwhile.
fn read(root: &Path, path: &Path) -> Option<TextFile> {
    let text = String::from_utf8(fs::read(path).ok()?).ok()?;
    let path = path.strip_prefix(root).expect("the walk stays below the root").to_str()?.to_owned();
    Some(TextFile { path, text })
}

/// What `cargo metadata` says of the crates of this workspace.
pub(crate) fn metadata() -> Value {
    #[expect(clippy::disallowed_methods, reason = "a test may ask cargo")]
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// Fails the calling test if there are complaints, and prints all of them.
pub(crate) fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
