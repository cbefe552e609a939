//! The flags of `capstan coordinator`, of its clients, and of `capstan threads`.

use super::ColourChoice;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `capstan coordinator`.
#[derive(Debug, Default, Args)]
#[command(after_help = "Models, providers and their keys are configured where the coordinator runs: its clients send none. \
    Sessions get the environment of the node, not of the client.")]
pub struct CoordinatorArgs {
    /// Where to listen besides $CAPSTAN_HOME/coordinator.sock: 127.0.0.1:PORT (port 0 takes a free one; IPv6 in brackets) or
    /// unix:///PATH; may be given again
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// The file with the token that clients over TCP must know; made with a fresh one when it is missing
    /// [default: $CAPSTAN_HOME/coordinator.token]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Run the sessions on the node at this address: 127.0.0.1:PORT or unix:///PATH; may be given again. Without it, on a node in this
    /// process
    #[arg(long, value_name = "ADDR")]
    pub node: Vec<String>,
    /// The file with those nodes' token
    #[arg(long, value_name = "FILE", requires = "node")]
    pub node_token_file: Option<PathBuf>,
    /// Take the answers from a script instead of models, in every thread from its first step
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
}

/// How a command reaches a coordinator in another process.
#[derive(Debug, Clone, Default, Args)]
pub struct DaemonArgs {
    /// Use the coordinator at this address: unix:///PATH or 127.0.0.1:PORT. Its models and nodes do the work, and the turn goes on if
    /// this command is killed. Empty: none but this process [env: CAPSTAN_COORDINATOR]
    #[arg(long, value_name = "ADDR")]
    pub coordinator: Option<String>,
    /// The file with that coordinator's token; the token itself may be in CAPSTAN_COORDINATOR_TOKEN
    #[arg(long, value_name = "FILE")]
    pub coordinator_token_file: Option<PathBuf>,
    /// How long a coordinator that was lost is waited for, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub coordinator_timeout: Option<u64>,
}

/// `capstan threads`.
#[derive(Debug, Args)]
pub struct ThreadsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ThreadsCommand,
}

/// What to do with threads.
#[derive(Debug, Subcommand)]
pub enum ThreadsCommand {
    /// Shows a thread's events up to the end of its turn; interrupting this command leaves the turn alone
    Follow(FollowArgs),
    /// Shortens a thread's conversation: from then on its model is shown a summary. What was said stays stored
    Compact(CompactArgs),
    /// Shows what a turn changed in the workspace
    Diff(DiffArgs),
    /// Brings the workspace back to what it was before a turn; the present state is kept, and can be brought back
    Undo(UndoArgs),
}

/// `capstan threads compact`.
#[derive(Debug, Args)]
pub struct CompactArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// The turn [default: the last one that changed something]
    #[arg(value_name = "TURN")]
    pub turn: Option<String>,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// The turn, or the name that an undo gave to the state before it [default: the last turn that is not undone]
    #[arg(value_name = "TURN")]
    pub turn: Option<String>,
    /// Undo also what has changed since the turn ended
    #[arg(long)]
    pub force: bool,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads follow`.
#[derive(Debug, Args)]
pub struct FollowArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// Begin after the event of this number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub after: u64,
    /// Print the events as JSON lines, and nothing else, on standard output
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColourChoice,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}
