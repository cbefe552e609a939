//! The flags of `capstan exec`.

use super::coordinator::DaemonArgs;
use super::placement::PlacementArgs;
use super::source::SourceArgs;
use capstan_types::money::MicroDollars;
use capstan_types::policy::SandboxMode;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `capstan exec`.
#[derive(Debug, Args)]
#[command(
    after_help = "With --coordinator these belong to the coordinator's process and are refused: --script, --record, --oss, \
    --local-provider, --node, --node-token-file, --ephemeral, and -c for model_providers, prices, openai_base_url, oss_provider, node and \
    ownerless_timeout_ms.\n\nExit codes: 0 the turn completed; 1 it failed or was interrupted, or the directory is not trusted; 2 what was given cannot be used; 3 it is paused, \
    because a budget is used up; 129 and 143 after SIGHUP and SIGTERM."
)]
pub struct ExecArgs {
    /// What to do; `-` reads it from standard input. What is piped in besides is added to it. `resume ID PROMPT` goes on with a thread,
    /// and `fork ID PROMPT` with a copy of it; ID may be the beginning of an id, or a name
    #[arg(value_name = "PROMPT", num_args = 0..)]
    pub prompt: Vec<String>,
    /// With resume or fork, in the place of ID: the thread of this directory in which something happened last
    #[arg(long)]
    pub last: bool,
    /// With --last: of every directory
    #[arg(long, requires = "last")]
    pub all: bool,
    /// With fork: go on from the end of this turn [default: the last one that has ended]
    #[arg(long, value_name = "TURN")]
    pub at: Option<String>,
    /// With fork: give the copy a workspace of its own, with the files as they were at the end of that turn, on whichever node has room
    #[arg(long)]
    pub workspace: bool,

    /// The model
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Sets one key of the configuration, such as -c model_reasoning_effort=high; may be given again
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
    pub config: Vec<String>,
    /// Puts $CAPSTAN_HOME/NAME.config.toml above config.toml
    #[arg(short, long, value_name = "NAME", conflicts_with = "ignore_user_config")]
    pub profile: Option<String>,
    /// What sessions may touch [default: sandbox_mode of the configuration, else read-only; workspace-write with --on, --upload, --git and --empty]
    #[arg(short, long, value_name = "MODE")]
    pub sandbox: Option<SandboxArg>,
    /// The permission profile of the sessions: :read-only, :workspace, :danger-full-access, or one of [permissions.NAME]
    #[arg(short = 'P', long = "permission-profile", aliases = ["permissions", "permissions-profile"], value_name = "NAME")]
    #[arg(conflicts_with_all = ["sandbox", "dangerously_bypass_approvals_and_sandbox"])]
    pub permission_profile: Option<String>,
    /// The workspace's directory [default: the working directory]
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    pub cd: Option<PathBuf>,
    /// Another directory that may be written; may be given again
    #[arg(long, value_name = "DIR")]
    pub add_dir: Vec<PathBuf>,
    /// Pictures for the prompt. Give the prompt first: every word after this flag is a file
    #[arg(short, long, value_name = "FILE", num_args = 1.., value_delimiter = ',')]
    pub image: Vec<PathBuf>,

    /// Print the events as JSON lines, and nothing else, on standard output
    #[arg(long, alias = "experimental-json")]
    pub json: bool,
    /// A file with a JSON Schema that the final message must satisfy
    #[arg(long, value_name = "FILE")]
    pub output_schema: Option<PathBuf>,
    /// Write the final message to this file as well
    #[arg(short, long, value_name = "FILE")]
    pub output_last_message: Option<PathBuf>,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColourChoice,

    /// Run outside of a git repository too
    #[arg(long)]
    pub skip_git_repo_check: bool,
    /// Keep nothing of the thread
    #[arg(long)]
    pub ephemeral: bool,
    /// Ask a model on this host
    #[arg(long, conflicts_with = "script")]
    pub oss: bool,
    /// Which local server to ask
    #[arg(long, value_name = "NAME", requires = "oss")]
    pub local_provider: Option<LocalProvider>,
    /// No sandbox at all, and nothing declined. Only for machines that are a sandbox themselves
    #[arg(long, alias = "yolo", conflicts_with = "sandbox")]
    pub dangerously_bypass_approvals_and_sandbox: bool,
    /// Refuse keys of the configuration that are not known
    #[arg(long)]
    pub strict_config: bool,
    /// Do not read config.toml
    #[arg(long)]
    pub ignore_user_config: bool,

    /// Pause when the turn has cost this much, in US dollars; instead of budget.usd
    #[arg(long, value_name = "AMOUNT")]
    pub budget_usd: Option<MicroDollars>,
    /// Pause when the turn has used this many tokens; instead of budget.tokens
    #[arg(long, value_name = "COUNT")]
    pub budget_tokens: Option<u64>,

    /// What the workspace is made of.
    #[command(flatten)]
    pub source: SourceArgs,
    /// What is asked of the node.
    #[command(flatten)]
    pub placement: PlacementArgs,
    /// Where the turn runs, if not in this process.
    #[command(flatten)]
    pub daemon: DaemonArgs,
    /// Run the sessions on the node at this address: 127.0.0.1:PORT or unix:///PATH
    #[arg(long, value_name = "ADDR")]
    pub node: Option<String>,
    /// The file with that node's token
    #[arg(long, value_name = "FILE", requires = "node")]
    pub node_token_file: Option<PathBuf>,
    /// Take the answers from a script instead of a model
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    pub script: Option<PathBuf>,
    /// Record the model's answers as a script
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Accepted without effect
    #[arg(long, value_name = "FEATURE")]
    pub enable: Vec<String>,
    /// Accepted without effect
    #[arg(long, value_name = "FEATURE")]
    pub disable: Vec<String>,
    /// Accepted without effect
    #[arg(long, value_name = "SOURCE", hide = true)]
    pub thread_source: Option<String>,
    /// Accepted without effect
    #[arg(long, value_name = "PROGRAM", hide = true)]
    pub cyber_access_program: Option<String>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    /// Always.
    Always,
    /// Never.
    Never,
    /// On a terminal.
    #[default]
    Auto,
}

/// The value of `-s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SandboxArg {
    /// The system, toolchains and the workspace may be read, nothing written
    ReadOnly,
    /// The workspace and temporary directories may be written
    WorkspaceWrite,
    /// No sandbox
    DangerFullAccess,
}

impl From<SandboxArg> for SandboxMode {
    fn from(arg: SandboxArg) -> Self {
        match arg {
            SandboxArg::ReadOnly => Self::ReadOnly,
            SandboxArg::WorkspaceWrite => Self::WorkspaceWrite,
            SandboxArg::DangerFullAccess => Self::DangerFullAccess,
        }
    }
}

/// The value of `--local-provider`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LocalProvider {
    /// Ollama
    Ollama,
    /// LM Studio
    Lmstudio,
}

impl LocalProvider {
    /// Its name in a configuration.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::Lmstudio => "lmstudio",
        }
    }
}
