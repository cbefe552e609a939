//! What belongs to a coordinator's process, and cannot be given to one that runs already.

use crate::args::ExecArgs;
use crate::failure::Failure;

/// Keys that say how a coordinator or its node works; with the keys below them. In a `config.toml` they are the coordinator's own.
const KEYS: [&str; 6] = ["model_providers", "node", "openai_base_url", "oss_provider", "ownerless_timeout_ms", "prices"];

/// Refuses what the coordinator would have to be started with.
///
/// # Errors
/// The first such flag.
pub(super) fn refuse(args: &ExecArgs) -> Result<(), Failure> {
    let flags = [
        ("--script", args.script.is_some(), "give the script to `capstan coordinator`"),
        ("--record", args.record.is_some(), "record without a coordinator: --coordinator ''"),
        ("--oss", args.oss, "name a local provider that the coordinator knows: -c model_provider=ollama"),
        ("--node", args.node.is_some(), "give the node to `capstan coordinator`"),
        ("--ephemeral", args.ephemeral, "run without a coordinator: --coordinator ''"),
    ];
    if let Some((flag, _, hint)) = flags.iter().find(|(_, given, _)| *given) {
        return Err(refused(flag, hint));
    }
    match args.config.iter().find(|set| KEYS.contains(&top_key(set))) {
        Some(set) => {
            Err(refused(&format!("-c {}", key(set)), "set it in the config.toml of the coordinator, and start that again"))
        }
        None => Ok(()),
    }
}

fn refused(what: &str, hint: &str) -> Failure {
    Failure::bad_input(format!("{what} belongs to the coordinator's process and cannot be given with --coordinator")).hint(hint)
}

fn key(set: &str) -> &str {
    set.split('=').next().unwrap_or_default().trim()
}

fn top_key(set: &str) -> &str {
    key(set).split('.').next().unwrap_or_default().trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn told(line: &str) -> Option<String> {
        let words = ["capstan", "exec", "--coordinator", "127.0.0.1:1"].into_iter().chain(line.split_whitespace());
        let Command::Exec(args) = Cli::try_parse_from(words).unwrap().command else { panic!("{line}") };
        refuse(&args).err().map(|failure| failure.sentence)
    }

    #[test]
    fn what_a_thread_runs_with_may_be_given_and_what_a_coordinator_runs_with_may_not() {
        for line in ["-m x -s read-only -C /w x", "-P p x", "-c model_provider=corp -c sandbox_mode=read-only x", "-c nodes=1 x"]
        {
            assert_eq!(told(line), None, "{line}");
        }
        for (line, what) in [
            ("--script f x", "--script"),
            ("--record f x", "--record"),
            ("--oss x", "--oss"),
            ("--oss --local-provider ollama x", "--oss"),
            ("--node 127.0.0.1:2 --node-token-file f x", "--node"),
            ("--ephemeral x", "--ephemeral"),
            ("-c model_providers.corp.base_url=u x", "-c model_providers.corp.base_url"),
            ("-c node.ceiling.sessions=1 x", "-c node.ceiling.sessions"),
            ("-c ownerless_timeout_ms=1 x", "-c ownerless_timeout_ms"),
        ] {
            let said = format!("{what} belongs to the coordinator's process and cannot be given with --coordinator");
            assert_eq!(told(line), Some(said), "{line}");
        }
    }
}
