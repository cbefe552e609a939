//! The `capstan-sandbox` binary: the runner's verbs, and nothing beside them.

use std::process::ExitCode;

fn main() -> ExitCode {
    capstan_sandbox::main_with(std::env::args_os().skip(1))
}
