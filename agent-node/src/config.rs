//! What an operator, or the embedding program, says about a node. Parsed before anything is touched.

use crate::node::load::Watermarks;
use crate::state::{CheckpointDir, StateDir};
use capstan_blobs::Blobs;
use capstan_identity::membership::Membership;
use capstan_proto::token::Token;
use capstan_proto::transport::Listen;
use capstan_types::id::NodeId;
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::node::{Capacity, NodeAddress};
use capstan_types::path::AbsPath;
use capstan_types::policy::{Ceiling, Level};
use capstan_types::principal::{Principal, Role};
use capstan_types::stock::Stock;
use capstan_types::time::Millis;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The PATH of sessions when the node's own environment has none.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The most holders that the runner keeps forked ahead.
const MOST_PREPARED: u32 = 64;

/// The variables that sessions may know of the environment that the node was started in. Everything else stays outside: a daemon's
/// environment holds keys.
const ALLOWED: [&str; 7] = ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TZ", "USER"];

/// How the runner is started: a program, and the arguments that come before the verb.
///
/// `/usr/bin/capstan-sandbox` alone, or `/usr/bin/capstan` with `sandbox`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerPath {
    /// The program, absolute.
    pub program: PathBuf,
    /// What comes before the verb.
    pub args: Vec<String>,
}

/// Everything that [`crate::serve()`] needs.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The node's name.
    pub id: NodeId,
    /// Where sessions and scratch files live. One node at a time.
    pub state_dir: StateDir,
    /// Where the states of workspaces lie.
    pub checkpoints: CheckpointDir,
    /// How sessions are started.
    pub runner: RunnerPath,
    /// How many holders the runner keeps forked ahead, so that a session need not wait for one: 0 to 64. Each takes a few hundred
    /// kibibytes.
    pub prepared: u32,
    /// Where the services are reached, besides the pipe in memory that is always there.
    pub listen: Vec<Listen>,
    /// Where coordinators reach it by what the registry says; `None`: at the first place where it listens.
    pub advertise: Option<NodeAddress>,
    /// Coordinators that the node calls, to be asked by them on the connections that it makes.
    pub dial_out: Vec<Listen>,
    /// The token of coordinators on loopback among those.
    pub dial_out_token: Option<Token>,
    /// What callers must know. Required to listen on TCP; also asked for on Unix sockets when it is there. Pipes need none.
    pub token: Option<Token>,
    /// What makes this node a member of a cluster. Required to listen for members; it must be this node's.
    pub membership: Option<Membership>,
    /// How much runs here at once.
    pub capacity: Capacity,
    /// What operators count besides, and what this host holds. What is free of its disk is found out.
    pub stock: Stock,
    /// What is kept free: with less, starts are refused until there is more.
    pub watermarks: Watermarks,
    /// Facts about the host that placement may select by.
    pub labels: BTreeMap<String, String>,
    /// The environment of every session, before the call's own variables: see [`base_environment`]. The node's is never passed on.
    pub base_env: BTreeMap<String, String>,
    /// Paths that no session may read or write, besides the node's own state: the daemon's home with its keys.
    pub hidden: Vec<AbsPath>,
    /// The most that a request may ask for: what exceeds it is refused, but for limits, which are lowered. See [`default_ceiling`].
    pub ceiling: Ceiling,
    /// Whether sessions may run as root where the node is root and cannot give them a user of their own. An embedded node may do that;
    /// a daemon refuses such sessions.
    pub root_allowed: bool,
    /// The strongest level that sessions get where the host has it. What is left out is named in their proof, and in the node's record.
    pub strongest: Level,
    /// Whether the start journal waits for the disk.
    pub journal: JournalSync,
    /// Where checkpoints of workspaces are kept beyond this host, so that other nodes can bring them back; `None`: on this host alone.
    pub blobs: Option<Blobs>,
}

/// Whether what the node writes to its start journal is on the disk before it acts on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JournalSync {
    /// It is: a start survives a loss of power.
    #[default]
    On,
    /// It is with the kernel: a start survives any death of the node, and not a loss of power.
    Off,
}

