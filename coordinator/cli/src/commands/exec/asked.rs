//! What the words of `capstan exec` ask for: a thread of its own, or one that there is.

use crate::args::ExecArgs;
use crate::client::ForkAt;
use crate::failure::Failure;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// In which thread.
    pub(super) begin: Begin,
    /// With which prompt, if it is among the words.
    pub(super) prompt: Option<&'a str>,
}

/// What a run begins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// A thread of its own.
    New,
    /// A thread that there is.
    Resume(Which),
    /// A copy of a thread up to a turn.
    Fork(Which, ForkAt),
}

/// Which thread is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By its id, the beginning of it, or its name.
    Named(String),
    /// The last one of this directory.
    Last,
    /// The last one.
    LastOfAll,
}

/// Reads the words.
///
/// # Errors
/// They are more than one prompt, a command that there is not, or name no thread.
pub(super) fn asked(args: &ExecArgs) -> Result<Asked<'_>, Failure> {
    let (command, words) = match args.prompt.split_first() {
        Some((first, rest)) if ["resume", "fork", "review"].contains(&first.as_str()) => (first.as_str(), rest),
        _ => ("", args.prompt.as_slice()),
    };
    let refused = |flag: &str, with: &str| Err(Failure::bad_input(format!("{flag} belongs to {with}")).hint(USAGE));
    match command {
        "" if args.last => refused("--last", "`capstan exec resume` and `capstan exec fork`"),
        "" | "resume" if args.at.is_some() => refused("--at", "`capstan exec fork`"),
        "" | "resume" if args.workspace => refused("--workspace", "`capstan exec fork`"),
        "" => Ok(Asked { begin: Begin::New, prompt: prompt(words)? }),
        "review" => {
            let sentence = "`capstan exec review` is not in this release";
            Err(Failure::bad_input(sentence).hint("ask for the review in a prompt: `capstan exec PROMPT`"))
        }
        _ if args.ephemeral => {
            let sentence = format!("--ephemeral keeps nothing, and `capstan exec {command}` goes on with what was kept");
            Err(Failure::bad_input(sentence).hint("leave it out"))
        }
        command => {
            let (which, words) = which(command, args, words)?;
            let begin = match command {
                "resume" => Begin::Resume(which),
                _ => {
                    let turn = args.at.as_deref().map(str::parse).transpose().map_err(no_turn)?;
                    Begin::Fork(which, ForkAt { turn, workspace: args.workspace })
                }
            };
            Ok(Asked { begin, prompt: prompt(words)? })
        }
    }
}

const USAGE: &str = "`capstan exec resume ID PROMPT`, `capstan exec fork --last PROMPT`";

fn which<'a>(command: &str, args: &ExecArgs, words: &'a [String]) -> Result<(Which, &'a [String]), Failure> {
    match words.split_first() {
        _ if args.last => Ok((if args.all { Which::LastOfAll } else { Which::Last }, words)),
        Some((id, rest)) => Ok((Which::Named(id.clone()), rest)),
        None => {
            let sentence =
                format!("`capstan exec {command}` needs a thread: its id, the beginning of its id, its name, or --last");
            Err(Failure::bad_input(sentence).hint("`capstan threads list` shows those that there are"))
        }
    }
}

fn prompt(words: &[String]) -> Result<Option<&str>, Failure> {
    match words {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        [..] => Err(Failure::bad_input("the prompt must be one argument").hint("put it in quotes")),
    }
}

fn no_turn(error: impl ToString) -> Failure {
    Failure::bad_input(format!("--at: {}", error.to_string())).hint("`capstan threads show` names the turns of a thread")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn said(line: &str) -> Result<(Begin, Option<String>), String> {
        let words = ["capstan", "exec"].into_iter().chain(line.split_whitespace());
        let Command::Exec(args) = Cli::try_parse_from(words).unwrap().command else { panic!("{line}") };
        let asked = asked(&args).map_err(|failure| failure.sentence)?;
        Ok((asked.begin, asked.prompt.map(str::to_owned)))
    }

    #[test]
    fn a_thread_is_named_before_the_prompt_and_flags_stand_anywhere() {
        let named = |id: &str| Which::Named(id.to_owned());
        let prompt = || Some("go".to_owned());
        assert_eq!(said("go"), Ok((Begin::New, prompt())));
        assert_eq!(said(""), Ok((Begin::New, None)));
        assert_eq!(said("--json resume 0198 go"), Ok((Begin::Resume(named("0198")), prompt())));
        assert_eq!(said("resume 0198 --json"), Ok((Begin::Resume(named("0198")), None)));
        assert_eq!(said("resume --last go --json"), Ok((Begin::Resume(Which::Last), prompt())));
        assert_eq!(said("resume --all --last"), Ok((Begin::Resume(Which::LastOfAll), None)));
        let turn = "00000000-0000-0000-0000-000000000008";
        let at = Some(turn.parse().unwrap());
        assert_eq!(
            said(&format!("fork 0198 --at {turn} go")),
            Ok((Begin::Fork(named("0198"), ForkAt { turn: at, workspace: false }), prompt()))
        );
        let own = ForkAt { workspace: true, ..ForkAt::default() };
        assert_eq!(said("fork --last --workspace go"), Ok((Begin::Fork(Which::Last, own), prompt())));
        assert_eq!(said("fork --last -"), Ok((Begin::Fork(Which::Last, ForkAt::default()), Some("-".to_owned()))));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (line, told) in [
            ("do it", "the prompt must be one argument"),
            ("review", "`capstan exec review` is not in this release"),
            ("resume", "`capstan exec resume` needs a thread: its id, the beginning of its id, its name, or --last"),
            ("resume 0198 do it", "the prompt must be one argument"),
            ("--last go", "--last belongs to `capstan exec resume` and `capstan exec fork`"),
            ("resume --workspace 0198 go", "--workspace belongs to `capstan exec fork`"),
            ("resume --at x 0198 go", "--at belongs to `capstan exec fork`"),
            ("resume --ephemeral 0198 go", "--ephemeral keeps nothing, and `capstan exec resume` goes on with what was kept"),
        ] {
            assert_eq!(said(line), Err(told.to_owned()), "{line}");
        }
        assert!(said("fork 0198 --at nonsense go").unwrap_err().starts_with("--at: "));
    }
}
