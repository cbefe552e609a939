//! The flags of `capstan apply`.

use super::DaemonArgs;
use clap::Args;
use std::path::PathBuf;

/// `capstan apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "All of the patch is applied, or nothing. Changes of yours that are not committed stay; where the patch meets them, it is merged if \
    that can be done.\n\nExit codes: 0 it is applied, or was already; 1 it does not fit; 2 what was given cannot be used."
)]
pub struct ApplyArgs {
    /// What to apply: what a thread changed, by its id, the beginning of its id, or its name; or a file with a patch, or `-` for standard input
    #[arg(value_name = "THREAD|FILE", required_unless_present = "last", conflicts_with = "last")]
    pub what: Option<String>,
    /// What the thread changed in which something happened last
    #[arg(long)]
    pub last: bool,
    /// Only what this turn changed [default: the whole thread, up to now]
    #[arg(long, value_name = "TURN")]
    pub turn: Option<String>,
    /// Only say whether it fits, and what it would change
    #[arg(long)]
    pub check: bool,
    /// Take it back
    #[arg(short = 'R', long)]
    pub reverse: bool,
    /// Where it does not fit, leave both versions in the file between conflict marks
    #[arg(short = '3', long = "3way")]
    pub three_way: bool,
    /// The repository [default: that of the working directory]
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    pub cd: Option<PathBuf>,
    /// Which coordinator; $CAPSTAN_HOME/coordinator.sock when none is named
    #[command(flatten)]
    pub daemon: DaemonArgs,
}
