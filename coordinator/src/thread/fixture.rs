//! What the tests of threads begin with.

pub(crate) mod moody;

use super::context::TurnContext;
use super::hosts::ThreadHosts;
use super::items::ItemNumbers;
use super::log::{LogTask, open_log};
use crate::models::{ModelClient, OneModel};
use crate::nodes::host::NodeHost;
use crate::nodes::link::NodeLink;
use capstan_proto::transport::pipe;
use capstan_store::open::{StoreLocation, open};
use capstan_store::store::Store;
use capstan_tools::toolbox::Toolbox;
use capstan_types::id::{Epoch, EventSeq, Generation, ThreadId};
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use capstan_types::path::AbsPath;
use capstan_types::policy::{ApprovalPolicy, SandboxMode};
use capstan_types::session::{Authority, WorkspaceFacts};
use capstan_types::thread::{ThreadRecord, ThreadSettings};
use capstan_types::time::UnixMillis;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn path(text: &str) -> AbsPath {
    AbsPath::new(text).unwrap()
}

pub(crate) fn settings() -> ThreadSettings {
    ThreadSettings {
        model: "m".into(),
        provider: "p".into(),
        effort: None,
        cwd: path("/w"),
        node: None,
        sandbox: SandboxMode::WorkspaceWrite,
        profile: None,
        writable_roots: Vec::new(),
        network_access: false,
        exclude_slash_tmp: false,
        approval: ApprovalPolicy::Never,
        environment: BTreeMap::new(),
        instructions: None,
        plan_tool: false,
        cleaning: capstan_types::output::clean::Cleaning::Clean,
        window: capstan_types::window::WindowSettings::default(),
        fallbacks: Vec::new(),
        budgets: capstan_types::budget::Budgets::default(),
        docs: capstan_types::docs::ProjectDocs { max_bytes: 0, ..Default::default() },
        placement: Box::default(),
        placed: None,
        hosts: Vec::new(),
        source: None,
    }
}

pub(super) fn facts() -> WorkspaceFacts {
    WorkspaceFacts {
        root: path("/w"),
        git: false,
        node: "n1".parse().unwrap(),
        temp_dirs: Vec::new(),
        top: None,
        system: "Debian 12, Linux 6.1, x86_64".into(),
    }
}

/// A thread's row in a fresh store.
pub(super) async fn stored_thread() -> (ThreadId, Arc<dyn Store>) {
    let store = open(&StoreLocation::Ephemeral).await.unwrap();
    let id = ThreadId::generate();
    let record = ThreadRecord::begun(id, "c1".into(), settings(), UnixMillis(1));
    store.create_thread(&record).await.unwrap();
    (id, store)
}

/// A thread whose model is `client`, and whose node does not answer.
pub(super) async fn thread_of(client: Arc<dyn ModelClient>) -> (Arc<TurnContext>, LogTask) {
    let (thread, store) = stored_thread().await;
    thread_in(thread, store, client)
}

/// The same of a thread that is stored.
pub(super) fn thread_in(thread: ThreadId, store: Arc<dyn Store>, client: Arc<dyn ModelClient>) -> (Arc<TurnContext>, LogTask) {
    let (log, task) = open_log(thread, Epoch(1), EventSeq(0), Arc::clone(&store));
    let record = NodeRecord {
        id: "n1".parse().unwrap(),
        generation: Generation(1),
        address: NodeAddress::Embedded,
        labels: BTreeMap::new(),
        capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
        stock: capstan_types::stock::Stock::default(),
        fingerprint: Fingerprint::default(),
        journal: JournalState::default(),
        protocol: capstan_proto::protocol::CURRENT,
    };
    let (unserved, _) = pipe();
    let authority = Authority { thread, epoch: Epoch(1), owner: "c1".into() };
    let host = Arc::new(NodeHost::new(NodeLink::by_pipe(record, &unserved), authority));
    let context = TurnContext {
        thread,
        settings: settings(),
        facts: facts(),
        models: Arc::new(OneModel(client)),
        store,
        log,
        hosts: Arc::new(ThreadHosts::alone(thread, Arc::clone(&host), &settings(), &facts())),
        host,
        toolbox: Toolbox::standard(false),
        docs: Arc::default(),
        shelf: None,
        last_saved: Arc::default(),
        sessions: Arc::default(),
        numbers: Arc::new(ItemNumbers::default()),
    };
    (Arc::new(context), task)
}
