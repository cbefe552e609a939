//! The flags of `capstan threads`.

use super::{ColourChoice, DaemonArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `capstan threads`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --coordinator these ask the coordinator that runs on $CAPSTAN_HOME. If none does, all but steer, queue, interrupt, \
    follow and compact look into its store, and diff, undo and delete at the workspaces of threads that `capstan exec` ran on this host; those five \
    need a coordinator that runs.\n\nA thread is named by its id, the beginning of its id, or its name."
)]
pub struct ThreadsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ThreadsCommand,
}

/// What to do with threads.
#[derive(Debug, Subcommand)]
pub enum ThreadsCommand {
    /// Lists threads, the newest first
    #[command(visible_alias = "ls")]
    List(ListThreadsArgs),
    /// Lists threads in whose name or prompts all of these words occur
    Search(SearchArgs),
    /// Shows a thread's transcript
    Show(ShowArgs),
    /// Writes a whole thread as JSON lines, as Codex keeps its threads
    Export(ExportArgs),
    /// Puts threads away: they are not listed any more, and can be used all the same
    Archive(NamedArgs),
    /// Takes back threads that were put away
    Unarchive(NamedArgs),
    /// Removes threads and all that is stored of them
    Delete(DeleteArgs),
    /// Gives a thread a name, or takes it away
    Name(NameArgs),
    /// Says something to the turn that runs in a thread; its model is told with its next request
    Steer(SteerArgs),
    /// Has a turn begin when those before it have ended; it runs whether or not anybody looks on
    Queue(QueueArgs),
    /// Interrupts the turn that runs in a thread
    Interrupt(InterruptArgs),
    /// Shows a thread's events up to the end of its turn; interrupting this command leaves the turn alone
    Follow(FollowArgs),
    /// Shortens a thread's conversation: from then on its model is shown a summary. What was said stays stored
    Compact(CompactArgs),
    /// Shows what a turn changed in the workspace
    Diff(DiffArgs),
    /// Gives what a thread changed in its workspace as a patch, which `capstan apply` and `git apply` take
    Patch(PatchArgs),
    /// Makes a commit of what a thread changed, on a branch of the repository in this directory; its files and its index are not touched
    Commit(CommitArgs),
    /// Brings the workspace back to what it was before a turn; the present state is kept, and can be brought back
    Undo(UndoArgs),
    /// Lists the checkpoints of a thread: whole states of its workspace, taken after turns and before risky calls
    Checkpoints(CheckpointsArgs),
    /// Brings a checkpoint back into the thread's workspace, on whichever node that is; the present state is saved as one first
    Restore(RestoreArgs),
    /// Names what differs between two checkpoints
    Compare(CompareArgs),
}

/// Which threads are listed, and how.
#[derive(Debug, Clone, Default, Args)]
pub struct ListThreadsArgs {
    /// Those that were put away as well
    #[arg(long, conflicts_with = "archived")]
    pub all: bool,
    /// Only those that were put away
    #[arg(long)]
    pub archived: bool,
    /// Only those of this directory
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    pub cd: Option<PathBuf>,
    /// First those in which something happened last, and not those that began last
    #[arg(long)]
    pub by_update: bool,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Go on where the list before ended, which said how
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The words, in any case and as parts of words too
    #[arg(value_name = "WORD", required = true)]
    pub words: Vec<String>,
    /// Among which threads.
    #[command(flatten)]
    pub list: ListThreadsArgs,
}

/// `capstan threads show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// Print the events as JSON lines, and nothing else
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColourChoice,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The thread: its id, the beginning of its id, or its name
    #[arg(value_name = "THREAD")]
    pub thread: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// Write to this file, which takes its name when it is whole [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads archive` and `capstan threads unarchive`.
#[derive(Debug, Args)]
pub struct NamedArgs {
    /// The threads
    #[arg(value_name = "ID", required = true)]
    pub threads: Vec<String>,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The threads
    #[arg(value_name = "ID", required = true)]
    pub threads: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads name`.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// The name; empty takes it away
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads steer`.
#[derive(Debug, Args)]
pub struct SteerArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// What to say
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads queue`.
#[derive(Debug, Args)]
pub struct QueueArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// The prompt
    #[arg(value_name = "PROMPT")]
    pub prompt: String,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads interrupt`.
#[derive(Debug, Args)]
pub struct InterruptArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// End the turn's sessions as well; else they run on, and the next turns are told of them
    #[arg(long)]
    pub kill: bool,
    /// Take back the turns that wait as well; else the next one begins
    #[arg(long)]
    pub queued: bool,
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

/// `capstan threads patch`.
#[derive(Debug, Args)]
pub struct PatchArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// Only what this turn changed [default: the whole thread, up to now]
    #[arg(long, value_name = "TURN")]
    pub turn: Option<String>,
    /// Write to this file, which takes its name when it is whole [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads commit`.
#[derive(Debug, Args)]
pub struct CommitArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// The branch, which must not be there yet
    #[arg(short, long, value_name = "NAME")]
    pub branch: String,
    /// What the commit says
    #[arg(short, long, value_name = "TEXT")]
    pub message: String,
    /// Who is named as its author: name and address, as in `Ann <ann@example.org>` [default: who git says you are]
    #[arg(long, value_name = "AUTHOR")]
    pub author: Option<String>,
    /// What it stands on [default: the commit that the thread began with]
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Only what this turn changed [default: the whole thread, up to now]
    #[arg(long, value_name = "TURN")]
    pub turn: Option<String>,
    /// Move the branch if it is there
    #[arg(long)]
    pub force: bool,
    /// The repository [default: that of the working directory]
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    pub cd: Option<PathBuf>,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
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

/// `capstan threads checkpoints`.
#[derive(Debug, Args)]
pub struct CheckpointsArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// The checkpoint's name, or a turn: the state at its end
    #[arg(value_name = "CHECKPOINT")]
    pub checkpoint: String,
    /// Give up also what has changed since the last checkpoint
    #[arg(long)]
    pub force: bool,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan threads compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The thread
    #[arg(value_name = "ID")]
    pub thread: String,
    /// The earlier checkpoint, by its name or a turn
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The later one
    #[arg(value_name = "AFTER")]
    pub after: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
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
