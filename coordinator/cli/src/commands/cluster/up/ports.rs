//! Ports that nobody has.

use super::layout::Member;
use crate::failure::Failure;
use std::net::{SocketAddr, TcpListener};

/// Ports that the system gives to nobody by itself, so that a member that ends finds its own again.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// So many ports of 127.0.0.1 that are free now.
pub(super) fn free(count: usize) -> Result<Vec<u16>, Failure> {
    // Two clusters that come up at once begin at different places.
    let begin = usize::try_from(std::process::id()).unwrap_or(0).wrapping_mul(97) % RANGE.len();
    let all = RANGE.skip(begin).chain(RANGE.take(begin));
    let free: Vec<u16> = all.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).take(count).collect();
    if free.len() == count {
        return Ok(free);
    }
    let sentence = format!("fewer than {count} ports of 127.0.0.1 between {} and {} are free", RANGE.start, RANGE.end);
    Err(Failure::bad_input(sentence).hint("ask for fewer nodes, or end what uses the ports"))
}

/// That nobody listens where a member of this machine's own network is going to.
pub(super) fn all_free(members: &[Member]) -> Result<(), Failure> {
    let here = members.iter().filter(|member| member.namespace.is_none());
    here.flat_map(|member| [member.address, member.second].map(|at| (member, at)))
        .try_for_each(|(member, at)| is_free(at, &member.name))
}

fn is_free(at: SocketAddr, name: &str) -> Result<(), Failure> {
    TcpListener::bind(at).map(drop).map_err(|error| {
        Failure::bad_input(format!("{name} cannot listen at {at}: {error}"))
            .hint("another program has that port; `ss -ltnp` shows which. With --ports, free ones are taken")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::cluster::up::layout::{Network, members};
    use std::collections::BTreeSet;

    #[test]
    fn free_ports_are_as_many_as_asked_for_and_each_is_another() {
        let ports: BTreeSet<u16> = free(20).unwrap().into_iter().collect();
        assert_eq!(ports.len(), 20);
        assert!(free(20_000).unwrap_err().sentence.contains("are free"));
    }

    #[test]
    fn a_port_that_is_taken_is_told_with_the_member_that_wants_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut ports = free(5).unwrap();
        ports.insert(2, port);
        let failure = all_free(&members(&Network::Ports, 1, 1, &ports)).unwrap_err();
        assert!(failure.sentence.starts_with(&format!("coordinator-1 cannot listen at 127.0.0.1:{port}: ")), "{failure:?}");
    }
}
