use super::*;
use crate::request;

const NOW: u64 = 1_800_000_000_000;
const HOUR: Duration = Duration::from_secs(3600);

fn cluster() -> (tempfile::TempDir, Issuer) {
    let dir = tempfile::tempdir().unwrap();
    init(&dir.path().join("cluster"), "c1".parse().unwrap(), (HOUR, Records::Here), NOW).unwrap();
    let issuer = Issuer::open(&dir.path().join("cluster")).unwrap();
    (dir, issuer)
}

fn newcomer(token: &JoinToken, role: Role) -> Newcomer {
    let (_, request) = request::make().unwrap();
    Newcomer { token: token.id.clone(), secret: token.secret.clone(), role, name: "n1".parse().unwrap(), request }
}

#[tokio::test]
async fn a_token_lets_one_newcomer_in_and_its_certificate_is_renewed() {
    let (_dir, issuer) = cluster();
    let token = issuer.token(Role::Node, None, HOUR, NOW).await.unwrap();
    assert_eq!(token.pin, issuer.pin(NOW).unwrap());
    let broken = Newcomer { request: b"nonsense".to_vec(), ..newcomer(&token, Role::Node) };
    assert!(matches!(issuer.join(broken, NOW).await, Err(IssueError::Authority(_))), "and the token is not used up");
    let chain = issuer.join(newcomer(&token, Role::Node), NOW).await.unwrap();
    let joined = certificate::read(&chain[0]).unwrap();
    assert_eq!((joined.name.to_string().as_str(), joined.not_after_ms), ("capstan://c1/node/n1", NOW + 3_600_000));
    let again = issuer.join(newcomer(&token, Role::Node), NOW).await.unwrap_err();
    assert!(matches!(again, IssueError::Token(TokenRefusal::Used)), "{again}");
    let (_, request) = request::make().unwrap();
    let renewed = certificate::read(&issuer.renew(&joined, &request, NOW + 9).await.unwrap()[0]).unwrap();
    assert!(renewed.name == joined.name && renewed.serial != joined.serial);
    let issued = issuer.ledger().issued().await.unwrap();
    assert!(issued.len() == 2 && issued.iter().all(|issued| issued.token.as_ref() == Some(&token.id)));
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let (_dir, issuer) = cluster();
    let token = issuer.token(Role::Client, None, HOUR, NOW).await.unwrap();
    let stranger = Newcomer { secret: JoinToken::fresh(token.pin).unwrap().secret, ..newcomer(&token, Role::Client) };
    assert!(matches!(issuer.join(stranger, NOW).await, Err(IssueError::Token(TokenRefusal::Unknown))));
    let other_role = issuer.join(newcomer(&token, Role::Coordinator), NOW).await;
    assert!(matches!(other_role, Err(IssueError::Token(TokenRefusal::Role { .. }))));
    let late = issuer.join(newcomer(&token, Role::Client), NOW + 3_600_000).await;
    assert!(matches!(late, Err(IssueError::Token(TokenRefusal::Expired))));
    issuer.ledger().withdraw(&token.id).await.unwrap();
    assert!(matches!(issuer.join(newcomer(&token, Role::Client), NOW).await, Err(IssueError::Token(TokenRefusal::Unknown))));
    let (_other_dir, other) = cluster();
    let foreign = Peer { name: "capstan://c2/node/n1".parse().unwrap(), ..peer_of(&other).await };
    assert!(matches!(issuer.renew(&foreign, &request::make().unwrap().1, NOW).await, Err(IssueError::Foreign(_))));
}

async fn peer_of(issuer: &Issuer) -> Peer {
    let name = "capstan://c1/coordinator/c".parse().unwrap();
    certificate::read(&issuer.own(&name, &request::make().unwrap().1, NOW).await.unwrap()[0]).unwrap()
}

