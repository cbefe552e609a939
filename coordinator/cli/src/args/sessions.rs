//! The flags of `capstan sessions`.

use super::DaemonArgs;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `capstan sessions`.
#[derive(Debug, Args)]
pub struct SessionsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SessionsCommand,
}

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// Lists the sessions of all nodes
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Shows a session on this terminal as it runs; it is not typed into unless --write is given
    Attach(AttachArgs),
    /// Prints what a session wrote
    Logs(LogsArgs),
    /// Ends a session with all its processes, and says how it ended
    Kill(KillArgs),
}

/// Where the sessions are.
#[derive(Debug, Default, Args)]
pub struct WhereArgs {
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
    /// Ask the node at this address, and no coordinator: 127.0.0.1:PORT or unix:///PATH
    #[arg(long, value_name = "ADDR", conflicts_with = "coordinator")]
    pub node: Option<String>,
    /// The file with that node's token
    #[arg(long, value_name = "FILE", requires = "node")]
    pub node_token_file: Option<PathBuf>,
}

/// Which session.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// The session: its id, or as much of its beginning as no other has; with --thread also the number that the model knows it by
    #[arg(value_name = "ID")]
    pub id: String,
    /// The thread that it belongs to: its id, or the beginning of it
    #[arg(long, value_name = "ID")]
    pub thread: Option<String>,
}

/// `capstan sessions list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Also those that have ended, for as long as they are kept
    #[arg(short, long)]
    pub all: bool,
    /// Only those of this thread: its id, or the beginning of it
    #[arg(long, value_name = "ID")]
    pub thread: Option<String>,
    /// Only those of the node of this name
    #[arg(long, value_name = "NAME")]
    pub node_name: Option<String>,
    /// Print one JSON object instead of a table
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// How much to tell of each
    #[arg(short, long, value_name = "FORM")]
    pub output: Option<Form>,
    /// Where to look
    #[command(flatten)]
    pub place: WhereArgs,
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Whole ids, and everything that is known
    Wide,
}

/// `capstan sessions logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Which session
    #[command(flatten)]
    pub which: WhichArgs,
    /// Begin with the byte of this number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub from: u64,
    /// Also print what was kept whole between head and tail, where the session has the limit `keep_all`
    #[arg(long)]
    pub all: bool,
    /// Say at the end whether what was printed is whole and unchanged; a session that runs on cannot be verified
    #[arg(long)]
    pub verify: bool,
    /// Go on until the session ends
    #[arg(short, long)]
    pub follow: bool,
    /// Print the bytes exactly as they were written; on by itself where standard output is no terminal
    #[arg(long, conflicts_with = "clean")]
    pub raw: bool,
    /// Print text without escape sequences; on by itself on a terminal
    #[arg(long)]
    pub clean: bool,
    /// Also write a recording for players of asciicast version 2
    #[arg(long, value_name = "FILE")]
    pub cast: Option<PathBuf>,
    /// Where to look
    #[command(flatten)]
    pub place: WhereArgs,
}

/// `capstan sessions attach`.
#[derive(Debug, Args)]
#[command(
    after_help = "What the session prints reaches this terminal without the sequences that speak to a terminal instead of drawing: \
    titles, the clipboard, pictures, and questions that a terminal answers by typing. --unfiltered lets them through."
)]
pub struct AttachArgs {
    /// Which session
    #[command(flatten)]
    pub which: WhichArgs,
    /// Send what is typed here, and this terminal's size
    #[arg(short, long)]
    pub write: bool,
    /// The keys that leave the session, which runs on: single characters and ctrl-X, with commas between them
    #[arg(long, value_name = "KEYS", default_value = "ctrl-p,ctrl-q")]
    pub detach_keys: String,
    /// Give this terminal everything that the session prints; only for sessions that are trusted
    #[arg(long)]
    pub unfiltered: bool,
    /// Also write a recording for players of asciicast version 2
    #[arg(long, value_name = "FILE")]
    pub cast: Option<PathBuf>,
    /// Where to look
    #[command(flatten)]
    pub place: WhereArgs,
}

/// `capstan sessions kill`.
#[derive(Debug, Args)]
pub struct KillArgs {
    /// Which session
    #[command(flatten)]
    pub which: WhichArgs,
    /// Send this signal to its foreground instead, as TERM or 15, and wait for the end all the same
    #[arg(short, long, value_name = "NAME")]
    pub signal: Option<String>,
    /// How long to wait for the end, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// Where to look
    #[command(flatten)]
    pub place: WhereArgs,
}
