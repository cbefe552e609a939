//! The flags of `capstan nodes` and `capstan events`, in kubectl's conventions.

use super::DaemonArgs;
use capstan_types::selector::Selector;
use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;

/// `capstan nodes`.
#[derive(Debug, Args)]
pub struct NodesArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: NodesCommand,
}

/// What to do with nodes.
#[derive(Debug, Subcommand)]
pub enum NodesCommand {
    /// Lists the nodes, and those that are gone for which something is ordered
    #[command(visible_alias = "ls")]
    List(ListNodesArgs),
    /// Tells all that is known of nodes: conditions, room, what is reserved, sessions, last events
    Describe(ChosenNodesArgs),
    /// Shows what nodes have in use, as they told it last
    Top(ListNodesArgs),
    /// Sets labels, as KEY=VALUE, and takes them away, as KEY-; they go before the node's own
    Label(ChangeNodesArgs),
    /// Sets taints, as KEY=VALUE:EFFECT or KEY:EFFECT, and takes them away, as KEY:EFFECT- or KEY-
    Taint(ChangeNodesArgs),
    /// Closes nodes to new work; what is there goes on
    Cordon(CloseNodesArgs),
    /// Opens nodes again, and ends drains
    Uncordon(CloseNodesArgs),
    /// Closes nodes, waits until what runs there has ended, and tells what became of it
    Drain(DrainNodesArgs),
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table with more columns
    Wide,
    /// One JSON object
    Json,
    /// The same as YAML
    Yaml,
    /// Names alone
    Name,
}

/// Which nodes.
#[derive(Debug, Clone, Default, Args)]
pub struct WhichNodesArgs {
    /// The nodes
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// The nodes with these labels, in kubectl's grammar: 'zone=b,!spot'
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<Selector>,
}

/// `capstan nodes list` and `capstan nodes top`.
#[derive(Debug, Args)]
pub struct ListNodesArgs {
    /// Which nodes
    #[command(flatten)]
    pub which: WhichNodesArgs,
    /// The form
    #[arg(short, long, value_name = "FORM")]
    pub output: Option<Output>,
    /// Leave out the heads of the columns
    #[arg(long)]
    pub no_headers: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan nodes describe`.
#[derive(Debug, Args)]
pub struct ChosenNodesArgs {
    /// Which nodes
    #[command(flatten)]
    pub which: WhichNodesArgs,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan nodes label` and `capstan nodes taint`.
#[derive(Debug, Args)]
pub struct ChangeNodesArgs {
    /// The nodes, and then what to set and to take away
    #[arg(value_name = "NODE|CHANGE", required = true)]
    pub words: Vec<String>,
    /// The nodes with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<Selector>,
    /// Replace other values of labels
    #[arg(long)]
    pub overwrite: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan nodes cordon` and `capstan nodes uncordon`.
#[derive(Debug, Args)]
pub struct CloseNodesArgs {
    /// Which nodes
    #[command(flatten)]
    pub which: WhichNodesArgs,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan nodes drain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Turns that run go on to their end, with the calls that they make; new ones begin elsewhere or wait. Interrupting this command \
    leaves the drain on, with what was asked for; `capstan nodes uncordon` ends it. Exit codes: 0 drained, 1 something still runs or the drain was \
    called off, 2 wrong input."
)]
pub struct DrainNodesArgs {
    /// Which nodes
    #[command(flatten)]
    pub which: WhichNodesArgs,
    /// How long what runs may take, such as 90s or 10m [default: as long as it takes]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// Cancel what still runs then; its outcome says that the drain ended it
    #[arg(long, requires = "deadline", conflicts_with = "wait")]
    pub force: bool,
    /// Go on waiting for it
    #[arg(long, requires = "deadline")]
    pub wait: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// `capstan events`.
#[derive(Debug, Args)]
#[command(
    after_help = "These are the events that the coordinator has seen in this life. It keeps the last 2048, and says how many it has forgotten; what \
    operators did is kept with the nodes' orders, the last 16 acts of each node."
)]
pub struct EventsArgs {
    /// Which nodes
    #[command(flatten)]
    pub which: WhichNodesArgs,
    /// Go on with what happens
    #[arg(short, long)]
    pub watch: bool,
    /// The form: json prints one object a line
    #[arg(short, long, value_name = "FORM")]
    pub output: Option<EventOutput>,
    /// Only what happened within this time, such as 10m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Leave out the heads of the columns
    #[arg(long)]
    pub no_headers: bool,
    /// Which coordinator
    #[command(flatten)]
    pub daemon: DaemonArgs,
}

/// The form of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EventOutput {
    /// One JSON object a line
    Json,
}

/// A time such as `500ms`, `90s`, `10m`, `2h` or `1d`; a number alone is in seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write one such as 90s, 10m or 2h");
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit);
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).filter(|ms| *ms <= 365 * 86_400_000).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_a_bound() {
        let ms = |text| duration(text).map(|time| time.as_millis()).ok();
        assert_eq!(
            ["0s", "90", "90s", "10m", "2h", "1d", "5ms"].map(ms),
            [0, 90_000, 90_000, 600_000, 7_200_000, 86_400_000, 5].map(Some)
        );
        assert_eq!(["", "s", "1y", "-1s", "1.5s", "366d", "99999999999999999999s"].map(ms), [None; 7]);
        assert_eq!(duration("soon").unwrap_err(), "`soon` is no time; write one such as 90s, 10m or 2h");
    }
}
