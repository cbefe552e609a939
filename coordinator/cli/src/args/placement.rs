//! What `capstan exec` asks of the node that is to hold a new thread's workspace.

use capstan_types::hosts::HostsAsked;
use capstan_types::label::LabelKey;
use capstan_types::placement::{Packing, PlacementSettings, Priority};
use capstan_types::resources::{self, Resources};
use capstan_types::selector::Selector;
use capstan_types::stock::{amount, held};
use capstan_types::taint::Toleration;
use clap::Args;

/// The flags. They count where a thread begins; a thread that there is stays on its node.
#[derive(Debug, Clone, Default, Args)]
pub struct PlacementArgs {
    /// Only a node with these labels, such as 'arch=x86_64,zone!=b,disk in (ssd,nvme),!spot'
    #[arg(long, value_name = "SELECTOR", help_heading = "Placement of a new thread")]
    pub selector: Option<Selector>,
    /// A node with this taint will do too: KEY=VALUE:EFFECT, KEY:EFFECT, KEY=VALUE, KEY, or '*' for all; may be given again
    #[arg(long, value_name = "TAINT", help_heading = "Placement of a new thread")]
    pub toleration: Vec<Toleration>,
    /// Processors to reserve there, such as 2, 0.5 or 500m
    #[arg(long, value_name = "COUNT", value_parser = cpu, help_heading = "Placement of a new thread")]
    pub cpu: Option<u64>,
    /// Memory to reserve there, such as 512Mi or 2Gi
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Placement of a new thread")]
    pub memory: Option<u64>,
    /// Disk to reserve there, such as 20Gi
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Placement of a new thread")]
    pub disk: Option<u64>,
    /// Pieces of something that nodes count to reserve there, such as gpu=1; may be given again
    #[arg(long, value_name = "NAME=N", value_parser = amount, help_heading = "Placement of a new thread")]
    pub resource: Vec<(LabelKey, u64)>,
    /// Rather a node that holds this: a repository's mirror, or a warm cache, by the name that the node gives it (capstan node --holds NAME)
    #[arg(long, value_name = "NAME", value_parser = held, help_heading = "Placement of a new thread")]
    pub near: Option<String>,
    /// Take the most loaded node with room, so that others become empty [default: the least loaded]
    #[arg(long, help_heading = "Placement of a new thread")]
    pub pack: bool,
    /// The batch that the thread is of: its threads share a node only where they must, and share what room becomes free
    #[arg(long, value_name = "NAME", help_heading = "Placement of a new thread")]
    pub batch: Option<String>,
    /// Where it stands when it has to wait for room: 0 is last, 9 first [default: 5]
    #[arg(long, value_name = "0-9", value_parser = priority, help_heading = "Placement of a new thread")]
    pub priority: Option<Priority>,
    /// Let the model use several hosts: names, each with a directory of its own where it needs one (web-1,web-2:/srv/app; the first is home), a
    /// selector (zone=a,!spot), or '*' for all [default: hosts of config.toml]
    #[arg(long, value_name = "NAMES|SELECTOR", help_heading = "Placement of a new thread")]
    pub hosts: Option<HostsAsked>,
}

impl PlacementArgs {
    /// What is asked.
    #[must_use]
    pub fn settings(&self) -> PlacementSettings {
        PlacementSettings {
            selector: self.selector.clone().unwrap_or_default(),
            tolerations: self.toleration.clone(),
            resources: Resources {
                cpu_milli: self.cpu.unwrap_or(0),
                memory_bytes: self.memory.unwrap_or(0),
                disk_bytes: self.disk.unwrap_or(0),
                custom: self.resource.iter().cloned().collect(),
            },
            packing: if self.pack { Packing::Pack } else { Packing::Spread },
            batch: self.batch.clone(),
            priority: self.priority.unwrap_or_default(),
            near: self.near.clone(),
            hosts: self.hosts.clone(),
        }
    }
}

fn cpu(text: &str) -> Result<u64, String> {
    resources::cpu(text).ok_or_else(|| "write a number of processors, such as 2, 0.5 or 500m".to_owned())
}

fn size(text: &str) -> Result<u64, String> {
    resources::size(text).ok_or_else(|| "write a size, such as 512Mi or 2Gi".to_owned())
}

fn priority(text: &str) -> Result<Priority, String> {
    let number = text.parse::<u8>().map_err(|_| "write a number from 0 (last) to 9 (first)".to_owned())?;
    Priority::try_from(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use capstan_types::placement::PlacementSettings;
    use clap::Parser;

    fn asked(flags: &[&str]) -> Result<PlacementSettings, String> {
        let words = ["capstan", "exec", "x"].iter().chain(flags);
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Exec(args) = cli.command else { panic!("it is exec") };
        Ok(args.placement.settings())
    }

    #[test]
    fn what_is_asked_is_read_as_kubectl_reads_it() {
        assert_eq!(asked(&[]), Ok(PlacementSettings::default()));
        let asked = asked(&[
            "--selector=zone in (a,b),!spot",
            "--toleration=gpu:NoSchedule",
            "--toleration=*",
            "--cpu=500m",
            "--memory=2Gi",
            "--priority=9",
        ]);
        let asked = asked.unwrap();
        assert_eq!(asked.selector.to_string(), "zone in (a,b),!spot");
        assert_eq!(asked.tolerations.len(), 2);
        assert_eq!((asked.resources.cpu_milli, asked.resources.memory_bytes, u8::from(asked.priority)), (500, 2 << 30, 9));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (flag, said) in [
            ("--selector=a b", "is not a part of a selector"),
            ("--toleration=a:Never", "has no effect"),
            ("--cpu=many", "500m"),
            ("--memory=much", "512Mi"),
            ("--priority=10", "0 (last) to 9 (first)"),
            ("--hosts=a,,b", "is no host"),
            ("--disk=much", "512Mi"),
            ("--resource=gpu", "write NAME=N"),
            ("--near=", "write a name"),
            ("--hosts=a b", "not a part of a selector"),
        ] {
            assert!(asked(&[flag]).unwrap_err().contains(said), "{flag}");
        }
    }
}
