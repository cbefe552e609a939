//! What a node hands the runner to start a session, and what the runner proves it did.

use crate::id::SessionId;
use crate::limits::SessionLimits;
use crate::output::chain::Chain;
use crate::output::seal::{Hole, KeptWhole, Seal};
use crate::path::AbsPath;
use crate::policy::{Level, SandboxPolicy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The size of a terminal in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub cols: u16,
}

impl Default for TermSize {
    /// 24 lines of 80 characters.
    fn default() -> Self {
        Self { rows: 24, cols: 80 }
    }
}

/// How the session's standard streams are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stdio {
    /// A terminal of the given size.
    Terminal(TermSize),
    /// Pipes, with standard input open for writing.
    Pipes,
    /// Pipes for output, and an empty standard input.
    PipesNoInput,
}

/// Everything the runner needs to start one session. Written to its standard input as one JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// The version of this document and of the control protocol: [`crate::control::VERSION`].
    pub version: u32,
    /// The session to be.
    pub session: SessionId,
    /// A directory of the session's own, made by the node with mode 0700: output, exit record and control socket live in it.
    pub dir: AbsPath,
    /// The program and its arguments. A program without a slash is looked up in `env`'s PATH.
    pub argv: Vec<String>,
    /// The working directory.
    pub cwd: AbsPath,
    /// The whole environment of the process; nothing else is passed on.
    pub env: BTreeMap<String, String>,
    /// How standard input, output and error are connected.
    pub stdio: Stdio,
    /// What may be touched.
    pub policy: SandboxPolicy,
    /// What may be used.
    pub limits: SessionLimits,
    /// Whether a runner that is root may run the session as root where it cannot be given a user of its own: everything else stays in
    /// force. An embedded node may; a daemon may not.
    #[serde(default)]
    pub root_allowed: bool,
    /// Places below the writable directories that are to be read-only because of their names, as the node has found them. `None` lets
    /// the runner look for itself, which takes longer the larger the directories are.
    #[serde(default)]
    pub protected: Option<Vec<AbsPath>>,
    /// The strongest level to use, whatever the host could do; `None` is the strongest there is.
    #[serde(default)]
    pub strongest: Option<Level>,
    /// How many bytes are left free on the disk of `dir` by what is kept whole: see [`SessionLimits::keep_all`].
    #[serde(default)]
    pub disk_reserve: u64,
}

/// Something that the sandbox refused while the session ran, as far as it could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// What was tried: `connect to example.com:443`.
    pub act: String,
    /// Why it was refused, as a fact: `not in the list of allowed hosts`.
    pub reason: String,
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} refused: {}", self.act, self.reason)
    }
}

/// What was in force when the session's program started: the proof that goes with every outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// The Landlock ABI whose rights were all handled; `None` when the policy asked for no sandbox.
    pub landlock_abi: Option<u32>,
    /// SHA-256 of the seccomp program as attached, in hexadecimal; `None` when the policy asked for no sandbox.
    pub seccomp_sha256: Option<String>,
    /// Whether `no_new_privs` was set.
    pub no_new_privs: bool,
    /// Whether every capability was dropped.
    pub capabilities_dropped: bool,
    /// Whether sockets to hosts were refused.
    pub network_closed: bool,
    /// The user the session ran as, in the host's numbering.
    pub uid: u32,
    /// The limits that the kernel or the holder enforces, as `name=value (mechanism)`.
    pub limits: Vec<String>,
    /// How strong the sandbox is as a whole.
    #[serde(default = "no_level")]
    pub level: Level,
    /// Which Landlock rights were handled, as `fs=HEX net=HEX scope=HEX`, with the kernel's numbers.
    #[serde(default)]
    pub landlock_rights: String,
    /// The namespaces that were the session's own, by the names of `/proc/self/ns`.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Which network the session had: none, loopback, hosts or full.
    #[serde(default)]
    pub network: String,
    /// What a stronger level would have, and why this host does not give it.
    #[serde(default)]
    pub missing: Vec<String>,
}

const fn no_level() -> Level {
    Level::None
}

/// The runner's answer to a launch document: one line of JSON on its standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaunchAnswer {
    /// The program runs.
    Started {
        /// The process id of the program, in the host's numbering.
        pid: u32,
        /// The process id of the holder.
        holder: u32,
        /// What is in force.
        enforced: Enforced,
    },
    /// Nothing was started.
    Refused(Refusal),
}