#[tokio::test]
async fn a_cluster_is_made_once_and_its_files_are_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, _issuer) = cluster();
    let at = dir.path().join("cluster");
    let again = init(&at, "c2".parse().unwrap(), (HOUR, Records::Here), NOW).unwrap_err();
    assert!(matches!(again, ClusterError::Exists(_)), "{again}");
    for file in std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap()) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", file.path().display());
    }
    assert!(matches!(Issuer::open(dir.path()), Err(ClusterError::Missing(_))));
}

#[tokio::test]
async fn a_name_that_somebody_has_is_given_again_only_by_a_token_for_that_name() {
    let (_dir, issuer) = cluster();
    let any = async || issuer.token(Role::Node, None, HOUR, NOW).await.unwrap();
    let first = issuer.join(newcomer(&any().await, Role::Node), NOW).await.unwrap();
    let stolen = any().await;
    let refused = issuer.join(newcomer(&stolen, Role::Node), NOW).await.unwrap_err();
    assert!(matches!(refused, IssueError::Token(TokenRefusal::Taken(_))), "{refused}");
    let named = issuer.token(Role::Node, Some("n1".parse().unwrap()), HOUR, NOW).await.unwrap();
    let second = issuer.join(newcomer(&named, Role::Node), NOW).await.unwrap();
    for chain in [first, second] {
        let serial = certificate::read(&chain[0]).unwrap().serial;
        issuer.ledger().deny(Denied { serial, at_ms: NOW }).await.unwrap();
    }
    issuer.join(newcomer(&stolen, Role::Node), NOW).await.expect("nobody has the name any more, and the token was not used up");
}

#[tokio::test]
async fn a_certificate_that_was_taken_back_is_not_renewed() {
    let (_dir, issuer) = cluster();
    let peer = peer_of(&issuer).await;
    issuer.ledger().deny(Denied { serial: peer.serial.clone(), at_ms: NOW }).await.unwrap();
    let refused = issuer.renew(&peer, &request::make().unwrap().1, NOW).await.unwrap_err();
    assert!(matches!(refused, IssueError::Distrusted(Distrust::Denied)), "{refused}");
    let denied: Vec<_> = issuer.ledger().denied().await.unwrap().into_iter().map(|denied| denied.serial).collect();
    let issued = issuer.ledger().issued().await.unwrap();
    assert!(issued.len() == 2 && issued.iter().all(|issued| denied.contains(&issued.serial)), "what was made is of no use");
}

#[tokio::test]
async fn an_authority_takes_over_from_another_and_members_hear_of_it_before() {
    let (dir, issuer) = cluster();
    let (hour, more) = (3_600_000, 300_000);
    let first = issuer.pin(NOW).unwrap();
    let known = issuer.trust(&Trust::default(), NOW).await.unwrap();
    let (signs, ends) = issuer.rotate(NOW).unwrap();
    assert_eq!((signs, ends), (NOW + hour + more, NOW + 2 * (hour + more)));
    assert!(matches!(issuer.rotate(signs), Err(ClusterError::Changing)));
    let heard = |trust: Trust, by: &Trust| signed_trust::open(&trust.proof, &"c1".parse().unwrap(), &by.authorities).unwrap();
    let both = heard(issuer.trust(&known, NOW).await.unwrap(), &known);
    assert_eq!((both.authorities.len(), issuer.pin(signs - 1).unwrap()), (2, first));
    // Another process finds the same.
    let other = Issuer::open(&dir.path().join("cluster")).unwrap();
    assert_ne!(other.pin(signs).unwrap(), first);
    let one = heard(issuer.trust(&both, ends).await.unwrap(), &both);
    assert_eq!((one.authorities.as_slice(), one.revision), (&both.authorities[1..], both.revision + 1));
    assert!(!dir.path().join("cluster/ca.key").exists(), "the key of who is gone is gone");
    assert!(is_there(&dir.path().join("cluster")));
    issuer.rotate(ends).expect("the next change may begin");
}
