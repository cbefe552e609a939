//! The command line. Names and order are Codex's where a flag is also Codex's, so that scripts and SDKs carry over.

use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

mod apply;
mod cluster;
mod coordinator;
mod exec;
mod files;
mod mistake;
mod nodes;
mod placement;
mod sessions;
mod source;
mod threads;
mod workspaces;

pub use apply::ApplyArgs;
pub use cluster::{
    CaCommand, CertArgs, CertCommand, ClusterArgs, ClusterCommand, CreateTokenArgs, DownArgs, InitArgs, JoinArgs, LocalArgs,
    PlaceArgs, RevokeCertArgs, RevokeTokenArgs, Revoked, TokenArgs, TokenCommand, UpArgs,
};
pub use coordinator::{CoordinatorArgs, DaemonArgs};
pub use exec::{ColourChoice, ExecArgs, LocalProvider, SandboxArg};
pub use files::{CatArgs, FilesArgs, FilesCommand, InThreadArgs, ListFilesArgs, PutArgs, SearchFilesArgs, WatchFilesArgs};
pub use mistake::mistake;
pub use nodes::{
    ChangeNodesArgs, ChosenNodesArgs, CloseNodesArgs, DrainNodesArgs, EventOutput, EventsArgs, ListNodesArgs, NodesArgs,
    NodesCommand, Output, WhichNodesArgs,
};
pub use placement::PlacementArgs;
pub use sessions::{AttachArgs, Form, KillArgs, ListArgs, LogsArgs, SessionsArgs, SessionsCommand, WhereArgs, WhichArgs};
pub use source::SourceArgs;
pub use threads::{
    CheckpointsArgs, CommitArgs, CompactArgs, CompareArgs, DeleteArgs, DiffArgs, ExplainArgs, ExportArgs, FollowArgs,
    InterruptArgs, ListThreadsArgs, NameArgs, NamedArgs, PatchArgs, QueueArgs, RestoreArgs, SearchArgs, ShowArgs, SteerArgs,
    ThreadsArgs, ThreadsCommand, UndoArgs,
};

pub use workspaces::{
    DescribeWorkspacesArgs, ListWorkspacesArgs, RemoveWorkspacesArgs, SweepWorkspacesArgs, WorkspacesArgs, WorkspacesCommand,
};

/// The program.
#[derive(Debug, Parser)]
#[command(
    name = "capstan",
    version,
    about = "Runs a coding agent's tools in sandboxed sessions, here or on other hosts",
    max_term_width = 110
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs one prompt to its end, without asking anything
    #[command(visible_alias = "e")]
    Exec(Box<ExecArgs>),
    /// Shows the whole path at work: mends a small project with a failing test
    Demo(DemoArgs),
    /// Runs a coordinator that commands on this host can use: their turns go on when they end
    Coordinator(CoordinatorArgs),
    /// Lists, shows, names, exports and removes threads
    Threads(ThreadsArgs),
    /// Lists, prints, searches, writes and watches the files of a thread's workspace, wherever it is
    Files(FilesArgs),
    /// Applies what a thread changed to the repository in this directory: all of it, or nothing
    #[command(visible_alias = "a")]
    Apply(ApplyArgs),
    /// Says why a thread is on its node
    Explain(ExplainArgs),
    /// Looks at the sessions that run on nodes: lists them, shows them live, ends them
    Sessions(SessionsArgs),
    /// Looks at nodes, and orders things for them: labels, taints, cordon, drain
    Nodes(NodesArgs),
    /// Looks at the workspaces that nodes made: lists them, says what they take, removes them
    Workspaces(WorkspacesArgs),
    /// Tells what happened to nodes, and what happens
    Events(EventsArgs),
    /// Runs an agent node that a coordinator on this host can use
    Node(NodeArgs),
    /// Makes a cluster of several hosts: its authority, join tokens, the certificates of its members
    Cluster(ClusterArgs),
    /// Says what this host can enforce, and what is missing
    Doctor(DoctorArgs),
    /// Runs a command in the sandbox, with this terminal; `capstan sandbox --help` has its flags
    Sandbox(SandboxArgs),
    /// Applies a patch, given as an argument or on standard input, to the files below this directory: all of it, or nothing
    #[command(name = "apply_patch")]
    ApplyPatch(SandboxArgs),
}