/// What is wrong with a [`NodeConfig`]. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// TCP is open to every user of the host.
    #[error("listening at {0} needs a token, because every user of this host can connect to it; name a token file")]
    TokenRequired(Listen),
    /// Members know each other by certificates.
    #[error(
        "listening at {0} needs a certificate, by which members of a cluster know this node; join one with --join TOKEN ADDR"
    )]
    MembershipRequired(Listen),
    /// A Unix socket is on this host, where the node can be reached.
    #[error("a node cannot dial out to {0}; name a coordinator by https://HOST:PORT, or by 127.0.0.1:PORT with its token file")]
    NoDial(Listen),
    /// A coordinator on loopback must know that the node is this user's, and the other way.
    #[error("dialing out to {0} needs the token of that coordinator; name its token file with --dial-out-token-file")]
    DialTokenRequired(Listen),
    /// Coordinators are called as a member of their cluster.
    #[error("dialing out to {0} needs a certificate; join the cluster with --join TOKEN ADDR")]
    DialMembershipRequired(Listen),
    /// The certificate is another's.
    #[error("the certificate is for `{is}`, and this node is `{node}`; join under that name, or start the node with --name {}", .is.id)]
    Another {
        /// Whose it is.
        is: Principal,
        /// Who this is.
        node: NodeId,
    },
    /// Nothing could ever run.
    #[error("a node with room for 0 sessions can run nothing; give it at least 1")]
    NoRoom,
    /// The runner keeps no more.
    #[error("{0} holders cannot be prepared; use a number from 0 to {MOST_PREPARED}")]
    Prepared(u32),
    /// The runner would be looked up in whatever directory the node happens to be in.
    #[error("the runner `{}` must be named by its absolute path", .0.display())]
    RelativeRunner(PathBuf),
}

impl NodeConfig {
    /// Checks what can be checked without touching the host.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.capacity.sessions == 0 {
            return Err(ConfigError::NoRoom);
        }
        if !self.runner.program.is_absolute() {
            return Err(ConfigError::RelativeRunner(self.runner.program.clone()));
        }
        if self.prepared > MOST_PREPARED {
            return Err(ConfigError::Prepared(self.prepared));
        }
        let open_to_all = self.listen.iter().find(|listen| matches!(listen, Listen::Tcp(_)));
        if let (Some(listen), None) = (open_to_all, &self.token) {
            return Err(ConfigError::TokenRequired(listen.clone()));
        }
        self.dial_out.iter().try_for_each(|place| self.check_dial(place))?;
        self.check_membership()
    }

    fn check_dial(&self, place: &Listen) -> Result<(), ConfigError> {
        match place {
            Listen::Unix(_) => Err(ConfigError::NoDial(place.clone())),
            Listen::Tcp(_) if self.dial_out_token.is_none() => Err(ConfigError::DialTokenRequired(place.clone())),
            Listen::Tls(_) if self.membership.is_none() => Err(ConfigError::DialMembershipRequired(place.clone())),
            Listen::Tcp(_) | Listen::Tls(_) => Ok(()),
        }
    }

    fn check_membership(&self) -> Result<(), ConfigError> {
        let to_members = self.listen.iter().find(|listen| matches!(listen, Listen::Tls(_)));
        let Some(membership) = &self.membership else {
            return to_members.map_or(Ok(()), |listen| Err(ConfigError::MembershipRequired(listen.clone())));
        };
        let is = membership.live.credentials().own().name.clone();
        if is.role == Role::Node && is.id.as_str() == self.id.as_str() {
            Ok(())
        } else {
            Err(ConfigError::Another { is, node: self.id.clone() })
        }
    }
}

impl RunnerPath {
    /// A runner that is a program of its own.
    #[must_use]
    pub const fn program(program: PathBuf) -> Self {
        Self { program, args: Vec::new() }
    }
}

/// The ceiling of a node whose operator sets none: any policy, no longest life, an hour without an owner, 64 MiB of the start and of the
/// end of the output of one session.
#[must_use]
pub fn default_ceiling() -> Ceiling {
    let output = ByteCap::mebibytes(64);
    let limits = SessionLimits { ownerless: Millis(3_600_000), head: output, tail: output, ..SessionLimits::WIDEST };
    Ceiling { limits, ..Ceiling::default() }
}

/// The environment that sessions start from: HOME, LANG, LOGNAME, PATH, SHELL, TZ and USER as `lookup` knows them, and nothing else.
/// PATH is always there.
#[must_use]
pub fn base_environment(lookup: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> =
        ALLOWED.iter().filter_map(|name| lookup(name).map(|value| ((*name).to_owned(), value))).collect();
    env.entry("PATH".to_owned()).or_insert_with(|| DEFAULT_PATH.to_owned());
    env
}

#[cfg(test)]
mod tests;