/// Why a session was not started. Every one of these is an error of the start, never an exit code of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The program does not exist, or is not executable.
    #[error("cannot run `{program}`: {reason}; check the name, the working directory `{cwd}` and PATH")]
    Program {
        /// The program as asked for.
        program: String,
        /// Where it was to run.
        cwd: String,
        /// What the system said.
        reason: String,
    },
    /// The working directory cannot be entered.
    #[error("cannot enter the working directory `{cwd}`: {reason}")]
    WorkingDirectory {
        /// The directory.
        cwd: String,
        /// What the system said.
        reason: String,
    },
    /// The policy names something that cannot be.
    #[error("the sandbox policy cannot be applied: {reason}")]
    Policy {
        /// What is wrong with it.
        reason: String,
    },
    /// This kernel cannot enforce the policy.
    #[error("this host cannot enforce the sandbox: {missing} is missing; {remedy}")]
    CannotEnforce {
        /// The kernel feature that is missing.
        missing: String,
        /// What to do about it.
        remedy: String,
    },
    /// The document itself is wrong.
    #[error("the launch document is not valid: {reason}")]
    Document {
        /// What is wrong with it.
        reason: String,
    },
    /// The host has run out of something, or a system call failed that should not have.
    #[error("the host could not start a session: {step}: {reason}")]
    Host {
        /// The step that failed.
        step: String,
        /// What the system said.
        reason: String,
    },
}

/// How a session ended. It ends once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionEnd {
    /// The program returned.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal that Capstan did not send ended the program.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// A limit of the session was reached, and the session was ended for it.
    Limit(SessionLimit),
    /// Somebody ended the session.
    Killed {
        /// Who asked for it.
        by: String,
    },
    /// The end was not seen.
    Unknown {
        /// Why not.
        reason: String,
    },
}

impl SessionEnd {
    /// The exit code in the shell's convention: the code itself, or 128 plus the signal; `None` when neither is known.
    #[must_use]
    pub const fn shell_code(&self) -> Option<i32> {
        match self {
            Self::Exited { code } => Some(*code),
            Self::Signalled { signal } => Some(128 + *signal),
            Self::Limit(_) | Self::Killed { .. } => Some(128 + 9),
            Self::Unknown { .. } => None,
        }
    }
}

/// How a session ended, as the holder leaves it in its directory: the file [`EndRecord::FILE`], one JSON document, there before anybody
/// is told, and brought to the disk right after. A directory without it holds a session that runs, or one whose holder was killed; after a
/// loss of power it may also be missing, or be empty, for an end that was just told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndRecord {
    /// How it ended.
    pub end: SessionEnd,
    /// How many bytes the session wrote in all, kept or not.
    pub output_bytes: u64,
    /// The chain over what is kept of it. None where the disk lost some of it, where more is kept than [`EndRecord::MOST_CHAINED`], and in
    /// records of older holders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// What head and tail have dropped between them. None in records of older holders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hole: Option<Hole>,
    /// What was kept whole, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptWhole>,
}

impl EndRecord {
    /// The record of an end, and of what was kept.
    #[must_use]
    pub const fn new(end: SessionEnd, seal: &Seal) -> Self {
        Self { end, output_bytes: seal.total, chain: seal.chain, hole: Some(seal.hole), kept: seal.kept }
    }

    /// What readers hold their output against; none in records of older holders.
    #[must_use]
    pub fn seal(&self) -> Option<Seal> {
        Some(Seal { total: self.output_bytes, hole: self.hole?, chain: self.chain, kept: self.kept })
    }

    /// The record's file name in the session's directory.
    pub const FILE: &'static str = "end.json";

    /// The most kept output that a chain is made of, in bytes: nobody is told of the end before it is made, and more would take too long.
    pub const MOST_CHAINED: u64 = 16 << 20;
}

/// The limits that end a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionLimit {
    /// The longest life.
    Total,
    /// The longest silence.
    Idle,
    /// The longest time without an owner.
    Ownerless,
    /// The most memory.
    Memory,
    /// The most processes.
    Processes,
    /// The most processor time.
    CpuTime,
    /// The most bytes written to disk.
    Written,
    /// The largest file.
    FileSize,
    /// The most output.
    Output,
}

impl SessionLimit {
    /// All limits.
    pub const ALL: [Self; 9] = [
        Self::Total,
        Self::Idle,
        Self::Ownerless,
        Self::Memory,
        Self::Processes,
        Self::CpuTime,
        Self::Written,
        Self::FileSize,
        Self::Output,
    ];

    /// The limit's name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total time",
            Self::Idle => "idle time",
            Self::Ownerless => "time without an owner",
            Self::Memory => "memory (oom)",
            Self::Processes => "processes",
            Self::CpuTime => "processor time",
            Self::Written => "bytes written to disk",
            Self::FileSize => "file size",
            Self::Output => "output",
        }
    }
}