/// `capstan demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Let this model do it, instead of the recorded one; its key must be in the environment
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Keep the project, and say where it is
    #[arg(long)]
    pub keep: bool,
    /// Print the events as JSON lines
    #[arg(long)]
    pub json: bool,
}

/// `capstan node`.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// Where to listen: https://HOST:PORT for members of its cluster, 127.0.0.1:PORT (port 0 takes a free one; IPv6 in brackets) or
    /// unix:///PATH; may be given again
    #[arg(long, value_name = "ADDR", required_unless_present = "dial_out")]
    pub listen: Vec<String>,
    /// Call the coordinator at this address and serve it on that connection, for a node that nobody can reach from outside: https://HOST:PORT,
    /// or 127.0.0.1:PORT; may be given again, once for each coordinator of the cluster
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["registry", "advertise"])]
    pub dial_out: Vec<String>,
    /// The file with the token of coordinators that are called on loopback
    #[arg(long, value_name = "FILE", requires = "dial_out")]
    pub dial_out_token_file: Option<PathBuf>,
    /// Where coordinators that find the node in the registry reach it: https://HOST:PORT [default: the first place of --listen]
    #[arg(long, value_name = "ADDR")]
    pub advertise: Option<String>,
    /// Join a cluster with this token, at the coordinator that holds its authority. Needed once: later starts find the certificate
    #[arg(long, num_args = 2, value_names = ["TOKEN", "ADDR"])]
    pub join: Option<Vec<String>>,
    /// The file with the token that callers must know; made with a fresh one when it is missing
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The node's name [default: this host's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Where the node keeps its sessions [default: below CAPSTAN_HOME]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// A fact about this host that placement may select by; may be given again
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub labels: Vec<String>,
    /// So many pieces of something are here that threads can reserve, such as gpu=2; may be given again [default: node.resources of config.toml]
    #[arg(long = "resource", value_name = "NAME=N")]
    pub resources: Vec<String>,
    /// A repository's mirror, or a warm cache, is here under this name, so that threads that ask for it come here rather than elsewhere
    /// (capstan exec --near NAME); may be given again [default: node.holds of config.toml]
    #[arg(long = "holds", value_name = "NAME")]
    pub holds: Vec<String>,
    /// Sessions that may run at once
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub sessions: u32,
    /// Register in this etcd, where coordinators find the node: etcd://HOST:2379,HOST2:2379, or etcds:// for TLS. The table `registry` of
    /// config.toml says more [env: CAPSTAN_REGISTRY]
    #[arg(long, value_name = "ETCD")]
    pub registry: Option<String>,
    /// Keep checkpoints of workspaces in this store too, which the coordinators and other nodes have in common: an absolute directory, or
    /// s3://NAME/PREFIX [default: blobs.url of config.toml; without one, coordinators carry what is needed]
    #[arg(long, value_name = "URL")]
    pub blobs: Option<String>,
    /// Serve /livez, /readyz and /metrics (for Prometheus) over plain HTTP at this address: HOST:PORT, port 0 for a free one
    #[arg(long, value_name = "ADDR")]
    pub monitor: Option<std::net::SocketAddr>,
    /// How long running sessions may take to end when the node is stopped, in seconds; those that run on are kept for its next start
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub grace: u64,
    /// Whether a start waits until the node's journal is on the disk; off survives any death of the node, and no loss of power
    #[arg(long, value_name = "ON|OFF", default_value = "on", hide = true)]
    pub journal_sync: JournalSync,
}

/// Whether the node's journal waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum JournalSync {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// `capstan doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `capstan sandbox` and `capstan apply_patch`. Taken before this is parsed; they stand here for the help.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct SandboxArgs {
    /// The sandbox's flags, `--`, and the command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

#[cfg(test)]
mod tests;
