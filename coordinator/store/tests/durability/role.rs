//! A test that is two processes: the test itself, and the same test of the same binary in another role.

use std::path::{Path, PathBuf};
use std::process::Command;

const ROLE: &str = "CAPSTAN_STORE_TEST_PATH";

/// The path that this process was given, when it is the second one.
pub(crate) fn path_given() -> Option<PathBuf> {
    std::env::var_os(ROLE).map(PathBuf::from)
}

/// A command that runs `test` of this binary in its second role, with `path`.
pub(crate) fn second(test: &str, path: &Path) -> Command {
    under(Path::new("/proc/self/exe").read_link().unwrap().as_path(), &[], test, path)
}

/// The same, with `program` and its arguments in front or in place of this binary.
#[expect(clippy::disallowed_methods, reason = "these tests are about processes that die; nothing else can stand in for them")]
pub(crate) fn under(program: &Path, arguments: &[&Path], test: &str, path: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, path);
    command
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs the second role to its end; its failure is the test's.
pub(crate) fn run(mut command: Command) {
    let done = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        done.status.success(),
        "{command:?} ended with {}\n{}{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    let ran = String::from_utf8_lossy(&done.stdout).contains("1 passed");
    assert!(ran, "the second role did not run: {}", String::from_utf8_lossy(&done.stdout));
}
