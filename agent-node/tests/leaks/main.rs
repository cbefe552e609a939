//! What many sessions leave behind in the node: nothing. Alone in its process, because it counts what the process has.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../node/fixture.rs"]
#[expect(dead_code, clippy::disallowed_methods, reason = "the other tests use the rest of it")]
mod fixture;

use fixture::{Fixture, children, eventually, exited};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sessions_leave_no_descriptor_no_child_and_no_directory() {
    const AT_ONCE: usize = 8;
    let node = Fixture::start().await;
    let mut client = node.client();
    let first = client.run(&node.call(&client, "true")).await.unwrap();
    client.release(first.session.unwrap()).await.unwrap();
    eventually("the first session is gone", async || node.session_dirs().is_empty() && children().len() == 2).await;
    // Two children remain: the runner's server, and the one that looks through directories.
    let before = descriptors();
    for _ in 0..200 / AT_ONCE {
        let sessions = (0..AT_ONCE).map(|number| {
            let (mut client, call) = (client.clone(), node.call(&client, &format!("echo {number}; exit {number}")));
            async move {
                let ran = client.run(&call).await.unwrap();
                assert_eq!(ran.output, format!("{number}\n"));
                assert_eq!(ran.end, exited(i32::try_from(number).unwrap()));
                client.release(ran.session.unwrap()).await.unwrap();
            }
        });
        futures::future::join_all(sessions).await;
    }
    let nothing = async || node.session_dirs().is_empty() && children().len() == 2 && descriptors() <= before;
    eventually("nothing is left", nothing).await;
    assert_eq!(client.known().await, 0);
    node.running.shutdown().await;
    assert_eq!(children(), Vec::<u32>::new(), "the runner's server was left behind");
}
