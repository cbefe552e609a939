//! The `capstan` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    capstan_cli::run::main()
}
