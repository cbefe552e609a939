//! Finds the programs under test and the toolchain that built them.

use crate::process::command;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A program of this workspace, built beside the running test.
///
/// # Panics
/// When it was not built, saying how to.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the running test has a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("tests lie two levels below the target directory");
    let binary = profile.join(name);
    assert!(binary.is_file(), "{} is missing: run `cargo build -p capstan -p capstan-sandbox` first", binary.display());
    binary
}

/// The directory of this toolchain's real `cargo` and `rustc`, which need no HOME to be found, as rustup's stand-ins do.
///
/// # Panics
/// When there is no `rustc`.
#[must_use]
pub fn toolchain_bin() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(ask_rustc).clone()
}

fn ask_rustc() -> PathBuf {
    let mut rustc = command("rustc");
    rustc.args(["--print", "sysroot"]);
    for name in ["HOME", "RUSTUP_HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN"] {
        rustc.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let output = rustc.output().expect("rustc can be started");
    let sysroot = String::from_utf8(output.stdout).expect("the toolchain's path is UTF-8");
    PathBuf::from(sysroot.trim()).join("bin")
}
