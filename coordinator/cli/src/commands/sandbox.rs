//! `capstan sandbox`: one command in the sandbox, and the role that this program plays when the runner is missing.

use std::ffi::OsString;
use std::process::ExitCode;

/// The words that the runner takes for itself.
const VERBS: [&str; 9] = ["run", "hold", "patch", "probe", "help", "--help", "-h", "--version", "-V"];

/// Plays the runner. It forks, so it must be called before there is any thread.
#[must_use]
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    capstan_sandbox::main_with(with_verb(args.collect()).into_iter())
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
        assert_eq!(with("run -- ls"), "run -- ls");
        assert_eq!(with(""), "--help");
    }
}
