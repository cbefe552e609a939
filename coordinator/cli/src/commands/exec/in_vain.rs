//! What would be given in vain: flags and keys without an effect on the run that is asked for. Whoever gives one means something by it, and is
//! told instead.

use super::asked::Begin;
use crate::args::ExecArgs;
use crate::failure::Failure;

/// Keys that count where a thread begins, with the keys below them. A thread that there is keeps what it began with.
const OF_NEW_THREADS: [&str; 10] = [
    "developer_instructions",
    "instructions",
    "model_auto_compact_token_limit",
    "model_context_window",
    "model_fallbacks",
    "project_doc_fallback_filenames",
    "project_doc_max_bytes",
    "sandbox_workspace_write.exclude_slash_tmp",
    "shell_environment_policy",
    "tools",
];

/// Refuses what has no effect. `elsewhere` is whether the coordinator is in another process.
///
/// # Errors
/// The first such flag or key.
pub(super) fn refuse(args: &ExecArgs, begin: &Begin, elsewhere: bool) -> Result<(), Failure> {
    if args.daemon.coordinator_token_file.is_some() && !elsewhere {
        return Err(Failure::bad_input("--coordinator-token-file is for a coordinator in another process, and none is named")
            .hint("name it with --coordinator ADDR, or leave the file out"));
    }
    let command = match begin {
        Begin::New => return Ok(()),
        Begin::Resume(_) => "resume",
        Begin::Fork(..) => "fork",
    };
    let (placement, source) = (&args.placement, &args.source);
    let made =
        [("--on", source.on.is_some()), ("--upload", source.upload), ("--git", source.git.is_some()), ("--empty", source.empty)];
    if let Some((flag, _)) = made.iter().find(|(_, given)| *given) {
        let sentence =
            format!("{flag} makes the workspace of a new thread, and `capstan exec {command}` goes on in the one that there is");
        return Err(Failure::bad_input(sentence).hint("leave it out, or begin a new thread"));
    }
    let flags = [
        ("--selector", placement.selector.is_some()),
        ("--toleration", !placement.toleration.is_empty()),
        ("--cpu", placement.cpu.is_some()),
        ("--memory", placement.memory.is_some()),
        ("--pack", placement.pack),
        ("--batch", placement.batch.is_some()),
        ("--priority", placement.priority.is_some()),
    ];
    if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
        let sentence =
            format!("{flag} places a new thread, and `capstan exec {command}` goes on where the thread's workspace is");
        return Err(Failure::bad_input(sentence).hint("leave it out"));
    }
    match args.config.iter().map(|set| key(set)).find(|key| is_of_new_threads(key)) {
        Some(key) => {
            let sentence =
                format!("-c {key} counts for new threads, and `capstan exec {command}` goes on with one that there is");
            Err(Failure::bad_input(sentence).hint("leave it out, or begin a thread with it: `capstan exec -c … PROMPT`"))
        }
        None => Ok(()),
    }
}

fn key(set: &str) -> String {
    let parts = set.split('=').next().unwrap_or_default().split('.');
    parts.map(|part| part.trim().trim_matches(['"', '\''])).collect::<Vec<_>>().join(".")
}

fn is_of_new_threads(key: &str) -> bool {
    let below = |known: &str| key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    OF_NEW_THREADS.iter().any(|known| below(known))
}

#[cfg(test)]
mod tests {
    use super::super::asked::asked;
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn told(line: &str) -> Option<String> {
        let words = ["capstan", "exec"].into_iter().chain(line.split_whitespace());
        let Command::Exec(args) = Cli::try_parse_from(words).unwrap().command else { panic!("{line}") };
        let begin = asked(&args).unwrap().begin;
        refuse(&args, &begin, false).err().map(|failure| failure.sentence)
    }

    #[test]
    fn what_changes_a_thread_or_begins_one_is_taken() {
        for line in [
            "--selector a=b --cpu 1 --priority 3 -c tools.raw_output=true x",
            "resume t -m x -s read-only -c model_reasoning_effort=low -c budget.turn.usd=1 -c model_providers.a.name=b x",
            "fork t -c sandbox_workspace_write.network_access=true -c toolsy=1 x",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn what_has_no_effect_is_refused() {
        for (line, beginning) in [
            ("resume t --selector a=b x", "--selector places a new thread, and `capstan exec resume` goes on"),
            ("fork t --priority 1 x", "--priority places a new thread, and `capstan exec fork` goes on"),
            ("resume t --cpu 1 x", "--cpu places"),
            (
                "resume t -c tools.raw_output=true x",
                "-c tools.raw_output counts for new threads, and `capstan exec resume` goes on",
            ),
            ("resume t -c instructions=a x", "-c instructions counts"),
            ("resume t -c \"shell_environment_policy\".set.A=b x", "-c shell_environment_policy.set.A counts"),
            ("resume t -c sandbox_workspace_write.exclude_slash_tmp=true x", "-c sandbox_workspace_write.exclude_slash_tmp"),
            ("--coordinator-token-file f x", "--coordinator-token-file is for a coordinator in another process"),
        ] {
            assert!(told(line).is_some_and(|said| said.starts_with(beginning)), "{line}: {:?}", told(line));
        }
    }
}
