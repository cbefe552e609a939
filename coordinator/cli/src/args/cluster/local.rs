//! The flags of `capstan cluster up`, `status` and `down`: a whole cluster on this machine.

use clap::Args;
use std::path::PathBuf;

/// Where such a cluster is.
#[derive(Debug, Default, Args)]
pub struct LocalArgs {
    /// The directory of that cluster [default: $CAPSTAN_HOME/up]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `capstan cluster up`.
#[derive(Debug, Args)]
#[command(
    after_help = "The coordinators take models, providers and keys from config.toml and auth.json of this CAPSTAN_HOME and from this \
    environment, as they are now. etcd is started without TLS and can be reached from this machine only."
)]
pub struct UpArgs {
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub nodes: u8,
    /// How many coordinators; the first holds the cluster's authority
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub coordinators: u8,
    /// Where.
    #[command(flatten)]
    pub place: LocalArgs,
    /// Put all on free ports of 127.0.0.1
    #[arg(long, conflicts_with = "netns")]
    pub ports: bool,
    /// Put each node into a network namespace, on a bridge [default: where that is allowed, else --ports]
    #[arg(long)]
    pub netns: bool,
    /// Take the answers from a script instead of models, in every thread from its first step
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
}

/// `capstan cluster down`.
#[derive(Debug, Args)]
pub struct DownArgs {
    /// Where.
    #[command(flatten)]
    pub place: LocalArgs,
    /// Leave the files, with the logs
    #[arg(long)]
    pub keep: bool,
}
