//! Starts etcd's own programs, and those that it needs.

use std::process::Command;

/// A program with nothing of the test's environment.
#[expect(clippy::disallowed_methods, reason = "the tests' own servers and tools are started here")]
pub(super) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir("/");
    command
}
