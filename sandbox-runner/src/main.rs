//! The `capstan-sandbox` binary: the runner's verbs, and `apply_patch` when it is called by that name.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    match args.next() {
        Some(name) if capstan_sandbox::is_apply_patch(&name) => capstan_sandbox::apply_patch(args),
        _ => capstan_sandbox::main_with(args),
    }
}
