use super::*;
use crate::token::JoinToken;
use capstan_types::output::digest::Digest;
use capstan_types::principal::{Role, Serial};
use tokio::task::JoinSet;

fn token(created_ms: u64) -> TokenRecord {
    let token = JoinToken::fresh(Digest([1; 32])).unwrap();
    let secret = token.secret.digest();
    TokenRecord { id: token.id, secret, role: Role::Node, name: None, created_ms, expires_ms: 9 }
}

fn by(name: &str) -> Use {
    Use { by: format!("capstan://c1/node/{name}").parse().unwrap(), at_ms: 5 }
}

fn issued(serial: u8, until_ms: u64) -> Issued {
    let name = "capstan://c1/node/n1".parse().unwrap();
    Issued { serial: Serial::of_bytes(&[serial]), name, at_ms: 1, until_ms, token: None }
}

#[tokio::test]
async fn of_many_who_use_a_token_at_once_one_is_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, token) = (FileLedger::open(dir.path()).unwrap(), token(1));
    ledger.add(token.clone()).await.unwrap();
    let mut all = JoinSet::new();
    for n in 0..32 {
        // Each as another process would.
        let (ledger, id) = (FileLedger::open(dir.path()).unwrap(), token.id.clone());
        all.spawn(async move { ledger.redeem(&id, by(&format!("n{n}"))).await.unwrap() });
    }
    let now = all.join_all().await.into_iter().filter(|redeemed| *redeemed == Redeemed::Now).count();
    assert_eq!(now, 1);
    assert!(ledger.token(&token.id).await.unwrap().unwrap().used.is_some());
}

#[tokio::test]
async fn a_withdrawn_token_is_gone_and_cannot_be_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = FileLedger::open(dir.path()).unwrap();
    let (first, second) = (token(1), token(2));
    ledger.add(second.clone()).await.unwrap();
    ledger.add(first.clone()).await.unwrap();
    let listed: Vec<_> = ledger.tokens().await.unwrap().into_iter().map(|kept| kept.token).collect();
    assert_eq!(listed, [first.clone(), second.clone()]);
    assert_eq!(ledger.redeem(&first.id, by("n1")).await.unwrap(), Redeemed::Now);
    assert!(ledger.withdraw(&first.id).await.unwrap());
    assert!(!ledger.withdraw(&first.id).await.unwrap());
    assert_eq!(ledger.token(&first.id).await.unwrap(), None);
    assert_eq!(ledger.redeem(&first.id, by("n2")).await.unwrap(), Redeemed::Before);
}

#[tokio::test]
async fn what_was_made_and_taken_back_is_kept_and_a_torn_line_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = FileLedger::open(dir.path()).unwrap();
    ledger.note(issued(1, 10)).await.unwrap();
    let file = dir.path().join("issued.jsonl");
    let mut text = fs::read_to_string(&file).unwrap();
    text.push_str("{\"serial\":\"2");
    fs::write(&file, text).unwrap();
    assert_eq!(ledger.issued().await.unwrap(), [issued(1, 10)]);
    ledger.note(issued(3, 10)).await.unwrap();
    assert_eq!(ledger.issued().await.unwrap(), [issued(1, 10), issued(3, 10)]);
    let denied = Denied { serial: Serial::of_bytes(&[1]), at_ms: 3 };
    assert!(ledger.deny(denied.clone()).await.unwrap());
    assert!(!ledger.deny(denied.clone()).await.unwrap());
    assert_eq!(FileLedger::open(dir.path()).unwrap().denied().await.unwrap(), [denied]);
    fs::write(dir.path().join("denied.json"), "[").unwrap();
    let told = ledger.denied().await.unwrap_err().to_string();
    assert!(told.contains("denied.json is damaged"), "{told}");
}
