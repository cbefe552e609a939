//! What such a cluster consists of: its members, their addresses and their directories. Pure.

use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    /// The registry.
    Etcd,
    /// A coordinator.
    Coordinator,
    /// A node.
    Node,
}

/// How members reach each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Network {
    /// By ports of 127.0.0.1.
    Ports,
    /// By a bridge: each node has a network namespace of its own, and all others are at the bridge's own address, from where models can be
    /// reached.
    Namespaces {
        /// The bridge's name, and how the names of all else begin.
        bridge: String,
        /// The first three bytes of all addresses.
        subnet: [u8; 3],
    },
}

/// One process of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    /// Its name, and that of its directory and of its log.
    pub(super) name: String,
    /// What it is.
    pub(super) part: Part,
    /// Where it serves.
    pub(super) address: SocketAddr,
    /// Where it says how it is; for etcd, where it would talk with others of its kind.
    pub(super) second: SocketAddr,
    /// The network namespace in which it is, if not in that of the machine.
    pub(super) namespace: Option<Namespace>,
}

/// A network namespace with one link to the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Namespace {
    /// Its name, as `ip netns` has it.
    pub(super) name: String,
    /// The end of its link at the bridge.
    pub(super) link: String,
}

impl Member {
    /// Where it is asked how it is.
    pub(super) const fn health(&self) -> (SocketAddr, &'static str) {
        match self.part {
            Part::Etcd => (self.address, "/health"),
            Part::Coordinator | Part::Node => (self.second, "/readyz"),
        }
    }

    /// Its address as it is written on a command line.
    pub(super) fn url(&self) -> String {
        match self.part {
            Part::Etcd => format!("etcd://{}", self.address),
            Part::Coordinator | Part::Node => format!("https://{}", self.address),
        }
    }

    /// Its own directory: the home of a daemon, the data of etcd.
    pub(super) fn home(&self, dir: &Path) -> PathBuf {
        homes(dir).join(&self.name)
    }

    /// What it printed.
    pub(super) fn log(&self, dir: &Path) -> PathBuf {
        logs(dir).join(format!("{}.log", self.name))
    }
}

/// Where all members have their directories.
pub(super) fn homes(dir: &Path) -> PathBuf {
    dir.join("members")
}

/// Where what they print is kept.
pub(super) fn logs(dir: &Path) -> PathBuf {
    dir.join("logs")
}

/// So many ports of 127.0.0.1 are needed for a cluster without namespaces.
pub(super) const fn ports_needed(coordinators: u8, nodes: u8) -> usize {
    2 * (1 + coordinators as usize + nodes as usize)
}

/// The members, etcd first, then the coordinators, then the nodes. `ports` are as many as [`ports_needed`] says; with namespaces there are none.
pub(super) fn members(network: &Network, coordinators: u8, nodes: u8, ports: &[u16]) -> Vec<Member> {
    let names = std::iter::once((Part::Etcd, 0))
        .chain((0..coordinators).map(|number| (Part::Coordinator, number)))
        .chain((0..nodes).map(|number| (Part::Node, number)));
    let mut ports = ports.chunks_exact(2);
    names
        .map(|(part, number)| {
            let ports = ports.next().and_then(|pair| Some((*pair.first()?, *pair.get(1)?)));
            member(network, part, number, ports.unwrap_or_else(|| usual_ports(part, number)))
        })
        .collect()
}

const fn usual_ports(part: Part, number: u8) -> (u16, u16) {
    match part {
        Part::Etcd => (2379, 2380),
        Part::Coordinator => (7400 + number as u16, 9400 + number as u16),
        Part::Node => (7401, 9401),
    }
}

fn member(network: &Network, part: Part, number: u8, (first, second): (u16, u16)) -> Member {
    let name = match part {
        Part::Etcd => "etcd".to_owned(),
        Part::Coordinator => format!("coordinator-{}", number + 1),
        Part::Node => format!("node-{}", number + 1),
    };
    let (host, namespace) = match (network, part) {
        (Network::Ports, _) => (Ipv4Addr::LOCALHOST, None),
        (Network::Namespaces { subnet, .. }, Part::Etcd | Part::Coordinator) => (bridge_address(*subnet), None),
        (Network::Namespaces { bridge, subnet: [a, b, c] }, Part::Node) => {
            let namespace = Namespace { name: format!("{bridge}-{name}"), link: format!("{bridge}-{}", number + 1) };
            (Ipv4Addr::new(*a, *b, *c, number.saturating_add(11)), Some(namespace))
        }
    };
    let at = |port| SocketAddr::V4(SocketAddrV4::new(host, port));
    Member { name, part, address: at(first), second: at(second), namespace }
}

/// The address of the bridge itself.
pub(super) const fn bridge_address([a, b, c]: [u8; 3]) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn distinct(members: &[Member]) -> bool {
        let addresses: BTreeSet<_> = members.iter().flat_map(|member| [member.address, member.second]).collect();
        let names: BTreeSet<_> = members.iter().map(|member| &member.name).collect();
        addresses.len() == 2 * members.len() && names.len() == members.len()
    }

    #[test]
    fn no_two_members_share_an_address_or_a_name() {
        let ports: Vec<u16> = (20_000..).take(ports_needed(8, 64)).collect();
        assert!(distinct(&members(&Network::Ports, 8, 64, &ports)));
        let network = Network::Namespaces { bridge: "cap-0a1b".to_owned(), subnet: [10, 251, 7] };
        let all = members(&network, 8, 64, &[]);
        assert!(distinct(&all));
        // The kernel cuts no name short: it refuses those of 16 bytes.
        assert!(all.iter().filter_map(|member| member.namespace.as_ref()).all(|namespace| namespace.link.len() < 16));
        let hosts = all.iter().filter(|member| member.part == Part::Node).map(|member| member.address.ip().to_string());
        assert_eq!(hosts.take(2).collect::<Vec<_>>(), ["10.251.7.11", "10.251.7.12"]);
    }

    #[test]
    fn the_first_members_are_etcd_and_the_coordinator_with_the_authority() {
        let all = members(&Network::Ports, 2, 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
        let told: Vec<_> =
            all.iter().map(|member| format!("{} {} {}", member.name, member.url(), member.health().0.port())).collect();
        let expected = [
            "etcd etcd://127.0.0.1:1 1",
            "coordinator-1 https://127.0.0.1:3 4",
            "coordinator-2 https://127.0.0.1:5 6",
            "node-1 https://127.0.0.1:7 8",
        ];
        assert_eq!(told, expected);
    }
}
