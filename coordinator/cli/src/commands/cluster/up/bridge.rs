//! The network of a cluster with namespaces: a bridge on this machine, and for each node a network namespace with one link to it.
//!
//! Nothing of it is routed: what is in a namespace reaches the bridge's address and the other nodes, and nothing else.

use super::layout::{Member, Namespace, Network, bridge_address};
use super::process::tool;
use crate::failure::Failure;
use crate::programs;
use crate::surroundings::Surroundings;
use capstan_identity::random;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Programs that make such a network and start what is in it.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    ip: PathBuf,
    /// `nsenter`. `ip netns exec` would hide the machine's control groups from what it starts.
    pub(super) enter: PathBuf,
}

impl Tools {
    /// Those of this machine.
    pub(super) fn find(surroundings: &Surroundings) -> Result<Self, Failure> {
        let tool = |name: &str, package: &str| {
            programs::find(name, surroundings).ok_or_else(|| {
                Failure::bad_input(format!("network namespaces need the program `{name}`, which is not in PATH"))
                    .hint(format!("install it (Debian's package {package}), or use --ports"))
            })
        };
        Ok(Self { ip: tool("ip", "iproute2")?, enter: tool("nsenter", "util-linux")? })
    }

    /// Whether this user may make network namespaces: tried, since being root is not enough in a container.
    pub(super) async fn allowed(&self) -> Result<(), Failure> {
        if !rustix::process::geteuid().is_root() {
            return Err(Failure::bad_input("network namespaces can be made by root only").hint("use --ports, or become root"));
        }
        let name = format!("cap-try-{}", std::process::id());
        let made = self.ip(&["netns", "add", &name]).await;
        let _ = self.ip(&["netns", "del", &name]).await;
        made.map(drop).map_err(|error| refused(&error))
    }

    /// A network whose names and addresses nobody has now.
    pub(super) async fn choose(&self) -> Result<Network, Failure> {
        let (routes, links) = (self.ip(&["-4", "-o", "route", "show"]).await, self.ip(&["-4", "-o", "addr", "show"]).await);
        let used = [routes.map_err(|error| refused(&error))?, links.map_err(|error| refused(&error))?].concat();
        let bytes = random::bytes::<3>().map_err(|error| refused(&error.to_string()))?;
        let subnet = free_subnet(&used, bytes[2]).ok_or_else(|| refused("no addresses of 10.251.0.0/16 are free"))?;
        Ok(Network::Namespaces { bridge: format!("cap-{:02x}{:02x}", bytes[0], bytes[1]), subnet })
    }

    /// Makes it.
    pub(super) async fn make(&self, network: &Network, members: &[Member]) -> Result<(), Failure> {
        let Network::Namespaces { bridge, subnet } = network else { return Ok(()) };
        let own = format!("{}/24", bridge_address(*subnet));
        self.all(&[
            &["link", "add", bridge, "type", "bridge"],
            &["addr", "add", &own, "dev", bridge],
            &["link", "set", bridge, "up"],
        ])
        .await?;
        for member in members {
            if let Some(Namespace { name, link }) = &member.namespace {
                let address = format!("{}/24", member.address.ip());
                self.all(&[
                    &["netns", "add", name],
                    &["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name],
                    &["link", "set", link, "master", bridge, "up"],
                    &["-n", name, "addr", "add", &address, "dev", "eth0"],
                    &["-n", name, "link", "set", "eth0", "up"],
                    &["-n", name, "link", "set", "lo", "up"],
                ])
                .await?;
            }
        }
        Ok(())
    }

    /// Removes what there is of it.
    pub(super) async fn remove(&self, network: &Network, members: &[Member]) -> Result<(), Failure> {
        let Network::Namespaces { bridge, .. } = network else { return Ok(()) };
        for Namespace { name, link } in members.iter().filter_map(|member| member.namespace.as_ref()) {
            if place(name).exists() {
                self.all(&[&["netns", "del", name]]).await?;
            }
            self.unlink(link).await?;
        }
        self.unlink(bridge).await
    }

    async fn unlink(&self, link: &str) -> Result<(), Failure> {
        let there = || Path::new("/sys/class/net").join(link).exists();
        if !there() {
            return Ok(());
        }
        // The link of a namespace that was removed goes by itself, perhaps at this moment.
        match self.all(&[&["link", "del", link]]).await {
            Err(failure) if there() => Err(failure),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn all(&self, lines: &[&[&str]]) -> Result<(), Failure> {
        for line in lines {
            self.ip(line).await.map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    async fn ip(&self, arguments: &[&str]) -> Result<String, String> {
        tool(&self.ip, arguments).await
    }
}

/// Where a network namespace of that name is.
pub(super) fn place(name: &str) -> PathBuf {
    Path::new("/run/netns").join(name)
}

fn refused(why: &str) -> Failure {
    Failure::bad_input(format!("the cluster's network cannot be made: {why}")).hint("use --ports")
}

/// The first of 10.251.0.0/24, 10.251.1.0/24, …, beginning with `from`, that `used` does not speak of.
fn free_subnet(used: &str, from: u8) -> Option<[u8; 3]> {
    let words = used.split(|c: char| c.is_whitespace() || c == '/').filter_map(|word| word.strip_prefix("10.251."));
    let used: BTreeSet<u8> = words.filter_map(|rest| rest.split('.').next()?.parse().ok()).collect();
    (from..=u8::MAX).chain(0..from).find(|third| !used.contains(third)).map(|third| [10, 251, third])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_somebody_has_are_passed_over() {
        let used = "default via 10.0.0.1 dev eth0\n10.251.7.0/24 dev cap-1 proto kernel src 10.251.7.1\n10.251.255.4 dev x\n";
        assert_eq!(free_subnet(used, 6), Some([10, 251, 6]));
        assert_eq!(free_subnet(used, 7), Some([10, 251, 8]));
        assert_eq!(free_subnet(used, 255), Some([10, 251, 0]));
    }

    #[test]
    fn without_any_that_is_free_there_is_none() {
        let used: Vec<String> = (0..=255).map(|third| format!("10.251.{third}.0/24")).collect();
        assert_eq!(free_subnet(&used.join("\n"), 3), None);
    }
}
