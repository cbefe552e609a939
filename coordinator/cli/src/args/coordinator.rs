//! The flags of `capstan coordinator`, and of its clients.

use capstan_types::principal::Label;
use clap::Args;
use std::path::PathBuf;

/// `capstan coordinator`.
#[derive(Debug, Default, Args)]
#[command(after_help = "Models, providers and their keys are configured where the coordinator runs: its clients send none. \
    Sessions get the environment of the node, not of the client.")]
pub struct CoordinatorArgs {
    /// Where to listen besides $CAPSTAN_HOME/coordinator.sock: https://HOST:PORT for members of its cluster, 127.0.0.1:PORT (port 0
    /// takes a free one; IPv6 in brackets) or unix:///PATH; may be given again
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// The file with the token that clients over TCP must know; made with a fresh one when it is missing
    /// [default: $CAPSTAN_HOME/coordinator.token]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Hold the authority of the cluster in this directory [default: $CAPSTAN_HOME/cluster, if `capstan cluster init` made one]
    #[arg(long, value_name = "DIR", conflicts_with = "join")]
    pub cluster: Option<PathBuf>,
    /// Join a cluster with this token, at the coordinator that holds its authority. Needed once: later starts find the certificate
    #[arg(long, num_args = 2, value_names = ["TOKEN", "ADDR"])]
    pub join: Option<Vec<String>>,
    /// What this coordinator is called in its cluster [default: this host's name]
    #[arg(long)]
    pub name: Option<Label>,
    /// Run the sessions on the node at this address: https://HOST:PORT for one of its cluster, 127.0.0.1:PORT or unix:///PATH; may be
    /// given again. Without it, on a node in this process
    #[arg(long, value_name = "ADDR")]
    pub node: Vec<String>,
    /// Run the sessions on the nodes that are registered in this etcd: etcd://HOST:2379,HOST2:2379, or etcds:// for TLS. The table `registry` of
    /// config.toml says more [env: CAPSTAN_REGISTRY]
    #[arg(long, value_name = "ETCD", conflicts_with = "node")]
    pub registry: Option<String>,
    /// The file with those nodes' token
    #[arg(long, value_name = "FILE")]
    pub node_token_file: Option<PathBuf>,
    /// Serve /livez, /readyz and /metrics (for Prometheus) over plain HTTP at this address: HOST:PORT, port 0 for a free one
    #[arg(long, value_name = "ADDR")]
    pub monitor: Option<std::net::SocketAddr>,
    /// How long running turns may take to end when the coordinator is stopped, in seconds; those that run on are left to its next start
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub grace: u64,
    /// Take the answers from a script instead of models, in every thread from its first step
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
}

/// How a command reaches a coordinator in another process.
#[derive(Debug, Clone, Default, Args)]
pub struct DaemonArgs {
    /// Use the coordinator at this address: https://HOST:PORT for one of the cluster that was joined, unix:///PATH or 127.0.0.1:PORT. Its models and nodes do the work, and the turn goes on if
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
