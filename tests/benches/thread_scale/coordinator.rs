//! A coordinator in this process, and a client of it.

use crate::node::Node;
use crate::stage::{Bench, LINE, TURN, settings};
use capstan_coordinator::models::{OneModel, open_script};
use capstan_coordinator::{
    CheckpointRules, CoordinatorConfig, GitCredentials, RegistryLocation, Running, StaticNode, StoreLocation, open_registry,
    serve,
};
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::threads_client::ThreadsClient;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_types::thread::OnInterrupt;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;
use tonic::transport::Channel;

/// A coordinator and a client of it. Clones share both.
#[derive(Clone)]
pub(crate) struct Coordinator {
    running: Arc<Mutex<Option<Running>>>,
    channel: Channel,
}

impl Coordinator {
    /// Starts one on the store of that name, whose model makes so many calls and is done then.
    pub(crate) async fn start(bench: &Bench, store: &str, calls: usize) -> Self {
        let script = bench.state.join(format!("{store}.json"));
        let call = |number: usize| {
            let arguments = json!({"cmd": "/bin/true", "login": false, "yield_time_ms": 30_000});
            json!([{"type": "call", "id": format!("c{number}"), "tool": "exec_command", "arguments": arguments}])
        };
        let answers = (0..calls).map(call).chain([json!([{"type": "message", "text": "done"}])]);
        let usage = json!({"input_tokens": 100, "output_tokens": 10});
        let steps: Vec<_> = answers.map(|answer| json!({"expect": [], "answer": answer, "usage": usage})).collect();
        std::fs::write(&script, json!({"version": 1, "steps": steps}).to_string()).expect("a file can be written");
        let config = CoordinatorConfig {
            name: format!("{LINE}{store}"),
            line: Some(LINE.to_owned()),
            grace: std::time::Duration::ZERO,
            at_end: OnInterrupt::KillSessions,
            listen: Vec::new(),
            token: None,
            membership: None,
            issuer: None,
            store: StoreLocation::Sqlite(bench.state.join(format!("{store}.db"))),
            registry: open_registry(&RegistryLocation::Embedded).await.expect("the registry opens"),
            blobs: None,
            checkpoints: CheckpointRules::default(),
            git: GitCredentials::default(),
            models: Arc::new(OneModel(open_script(&script).expect("it is a script"))),
            pipes: Vec::new(),
            nodes: vec![StaticNode { address: bench.node.record.address.clone(), token: Some(Node::token()) }],
            node_token: None,
        };
        let running = serve(config).await.expect("the coordinator starts");
        let channel = running.pipe().channel();
        Self { running: Arc::new(Mutex::new(Some(running))), channel }
    }

    /// A new thread.
    pub(crate) async fn thread(&self, workspace: &Path) -> String {
        let settings = settings(workspace).into();
        let request = wire::CreateRequest { settings: Some(settings), thread_id: String::new() };
        let made = ThreadsClient::new(self.channel.clone()).create(request).await.expect("a thread is made");
        made.into_inner().thread_id
    }

    /// Starts a turn.
    pub(crate) async fn begin(&self, thread: &str) {
        let request = wire::StartTurnRequest { thread_id: thread.to_owned(), text: "go".to_owned(), ..Default::default() };
        TurnsClient::new(self.channel.clone()).start(request).await.expect("a turn is started");
    }

    /// Resumes a thread, and gives the number of its last event.
    pub(crate) async fn resume(&self, thread: &str) -> u64 {
        let request = wire::ResumeRequest { thread_id: thread.to_owned() };
        let resumed = ThreadsClient::new(self.channel.clone()).resume(request).await.expect("it is resumed");
        resumed.into_inner().last_seq
    }

    /// Waits for the end of a turn that began after an event.
    pub(crate) async fn ended(&self, thread: &str, after_seq: u64) {
        let request = wire::SubscribeRequest { thread_id: thread.to_owned(), after_seq, until_idle: false, stored_only: false };
        let mut events = ThreadsClient::new(self.channel.clone()).subscribe(request).await.expect("it is told").into_inner();
        while let Some(event) = events.message().await.expect("an event comes") {
            match event.body {
                Some(wire::event::Body::TurnFailed(message)) => panic!("a turn failed: {message}"),
                Some(wire::event::Body::TurnCompleted(_)) if event.turn_id != TURN.to_string() => return,
                _ => {}
            }
        }
    }

    /// Runs a turn to its end.
    pub(crate) async fn turn(&self, thread: &str) {
        self.begin(thread).await;
        self.ended(thread, 0).await;
    }

    pub(crate) async fn stop(&self) {
        if let Some(running) = self.running.lock().await.take() {
            running.shutdown().await;
        }
    }
}
