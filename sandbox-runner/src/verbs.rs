//! The command line: one verb, and what it needs.

mod run;
mod scan;

use crate::kernel::signals;
use crate::serve::{self, Expected};
use crate::{hold, probe};
use capstan_sandbox_command_line::HELP;
use capstan_types::path::AbsPath;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// A command line that cannot be obeyed.
const MISUSE: u8 = 2;

/// Plays the runner. `args` are the arguments without the program's name: a verb, and what belongs to it.
///
/// It must be called first thing in a process: before threads, since it forks, and before any file is opened, since `hold` and `serve` close
/// every descriptor beyond the standard three.
///
/// Exit codes: 2 for a command line or document that cannot be understood; `run` exits as its command did, with 128 plus the number
/// of the signal that ended it, 127 when it was not found, 126 when it could not be executed, 125 when it was not tried; `hold` exits
/// with 1 when it started nothing, and `serve` when it cannot go on.
#[must_use]
pub fn main_with(args: impl Iterator<Item = OsString>) -> ExitCode {
    signals::see_children();
    let mut args = args;
    let Some(verb) = args.next() else {
        return misuse("name a verb: run, hold, serve, patch, tree, files or probe; `--help` tells more");
    };
    let rest: Vec<OsString> = args.collect();
    match (verb.to_str(), rest.first()) {
        (Some("run"), _) => run::run(rest),
        (Some("scan"), _) => scan::scan(rest),
        (Some("hold"), None) => hold::hold(),
        (Some("serve"), _) => serve_verb(&rest),
        (Some("patch"), None) => capstan_patch_files::patch(),
        (Some("tree"), None) => capstan_tree_files::tree(),
        (Some("files"), None) => capstan_file_access::files(),
        (Some("probe"), None) => print(&probe::document()),
        (Some("--help" | "-h" | "help"), None) => print(&HELP.trim_end()),
        (Some("--version" | "-V"), None) => print(&format_args!("capstan-sandbox {}", env!("CARGO_PKG_VERSION"))),
        (
            Some(verb @ ("hold" | "patch" | "tree" | "files" | "probe" | "help" | "--help" | "-h" | "--version" | "-V")),
            Some(extra),
        ) => misuse(&format_args!("`{verb}` takes no arguments, so `{}` means nothing; leave it out", extra.display())),
        _ => misuse(&format_args!("`{}` is not a verb; use run, hold, serve, patch, tree, files or probe", verb.display())),
    }
}

fn serve_verb(args: &[OsString]) -> ExitCode {
    let Some(expected) = expected(args).filter(|expected| expected.prepared <= serve::MOST_PREPARED) else {
        let most = serve::MOST_PREPARED;
        return misuse(&format_args!(
            "`serve` takes --prepared and a number up to {most}, --hide and a whole path, and nothing else"
        ));
    };
    serve::serve(expected).unwrap_or_else(|error| {
        complain(&format_args!("cannot serve: {error}"));
        ExitCode::FAILURE
    })
}

fn expected(args: &[OsString]) -> Option<Expected> {
    let mut expected = Expected::default();
    for pair in args.chunks(2) {
        match pair {
            [option, number] if option == "--prepared" => expected.prepared = number.to_str()?.parse().ok()?,
            [option, path] if option == "--hide" => expected.hidden.push(AbsPath::new(path).ok()?),
            _ => return None,
        }
    }
    Some(expected)
}

fn print(text: &impl Display) -> ExitCode {
    match writeln!(io::stdout().lock(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Tells the operator what is wrong, in one sentence.
fn complain(text: &impl Display) {
    // Nobody is left to be told when this fails as well.
    let _ = writeln!(io::stderr().lock(), "capstan-sandbox: {text}");
}

fn misuse(text: &(impl Display + ?Sized)) -> ExitCode {
    complain(&text);
    ExitCode::from(MISUSE)
}
