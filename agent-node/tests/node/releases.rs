//! Sessions are let go of, however many at once.

use crate::fixture::{Fixture, eventually};
use capstan_types::id::SessionId;

#[tokio::test(flavor = "multi_thread")]
async fn more_releases_at_once_than_starts_may_wait_get_through() {
    let node = Fixture::start().await;
    let client = node.client();
    let mut sessions = Vec::new();
    for number in 0..4 {
        let mut client = client.clone();
        sessions.extend(client.run(&node.call(&client, &format!("exit {number}"))).await.unwrap().session);
    }
    // Most of them for sessions that are gone, as when an answer was lost: they take the same way.
    sessions.extend((0..1000).map(|_| SessionId::generate()));
    let released = sessions.iter().map(|session| {
        let mut client = client.clone();
        async move { client.release(*session).await }
    });
    let released = futures::future::join_all(released).await;
    assert!(released.iter().all(Result::is_ok), "{:?}", released.iter().find(|released| released.is_err()));
    eventually("all are forgotten", async || client.clone().known().await == 0).await;
}
