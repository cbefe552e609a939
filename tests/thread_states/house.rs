//! What cases stand on: a node that stays, and coordinators that come and go.

use crate::answers::Answers;
use capstan_coordinator::models::OneModel;
use capstan_coordinator::{
    CheckpointRules, CoordinatorConfig, GitCredentials, RegistryLocation, Running, StaticNode, StoreLocation, open_registry,
    serve,
};
use capstan_tests::capstan::{Capstan, Home, Running as Program};
use capstan_tests::process::Signal;
use capstan_tests::wait;
use capstan_types::node::NodeAddress;
use capstan_types::thread::OnInterrupt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tonic::transport::Channel;

/// How long a node may take to serve on a busy machine.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// How long a task may take to come to a place where it can be stopped.
const DIES_WITHIN: Duration = Duration::from_secs(5);

/// Whose threads each coordinator goes on with.
pub(crate) const LINE: &str = "states-";

/// A coordinator with all its tasks.
pub(crate) struct Life {
    runtime: Option<Runtime>,
    running: Option<Running>,
}

impl Life {
    pub(crate) fn channel(&self) -> Channel {
        self.running.as_ref().expect("it lives").pipe().channel()
    }

    /// Every task of it stops where it is. Nothing is said to anybody, and nothing more is stored.
    pub(crate) async fn die(mut self) {
        let (runtime, running) = (self.runtime.take().expect("it lives"), self.running.take());
        let dead = tokio::task::spawn_blocking(move || {
            runtime.shutdown_timeout(DIES_WITHIN);
            drop(running);
        });
        dead.await.expect("it dies");
    }

    /// It ends as an operator would have it end.
    pub(crate) async fn end(mut self) {
        let running = self.running.take().expect("it lives");
        let runtime = self.runtime.as_ref().expect("it lives");
        runtime.spawn(running.shutdown()).await.expect("it ends");
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

pub(crate) struct House {
    runtime: Runtime,
    home: Home,
    node: Program,
    lives: AtomicU32,
}

impl House {
    pub(crate) fn new() -> Self {
        let home = Home::new();
        home.configure("ownerless_timeout_ms = 20000");
        let at = format!("unix://{}", home.root().join("node.sock").display());
        let node =
            Capstan::new(&home).args(["node", "--name", "far", "--listen", &at]).deadline(Duration::from_secs(7200)).start();
        wait::until_true(SERVES_WITHIN, "a node that serves", || node.stdout().contains("listens at"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self { runtime: runtime.expect("threads can be started"), home, node, lives: AtomicU32::new(0) }
    }

    pub(crate) fn block_on<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    pub(crate) fn root(&self) -> &Path {
        self.home.root()
    }

    /// A coordinator over the store in a directory.
    pub(crate) async fn coordinator(&self, dir: &Path, answers: &Answers) -> Life {
        let life = self.lives.fetch_add(1, Ordering::Relaxed);
        let config = CoordinatorConfig {
            name: format!("{LINE}{life}"),
            line: Some(LINE.to_owned()),
            grace: Duration::ZERO,
            at_end: OnInterrupt::KillSessions,
            listen: Vec::new(),
            token: None,
            store: StoreLocation::Sqlite(dir.join("capstan.db")),
            registry: open_registry(&RegistryLocation::Embedded).await.expect("the registry opens"),
            blobs: None,
            checkpoints: CheckpointRules::default(),
            git: GitCredentials::default(),
            models: Arc::new(OneModel(Arc::new(answers.clone()))),
            pipes: Vec::new(),
            node_token: None,
            membership: None,
            issuer: None,
            nodes: vec![StaticNode {
                address: NodeAddress::Unix(self.home.root().join("node.sock").display().to_string()),
                token: None,
            }],
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads can be started");
        let running = runtime.spawn(serve(config)).await.expect("it does not panic").expect("the coordinator starts");
        Life { runtime: Some(runtime), running: Some(running) }
    }

    /// Ends the node as an operator would.
    pub(crate) fn end(self) {
        self.node.send(Signal::Terminate);
        self.node.wait().assert_code(0);
    }
}
