//! From the process's start to its exit code.

use crate::args::{self, Cli, Command};
use crate::commands;
use crate::failure::{Exit, Failure};
use crate::render::text;
use crate::surroundings::Surroundings;
use clap::Parser;
use clap::error::ErrorKind;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

/// The first argument that makes this program play the runner.
const ROLE: &str = "sandbox";

/// Runs the program. It must be called first thing in `main`: one of its roles forks, and there may be no thread by then.
#[must_use]
pub fn main() -> ExitCode {
    let mut args = std::env::args_os();
    if args.next().is_some_and(|name| capstan_sandbox::is_apply_patch(&name)) {
        return capstan_sandbox::apply_patch(args);
    }
    match args.next() {
        Some(first) if first == ROLE => return commands::sandbox::run(args),
        Some(first) if capstan_sandbox::is_apply_patch(&first) => return capstan_sandbox::apply_patch(args),
        Some(_) | None => {}
    }
    std::panic::set_hook(Box::new(|fault| tell_fault(fault, &mut io::stderr())));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    // Without one chosen here, the first TLS connection would panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Surroundings::of_process().and_then(|surroundings| obey(cli.command, &surroundings)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report(&mut io::stderr());
            failure.exit.into()
        }
    }
}

fn obey(command: Command, surroundings: &Surroundings) -> Result<Exit, Failure> {
    match command {
        Command::Exec(args) => commands::exec::run(&args, surroundings),
        Command::Demo(args) => commands::demo::run(&args, surroundings),
        Command::Coordinator(args) => commands::coordinator::run(&args, surroundings),
        Command::Threads(args) => commands::threads::run(&args, surroundings),
        Command::Files(args) => commands::files::run(&args, surroundings),
        Command::Apply(args) => commands::apply::run(&args, surroundings),
        Command::Explain(args) => commands::threads::explain::run(&args, surroundings),
        Command::Sessions(args) => commands::sessions::run(&args, surroundings),
        Command::Nodes(args) => commands::nodes::run(&args, surroundings),
        Command::Workspaces(args) => commands::workspaces::run(&args, surroundings),
        Command::Events(args) => commands::events::run(&args, surroundings),
        Command::Node(args) => commands::node::run(&args, surroundings),
        Command::Cluster(args) => commands::cluster::run(&args, surroundings),
        Command::Doctor(args) => commands::doctor::run(&args, surroundings),
        Command::ApplyPatch(_) => Err(Failure::bad_input("`apply_patch` must be the first argument")),
        Command::Sandbox(_) => Err(Failure::bad_input("`sandbox` must be the first argument")),
    }
}

/// The help, or what is wrong with the command line.
fn explain(error: &clap::Error) -> ExitCode {
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Success,
        // Somebody who gives nothing wants to know what there is.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Exit::BadInput,
        _ => {
            let failure = args::mistake(error);
            failure.report(&mut io::stderr());
            return failure.exit.into();
        }
    };
    // Nobody is left to be told when the stream is closed.
    let _ = error.print();
    exit.into()
}

/// One sentence in place of a backtrace, which tells a user nothing.
fn tell_fault(fault: &PanicHookInfo<'_>, to: &mut impl Write) {
    let payload = fault.payload();
    let said = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = fault.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let _ = writeln!(
        to,
        "error: capstan has a fault{place}: {}; please report it",
        text::line(said.unwrap_or("it is not known what"))
    );
}
