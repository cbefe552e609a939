//! Two sides shake hands in memory, in every way that one of them could be wrong.

use super::*;
use crate::authority::{self, Authority};
use crate::credentials::Credentials;
use crate::time_now::now_ms;
use crate::trust::Trust;
use crate::{certificate, request};
use capstan_types::principal::Role;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use rustls_pki_types::ServerName;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

struct Cluster(Authority);

impl Cluster {
    fn new(name: &str) -> Self {
        let (key, certificate) = authority::make(&name.parse().unwrap(), now_ms()).unwrap();
        Self(Authority::new(&key, certificate).unwrap())
    }

    fn member_at(&self, name: &str, at_ms: u64) -> Credentials {
        let (key, request) = request::make().unwrap();
        let leaf = self.0.issue(&request, &name.parse().unwrap(), at_ms, HOUR).unwrap();
        Credentials::new(key, vec![leaf, self.0.certificate().clone()]).unwrap()
    }

    fn member(&self, name: &str) -> Credentials {
        self.member_at(name, now_ms())
    }

    fn trust(&self) -> Arc<Trust> {
        Arc::new(Trust { authorities: vec![self.0.certificate().clone()], ..Trust::default() })
    }
}

fn node(id: Option<&str>) -> Expected {
    Expected { role: Role::Node, id: id.map(|id| id.parse().unwrap()) }
}

/// What each side says at the end: nothing, if it is content.
fn shake(server: (Arc<ServerConfig>, RefusedSlot), client: (Arc<ClientConfig>, RefusedSlot)) -> [Option<String>; 2] {
    let mut one = ServerConnection::new(server.0).unwrap();
    let mut other = ClientConnection::new(client.0, ServerName::try_from("member.invalid").unwrap()).unwrap();
    let (mut said, mut heard) = (None, None);
    while one.is_handshaking() || other.is_handshaking() || one.wants_write() || other.wants_write() {
        let mut pipe = Vec::new();
        while other.wants_write() {
            other.write_tls(&mut pipe).unwrap();
        }
        while said.is_none() && !pipe.is_empty() && one.read_tls(&mut pipe.as_slice()).unwrap() > 0 {
            said = one.process_new_packets().err();
            pipe.clear();
        }
        let mut pipe = Vec::new();
        while one.wants_write() {
            one.write_tls(&mut pipe).unwrap();
        }
        while heard.is_none() && !pipe.is_empty() && other.read_tls(&mut pipe.as_slice()).unwrap() > 0 {
            heard = other.process_new_packets().err();
            pipe.clear();
        }
        if said.is_some() || heard.is_some() && !other.wants_write() {
            break;
        }
    }
    let told = |slot: RefusedSlot, error: Option<rustls::Error>| {
        slot.take().map(|refused| refused.sentence).or_else(|| error.map(|error| format!("{error}")))
    };
    [told(server.1, said), told(client.1, heard)]
}

fn between(server: &Credentials, client: &Credentials, trust: &Arc<Trust>, expected: Expected) -> [Option<String>; 2] {
    let serving = server_config(server, trust, Callers::Members).unwrap();
    shake(serving, client_config(client, trust, expected).unwrap())
}

#[test]
fn members_believe_each_other_and_nobody_else() {
    let (cluster, other) = (Cluster::new("c1"), Cluster::new("c1"));
    let (node_one, caller) = (cluster.member("capstan://c1/node/n1"), cluster.member("capstan://c1/coordinator/c"));
    assert_eq!(between(&node_one, &caller, &cluster.trust(), node(Some("n1"))), [None, None]);
    let [_, another] = between(&node_one, &caller, &cluster.trust(), node(Some("n2")));
    assert!(another.unwrap().starts_with("it proved to be `capstan://c1/node/n1`, and not the node `n2`"));
    let [stranger, _] = between(&node_one, &other.member("capstan://c1/coordinator/c"), &cluster.trust(), node(None));
    assert!(stranger.unwrap().starts_with("its certificate was not made by this cluster's authority"));
    let [_, impostor] = between(&cluster.member("capstan://c1/client/x"), &caller, &cluster.trust(), node(None));
    assert!(impostor.unwrap().contains("it proved to be `capstan://c1/client/x`, and not a node"));
}

#[test]
fn a_certificate_is_believed_in_its_time_only() {
    let cluster = Cluster::new("c1");
    let (node_one, trust) = (cluster.member("capstan://c1/node/n1"), cluster.trust());
    let old = cluster.member_at("capstan://c1/coordinator/c", now_ms() - 7_200_000);
    let early = cluster.member_at("capstan://c1/coordinator/c", now_ms() + 7_200_000);
    let [old, _] = between(&node_one, &old, &trust, node(None));
    assert!(old.as_ref().unwrap().starts_with("its certificate was valid until 20"), "{old:?}");
    let [early, _] = between(&node_one, &early, &trust, node(None));
    let early = early.unwrap();
    assert!(early.starts_with("its certificate is valid from 20") && early.contains("set the clocks of both hosts"), "{early}");
}

#[test]
fn a_certificate_that_was_taken_back_is_refused_on_both_sides() {
    let cluster = Cluster::new("c1");
    let (node_one, caller) = (cluster.member("capstan://c1/node/n1"), cluster.member("capstan://c1/coordinator/c"));
    for denied in [&node_one, &caller] {
        let denied = [denied.own().serial.clone()].into();
        let trust = Arc::new(Trust { denied, ..(*cluster.trust()).clone() });
        let said = between(&node_one, &caller, &trust, node(None));
        assert!(said.iter().flatten().any(|said| said.starts_with("its certificate was revoked")), "{said:?}");
    }
}

#[test]
fn while_one_authority_takes_over_from_another_members_of_both_are_believed() {
    let (old, new) = (Cluster::new("c1"), Cluster::new("c1"));
    let both =
        Arc::new(Trust { authorities: [&old, &new].map(|cluster| cluster.0.certificate().clone()).into(), ..Trust::default() });
    let (server, client) = (old.member("capstan://c1/node/n1"), new.member("capstan://c1/coordinator/c"));
    assert_eq!(between(&server, &client, &both, node(None)), [None, None]);
    assert_eq!(between(&new.member("capstan://c1/node/n1"), &client, &both, node(None)), [None, None]);
}

#[test]
fn a_newcomer_looks_at_the_pin_and_is_let_in_without_a_certificate_only_where_anybody_is() {
    let (cluster, other) = (Cluster::new("c1"), Cluster::new("c1"));
    let coordinator = cluster.member("capstan://c1/coordinator/c");
    let serving = |callers| server_config(&coordinator, &cluster.trust(), callers).unwrap();
    let pin = |cluster: &Cluster| pinned_config(certificate::pin(cluster.0.certificate()).unwrap()).unwrap();
    assert_eq!(shake(serving(Callers::Anybody), pin(&cluster)), [None, None]);
    let [_, wrong] = shake(serving(Callers::Anybody), pin(&other));
    assert!(wrong.unwrap().starts_with("its authority is not the one that the join token names"));
    let [without, _] = shake(serving(Callers::Members), pin(&cluster));
    assert!(without.unwrap().contains("no certificates"), "a listener for members let somebody in");
    let node_serves = server_config(&cluster.member("capstan://c1/node/n"), &cluster.trust(), Callers::Anybody).unwrap();
    let [_, node] = shake(node_serves, pin(&cluster));
    assert!(node.unwrap().contains("and not a coordinator"), "a node can collect join tokens");
}
