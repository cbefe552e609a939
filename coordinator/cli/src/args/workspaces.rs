//! The flags of `capstan workspaces`.

use super::{DaemonArgs, Output};
use clap::{Args, Subcommand};
use std::time::Duration;

/// `capstan workspaces`.
#[derive(Debug, Args)]
#[command(
    after_help = "These are the workspaces that nodes made of their sources. A directory that a thread uses in place is none, and is never touched."
)]
pub struct WorkspacesArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: WorkspacesCommand,
}

/// What to do with workspaces.
#[derive(Debug, Subcommand)]
pub enum WorkspacesCommand {
    /// Lists the workspaces that nodes made: whose, where, of what, how large, when they were used last, and by what they are used
    #[command(visible_alias = "ls")]
    List(ListWorkspacesArgs),
    /// Tells all that is known of the workspaces of threads
    Describe(DescribeWorkspacesArgs),
    /// Removes the workspaces of threads with all that is in them; what is in use stays
    Rm(RemoveWorkspacesArgs),
    /// Removes what nobody needs: what was cut off, and of workspaces those that --budget and --idle name
    Gc(SweepWorkspacesArgs),
}

/// `capstan workspaces list`.
#[derive(Debug, Args)]
pub struct ListWorkspacesArgs {
    /// Only those on this node
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// In this form
    #[arg(short, long, value_name = "FORM")]
    pub output: Option<Output>,
    /// Without the line of heads
    #[arg(long)]
    pub no_headers: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan workspaces describe`.
#[derive(Debug, Args)]
pub struct DescribeWorkspacesArgs {
    /// The threads, by their ids or the beginnings of these
    #[arg(value_name = "THREAD", required = true)]
    pub threads: Vec<String>,
    /// Only those on this node
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan workspaces rm`.
#[derive(Debug, Args)]
pub struct RemoveWorkspacesArgs {
    /// The threads, by their ids or the beginnings of these
    #[arg(value_name = "THREAD", required = true)]
    pub threads: Vec<String>,
    /// Only those on this node
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Also those that are in use
    #[arg(short, long)]
    pub force: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan workspaces gc`.
#[derive(Debug, Args)]
pub struct SweepWorkspacesArgs {
    /// Only on this node
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Those that were not used for longest go, until all others of a node take at most this: 20GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub budget: Option<u64>,
    /// Those go that were not used for so long: 90s, 30m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub idle: Option<Duration>,
    /// Only say what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

fn size(text: &str) -> Result<u64, String> {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];
    let read = units.iter().find_map(|(unit, bits)| Some((text.strip_suffix(unit)?.trim(), *bits)));
    let read = read.and_then(|(number, bits)| number.parse::<u64>().ok()?.checked_mul(1 << bits));
    read.filter(|bytes| *bytes > 0).ok_or_else(|| "it is not a size: a whole number with its unit, as 20GiB or 500MiB".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let read = units.iter().find_map(|(unit, seconds)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*seconds));
    read.filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(|| "it is not a time: a whole number with its unit, as 90s, 30m, 12h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!((size("20GiB"), size("1 KiB"), size("7B")), (Ok(20 << 30), Ok(1024), Ok(7)));
        assert_eq!(
            (time("90s"), time("2h"), time("7d")),
            (Ok(Duration::from_secs(90)), Ok(Duration::from_secs(7200)), Ok(Duration::from_secs(604_800)))
        );
        for bad in ["", "5", "0B", "-1GiB", "99999999999TiB", "1.5GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        for bad in ["", "5", "0s", "x", "1w"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
