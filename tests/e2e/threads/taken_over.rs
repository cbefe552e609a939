//! Two coordinators of two homes on one PostgreSQL store, and one node that both reach over TCP.

use super::{SOON, said, thread_of, threads};
use crate::two_processes::Node;
use capstan_store::open::{StoreLocation, open};
use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::postgres::PostgresServer;
use capstan_tests::process;
use capstan_tests::responses_server::{Answer, ResponsesServer, Script};
use capstan_tests::wait;
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{EventSeq, ThreadId};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// A coordinator with a home of its own.
struct Coordinator {
    home: Home,
    _running: Running,
}

impl Coordinator {
    fn start(server: &ResponsesServer, store: &PostgresServer, node: &Node) -> Self {
        let home = Home::using(server);
        let token = node.home.path().join("far.token");
        let running = Capstan::new(&home)
            .args(["coordinator", "--node", &node.address, "--node-token-file"])
            .arg(token)
            .env(Home::KEY_VARIABLE, Home::KEY)
            .env("CAPSTAN_STORE", &store.url())
            .deadline(std::time::Duration::from_secs(300))
            .start();
        wait::until_true(SOON, "a coordinator that serves", || {
            assert!(!running.stderr().contains("error:"), "{}", running.stderr());
            running.stdout().contains("coordinator listens at ")
        });
        Self { home, _running: running }
    }

    fn socket(&self) -> String {
        format!("unix://{}", self.home.path().join("coordinator.sock").display())
    }

    fn exec(&self, workspace: &Path, words: &[&str]) -> Capstan {
        let exec = Capstan::new(&self.home).args(["exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"]);
        exec.args(["--coordinator", &self.socket()]).args(words.iter().copied()).in_dir(workspace)
    }
}

fn events(store: &PostgresServer, thread: &str) -> Vec<Event> {
    let (location, thread) =
        (StoreLocation::Postgres(store.url().parse().expect("a URL")), thread.parse::<ThreadId>().expect("an id"));
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(async {
        let store = open(&location).await.expect("the store opens");
        let events = store.events(thread, EventSeq(0), 10_000).await.expect("the events can be read");
        store.close().await;
        events
    })
}

#[test]
fn a_thread_that_is_resumed_elsewhere_is_let_go_and_its_old_owner_writes_nothing_more() {
    let store = PostgresServer::start();
    let node = Node::listening("127.0.0.1:0");
    let workspace: PathBuf = node.home.root().join("work");
    fs::create_dir(&workspace).expect("a directory can be made");
    // What the old owner would go on with, if it could.
    let begins = json!({ "cmd": "echo begun > began; until [ -e go ]; do sleep 0.05; done; echo went", "login": false, "yield_time_ms": 30_000 });
    let server = ResponsesServer::start(
        Script::new()
            .then(Answer::calling("wait", "exec_command", &begins))
            .then(Answer::saying("The first has ended."))
            .then(Answer::saying("I have it now.")),
    );
    let (old, new) = (Coordinator::start(&server, &store, &node), Coordinator::start(&server, &store, &node));
    let running = old.exec(&workspace, &["First."]).start();
    let began = workspace.join("began");
    wait::until_true(SOON, "a command that runs", || began.exists());
    let thread = running.until_line("the thread", |line| line["type"] == "thread.started")["thread_id"].clone();
    let thread = thread.as_str().expect("an id").to_owned();

    let resumed = new.exec(&workspace, &["resume", &thread, "Go on."]).run();
    resumed.assert_code(0);
    assert_eq!((thread_of(&resumed), resumed.final_message().as_deref()), (thread.clone(), Some("I have it now.")));
    let stands = events(&store, &thread);

    // The old owner's call ends now, if it had not been ended: it must neither store that nor ask its model.
    fs::write(workspace.join("go"), "").expect("a file can be written");
    let told = running.wait();
    assert_ne!(told.status.code(), Some(0), "{told}");
    assert!(told.stderr.contains("was taken over by another coordinator"), "{told}");
    assert_eq!(events(&store, &thread), stands, "the old owner has written");
    assert_eq!(server.requests().len(), 3, "the old owner has asked its model");
    assert_eq!(said(&server.requests()[2]).last().map(String::as_str), Some("Go on."));
    let ends = stands.iter().filter(|event| event.body.ends_turn()).count();
    assert_eq!(ends, 2, "{stands:#?}");
    assert!(matches!(stands.last().map(|event| &event.body), Some(EventBody::TurnCompleted { .. })));

    // It is asked for the thread again, and does not have it; the new owner does.
    let steered = Capstan::new(&old.home).args(["threads", "steer", &thread, "x", "--coordinator", &old.socket()]).run();
    steered.assert_code(2);
    assert!(steered.stderr.contains("no turn runs in this thread"), "{steered}");
    threads(&new.home, &["show", &thread]).assert_code(0);
    wait::until_true(SOON, "no session left", || process::at(&workspace).is_empty());
}
