use super::*;
use crate::request;

const NOW: u64 = 1_800_000_000_000;
const HOUR: Duration = Duration::from_secs(3600);

fn cluster() -> (tempfile::TempDir, Issuer) {
    let dir = tempfile::tempdir().unwrap();
    init(&dir.path().join("cluster"), "c1".parse().unwrap(), HOUR, NOW).unwrap();
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
    assert_eq!(token.pin, issuer.pin().unwrap());
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
    let again = init(&at, "c2".parse().unwrap(), HOUR, NOW).unwrap_err();
    assert!(matches!(again, ClusterError::Exists(_)), "{again}");
    for file in std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap()) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", file.path().display());
    }
    assert!(matches!(Issuer::open(dir.path()), Err(ClusterError::Missing(_))));
}
