//! etcd's own users, roles and certificates, as ARCHITECTURE.md tells operators to make them.

use super::{at, record, until};
use crate::conformance::given;
use crate::coordinator::CoordinatorRecord;
use crate::error::{EtcdError, RegistryError};
use crate::etcd::EtcdRegistry;
use crate::etcd::location::{EtcdLocation, Login, Tls};
use crate::etcd_cluster::EtcdCluster;
use crate::registry::Registry as _;
use crate::standing::Standing;
use capstan_types::orders::Change;
use std::fs;

const ROLES: [&[&str]; 13] = [
    &["user", "add", "root:pw"],
    &["user", "grant-role", "root", "root"],
    &["role", "add", "capstan-coordinator"],
    &["role", "grant-permission", "--prefix=true", "capstan-coordinator", "read", "/capstan/v1/nodes/"],
    &["role", "grant-permission", "--prefix=true", "capstan-coordinator", "readwrite", "/capstan/v1/coordinators/"],
    &["role", "grant-permission", "--prefix=true", "capstan-coordinator", "readwrite", "/capstan/v1/orders/"],
    &["user", "add", "coordinator:pw-c"],
    &["user", "grant-role", "coordinator", "capstan-coordinator"],
    &["role", "add", "capstan-node-a"],
    &["role", "grant-permission", "capstan-node-a", "readwrite", "/capstan/v1/nodes/a"],
    &["user", "add", "a:pw-a"],
    &["user", "grant-role", "a", "capstan-node-a"],
    &["auth", "enable"],
];

fn as_user(location: EtcdLocation, user: &str, password: &str) -> EtcdRegistry {
    let login = Some(Login { user: user.to_owned(), password: password.to_owned() });
    EtcdRegistry::open(&EtcdLocation { login, ..location }).unwrap()
}

fn etcd_error<T: std::fmt::Debug>(result: Result<T, RegistryError>) -> EtcdError {
    match result {
        Err(RegistryError::Etcd(error)) => error,
        other => panic!("not what was expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_nodes_user_has_its_own_key_and_nothing_else() {
    let cluster = EtcdCluster::start(1);
    ROLES.iter().for_each(|words| drop(cluster.ctl(words)));
    let node = as_user(at(&cluster), "a", "pw-a");
    let coordinator = as_user(at(&cluster), "coordinator", "pw-c");
    let _held = node.register(record("a", 1)).await.unwrap();
    assert_eq!(coordinator.nodes().await, [record("a", 1)]);
    let here = CoordinatorRecord { id: "c/1".to_owned(), addresses: Vec::new(), version: String::new() };
    let _announced = coordinator.announce(here.clone()).await.unwrap();
    assert_eq!(coordinator.coordinators().await.unwrap(), std::slice::from_ref(&here));
    // Not another's key, not the list, not the coordinators.
    assert!(matches!(etcd_error(node.register(record("b", 1)).await), EtcdError::Denied(_)));
    assert!(matches!(etcd_error(node.reach().await), EtcdError::Denied(_)));
    assert!(matches!(etcd_error(node.coordinators().await), EtcdError::Denied(_)));
    assert!(matches!(etcd_error(node.announce(CoordinatorRecord { id: "d".to_owned(), ..here }).await), EtcdError::Denied(_)));
    // Not what operators order for it, however it is asked for.
    assert!(matches!(etcd_error(node.order(&"a".parse().unwrap(), &Change::Cordon, &given()).await), EtcdError::Denied(_)));
    assert!(node.orders().await.borrow().is_empty());
    let ordered = coordinator.order(&"a".parse().unwrap(), &Change::Cordon, &given()).await.unwrap();
    assert_eq!(coordinator.orders().await.borrow().get(&"a".parse().unwrap()), Some(&ordered));
    // And a coordinator is no node.
    let said = etcd_error(coordinator.register(record("a", 2)).await).to_string();
    assert!(said.contains("does not allow this process to write /capstan/v1/nodes/a; give its user a role"), "{said}");
    // Tokens are in the members' memory: after a restart everybody logs in again.
    cluster.kill(0);
    cluster.start_again(0);
    until("a fresh view", async || coordinator.standing().stale.is_none() && coordinator.nodes().await == [record("a", 1)]).await;
}

#[tokio::test]
async fn with_roles_of_an_older_release_nothing_is_ordered_and_nodes_are_seen() {
    let cluster = EtcdCluster::start(1);
    ROLES.iter().filter(|words| !words.contains(&"/capstan/v1/orders/")).for_each(|words| drop(cluster.ctl(words)));
    let (node, coordinator) = (as_user(at(&cluster), "a", "pw-a"), as_user(at(&cluster), "coordinator", "pw-c"));
    let _held = node.register(record("a", 1)).await.unwrap();
    assert!(coordinator.orders().await.borrow().is_empty());
    assert_eq!(coordinator.nodes().await, [record("a", 1)]);
    assert_eq!(coordinator.standing(), Standing::default());
    let said = etcd_error(coordinator.order(&"a".parse().unwrap(), &Change::Cordon, &given()).await).to_string();
    assert!(said.contains("does not allow this process to read /capstan/v1/orders/a"), "{said}");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let cluster = EtcdCluster::start(1);
    ROLES.iter().for_each(|words| drop(cluster.ctl(words)));
    let said = etcd_error(as_user(at(&cluster), "a", "wrong").register(record("a", 1)).await).to_string();
    assert!(said.contains("the user or the password is wrong") && !said.contains("pw"), "{said}");
    let nobody = EtcdRegistry::open(&at(&cluster)).unwrap();
    let said = etcd_error(nobody.register(record("a", 1)).await).to_string();
    assert!(said.contains("it asks for a user, and none is named"), "{said}");
    let open = EtcdCluster::start(1);
    let said = etcd_error(as_user(at(&open), "a", "pw-a").register(record("a", 1)).await).to_string();
    assert!(said.contains("it has no users switched on"), "{said}");
}

#[tokio::test]
async fn certificates_are_shown_and_asked_for() {
    let cluster = EtcdCluster::with_certificates();
    let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap();
    let certificates = cluster.certificates();
    let authorities = read(certificates.authority());
    let own = |name: &str| Some((read(certificates.of(name, "crt")), read(certificates.of(name, "key"))));
    let opened = |tls: Option<Tls>| EtcdRegistry::open(&EtcdLocation { tls, ..at(&cluster) });
    let registry = opened(Some(Tls { authorities: authorities.clone(), own: own("a") })).unwrap();
    let _held = registry.register(record("a", 1)).await.unwrap();
    assert_eq!(registry.nodes().await, [record("a", 1)]);
    // An authority that is not etcd's.
    let stranger = opened(Some(Tls { authorities: read(certificates.of("b", "crt")), own: own("a") })).unwrap();
    assert!(matches!(etcd_error(stranger.reach().await), EtcdError::Tls(_)));
    // No certificate, where one is asked for.
    let bare = opened(Some(Tls { authorities, own: None })).unwrap();
    let error = etcd_error(bare.reach().await);
    assert!(matches!(error, EtcdError::Tls(_) | EtcdError::Away { .. }), "{error:?}");
    assert!(matches!(etcd_error(opened(None)), EtcdError::Tls(_)));
}
