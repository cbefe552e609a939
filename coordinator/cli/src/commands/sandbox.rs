//! `capstan sandbox`: one command in the sandbox, and the role that this program plays when the runner is missing.

mod help;
mod profiled;

use crate::failure::Failure;
use crate::surroundings::Surroundings;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The words that the runner takes for itself.
const VERBS: [&str; 13] =
    ["run", "hold", "serve", "patch", "tree", "files", "probe", "scan", "help", "--help", "-h", "--version", "-V"];

/// Plays the runner. It forks, so it must be called before there is any thread.
#[must_use]
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    // All else that this program knows of its surroundings is read after this role was left.
    let home = home(|name| std::env::var_os(name)).filter(|home| home.exists());
    let args = with_verb(args.collect());
    if asks_for_help(&args) {
        // Nobody is left to be told when the stream is closed.
        let _ = io::stdout().write_all(help::HELP.as_bytes());
        return ExitCode::SUCCESS;
    }
    match profiled(hiding(home.as_deref(), args), home.as_deref()) {
        Ok(args) => capstan_sandbox::main_with(args.into_iter()),
        Err(failure) => {
            failure.report(&mut io::stderr());
            failure.exit.into()
        }
    }
}

fn asks_for_help(args: &[OsString]) -> bool {
    let help = |arg: Option<&OsString>| arg.is_some_and(|arg| ["help", "--help", "-h"].iter().any(|word| arg == word));
    let verb = args.first();
    help(verb) || verb.is_some_and(|verb| verb == "run") && help(args.get(1))
}

/// A permission profile is put in place of its name.
fn profiled(args: Vec<OsString>, home: Option<&Path>) -> Result<Vec<OsString>, Failure> {
    if args.first().is_none_or(|verb| verb != "run") {
        return Ok(args);
    }
    match profiled::named(&args)? {
        Some(name) => profiled::translated(&args, name, home, &Surroundings::of_process()?),
        None => Ok(args),
    }
}

/// Where keys and conversations are.
fn home(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CAPSTAN_HOME").or_else(|| set("HOME").map(|home| home.join(".capstan")))
}

/// A command is kept from the home as sessions are. The other verbs are told by their documents what to hide.
fn hiding(home: Option<&Path>, mut args: Vec<OsString>) -> Vec<OsString> {
    if let (Some(home), Some("run")) = (home, args.first().and_then(|verb| verb.to_str())) {
        args.splice(1..1, [OsString::from("--hide"), home.into()]);
    }
    args
}

/// A command line without a verb is a command to be run. Flags of the sandbox, if there are any, stand before it.
fn with_verb(args: Vec<OsString>) -> Vec<OsString> {
    let put = |before: &[&str], args: Vec<OsString>| before.iter().map(OsString::from).chain(args).collect();
    match args.first() {
        Some(first) if VERBS.iter().any(|verb| first == verb) => args,
        Some(first) if first.as_encoded_bytes().starts_with(b"-") => put(&["run"], args),
        Some(_) => put(&["run", "--"], args),
        None => put(&["--help"], args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_needs_no_verb() {
        let with = |line: &str| {
            let args = with_verb(line.split_whitespace().map(OsString::from).collect());
            args.iter().map(|arg| arg.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(with("-s read-only -- ls -l"), "run -s read-only -- ls -l");
        assert_eq!(with("-- patch"), "run -- patch");
        assert_eq!(with("ls -l"), "run -- ls -l");
        assert_eq!(with("hold"), "hold");
        assert_eq!(with("serve --prepared 1"), "serve --prepared 1");
        assert_eq!(with("run -- ls"), "run -- ls");
        assert_eq!(with(""), "--help");
    }

    #[test]
    fn help_is_asked_for_before_the_command_only() {
        let asks = |line: &str| asks_for_help(&with_verb(line.split_whitespace().map(OsString::from).collect()));
        for line in ["", "--help", "-h", "help", "run --help"] {
            assert!(asks(line), "{line}");
        }
        for line in ["ls --help", "-s read-only -- ls -h", "run -- --help", "hold"] {
            assert!(!asks(line), "{line}");
        }
    }

    #[test]
    fn a_command_is_kept_from_the_home_and_no_other_verb_is_changed() {
        let hidden = |line: &str| {
            let args = line.split_whitespace().map(OsString::from).collect();
            hiding(Some(Path::new("/h")), args).join(" ".as_ref()).into_string().unwrap()
        };
        assert_eq!(hidden("run -- ls"), "run --hide /h -- ls");
        assert_eq!(hidden("hold"), "hold");
        assert_eq!(hiding(None, vec!["run".into()]), ["run"]);
    }

    #[test]
    fn the_home_is_the_one_that_the_other_commands_use() {
        let of = |named: &str| home(|name| Some(if name == "HOME" { "/u".into() } else { named.into() }));
        assert_eq!(of("/h"), Some("/h".into()));
        assert_eq!(of(""), Some("/u/.capstan".into()));
        assert_eq!(home(|_| None), None);
    }
}
