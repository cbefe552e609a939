//! A real node with the real runner, and a client of it.

use capstan_agent_node::{
    CheckpointDir, JournalSync, NodeConfig, RunnerPath, Running, StateDir, Watermarks, base_environment, default_ceiling, serve,
};
use capstan_proto::token::Token;
use capstan_proto::transport::channel;
use capstan_proto::wire::node as wire;
use capstan_registry::{EmbeddedRegistry, Registry};
use capstan_types::id::{Attempt, CallId, Epoch, SessionId, ThreadId};
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::SessionLimits;
use capstan_types::node::{Capacity, NodeAddress};
use capstan_types::output::{Piece, Seq};
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, SandboxPolicy};
use capstan_types::session::{Authority, SessionEvent, StartCall};
use capstan_types::time::Millis;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

pub(crate) const TOKEN: &str = "0123456789abcdef-token";

/// The longest that anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node with a workspace.
pub(crate) struct Fixture {
    pub(crate) running: Running,
    pub(crate) registry: Arc<EmbeddedRegistry>,
    pub(crate) config: NodeConfig,
    pub(crate) workspace: AbsPath,
    pub(crate) dir: TempDir,
}

/// The runner that was built beside this test.
pub(crate) fn runner() -> RunnerPath {
    let deps = std::env::current_exe().unwrap();
    let program = deps.parent().and_then(Path::parent).unwrap().join("capstan-sandbox");
    assert!(program.exists(), "{} is missing: run `cargo build -p capstan-sandbox` first", program.display());
    RunnerPath::program(program)
}

pub(crate) fn config(dir: &Path) -> NodeConfig {
    NodeConfig {
        id: "n1".parse().unwrap(),
        state_dir: StateDir::Own(dir.join("state")),
        checkpoints: CheckpointDir::WithState,
        runner: runner(),
        prepared: 1,
        listen: vec![],
        token: None,
        advertise: None,
        dial_out: Vec::new(),
        dial_out_token: None,
        membership: None,
        capacity: Capacity { sessions: 16, cpus: 1, memory_bytes: 1 << 30 },
        stock: capstan_types::stock::Stock::default(),
        watermarks: Watermarks::default(),
        labels: [("zone".to_owned(), "test".to_owned())].into(),
        base_env: base_environment(|name| std::env::var(name).ok()),
        hidden: vec![],
        ceiling: default_ceiling(),
        root_allowed: true,
        blobs: None,
        strongest: Level::Full,
        journal: JournalSync::On,
    }
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::with(|_, _| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut NodeConfig, &Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("work");
        std::fs::create_dir(&workspace).unwrap();
        let workspace = AbsPath::new(workspace.canonicalize().unwrap()).unwrap();
        let mut config = config(dir.path());
        change(&mut config, dir.path());
        let registry = Arc::new(EmbeddedRegistry::empty());
        let running = serve(config.clone(), Arc::<EmbeddedRegistry>::clone(&registry) as Arc<dyn Registry>).await.unwrap();
        Self { running, registry, config, workspace, dir }
    }

    /// The node's next life.
    pub(crate) async fn again(self) -> Self {
        let Self { running, config, workspace, dir, .. } = self;
        running.shutdown().await;
        let registry = Arc::new(EmbeddedRegistry::empty());
        let running = serve(config.clone(), Arc::<EmbeddedRegistry>::clone(&registry) as Arc<dyn Registry>).await.unwrap();
        Self { running, registry, config, workspace, dir }
    }

    /// A client over the pipe, as the owner of a new thread.
    pub(crate) fn client(&self) -> Client {
        Client::over(self.running.pipe().channel(), None)
    }

    /// A client over the first listener.
    pub(crate) fn remote(&self, token: Option<&str>) -> Client {
        Client::over(channel(&self.running.addresses()[0]).unwrap(), token)
    }

    pub(crate) fn session_dirs(&self) -> Vec<PathBuf> {
        let dir = self.dir.path().join("state/sessions");
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.workspace.as_path().join(name)
    }

    /// A call of a shell script in the workspace, which it may write.
    pub(crate) fn call(&self, client: &Client, script: &str) -> StartCall {
        StartCall {
            authority: client.authority.clone(),
            call: CallId::generate(),
            attempt: Attempt(1),
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: self.workspace.clone(),
            env: [].into(),
            stdio: Stdio::PipesNoInput,
            policy: SandboxPolicy::workspace_write(vec![self.workspace.clone()]),
            limits: SessionLimits { ownerless: Millis(20_000), ..SessionLimits::default() },
            from: Seq(0),
        }
    }
}

type Wire = InterceptedService<Channel, Carry>;

/// Puts the token, if there is one, into each request.
#[derive(Clone)]
pub(crate) struct Carry(Option<Token>);

impl tonic::service::Interceptor for Carry {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        match &self.0 {
            Some(token) => token.attach(request),
            None => Ok(request),
        }
    }
}

/// The coordinator's side: one thread's owner.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) exec: wire::exec_client::ExecClient<Wire>,
    pub(crate) workspace: wire::workspace_client::WorkspaceClient<Wire>,
    pub(crate) node: wire::node_client::NodeClient<Wire>,
    pub(crate) operate: wire::operate_client::OperateClient<Wire>,
    pub(crate) files: wire::files_client::FilesClient<Wire>,
    pub(crate) authority: Authority,
}

impl Client {
    pub(crate) fn over(channel: Channel, token: Option<&str>) -> Self {
        let carry = Carry(token.map(|token| Token::parse(token).unwrap()));
        Self {
            exec: wire::exec_client::ExecClient::with_interceptor(channel.clone(), carry.clone()),
            workspace: wire::workspace_client::WorkspaceClient::with_interceptor(channel.clone(), carry.clone())
                .max_decoding_message_size(16 << 20),
            node: wire::node_client::NodeClient::with_interceptor(channel.clone(), carry.clone()),
            operate: wire::operate_client::OperateClient::with_interceptor(channel.clone(), carry.clone()),
            files: wire::files_client::FilesClient::with_interceptor(channel, carry)
                .max_encoding_message_size(16 << 20)
                .max_decoding_message_size(16 << 20),
            authority: Authority { thread: ThreadId::generate(), epoch: Epoch(1), owner: "tester".into() },
        }
    }

    pub(crate) fn who(&self) -> Option<wire::Authority> {
        Some((&self.authority).into())
    }

    pub(crate) async fn start(&mut self, call: &StartCall) -> Result<Events, Status> {
        let events = soon(self.exec.start(wire::StartRequest::from(call))).await?.into_inner();
        Ok(Events { events })
    }

    pub(crate) async fn attach(&mut self, session: SessionId, from: u64) -> Result<Events, Status> {
        let request =
            wire::AttachRequest { authority: self.who(), session_id: session.to_string(), from_seq: from, whole: false };
        let events = soon(self.exec.attach(request)).await?.into_inner();
        Ok(Events { events })
    }

    /// Attaches to what was kept whole.
    pub(crate) async fn attach_whole(&mut self, session: SessionId, from: u64) -> Result<Events, Status> {
        let request = wire::AttachRequest { authority: self.who(), session_id: session.to_string(), from_seq: from, whole: true };
        let events = soon(self.exec.attach(request)).await?.into_inner();
        Ok(Events { events })
    }

    /// Starts a call and reads it to its end.
    pub(crate) async fn run(&mut self, call: &StartCall) -> Result<Ran, Status> {
        self.start(call).await?.rest().await
    }

    pub(crate) async fn write(&mut self, session: SessionId, data: &[u8], close: bool) -> Result<(), Status> {
        let data = data.to_vec().into();
        let request = wire::WriteRequest { authority: self.who(), session_id: session.to_string(), data, close };
        soon(self.exec.write(request)).await.map(drop)
    }

    pub(crate) async fn kill(&mut self, session: SessionId) -> Result<(), Status> {
        let request = wire::KillRequest { authority: self.who(), session_id: session.to_string(), by: "the test".into() };
        soon(self.exec.kill(request)).await.map(drop)
    }

    pub(crate) async fn release(&mut self, session: SessionId) -> Result<(), Status> {
        let request = wire::ReleaseRequest { authority: self.who(), session_id: session.to_string() };
        soon(self.exec.release(request)).await.map(drop)
    }

    /// How many sessions the node says that it knows.
    pub(crate) async fn known(&mut self) -> u32 {
        soon(self.node.describe(wire::DescribeRequest {})).await.unwrap().into_inner().sessions
    }
}

/// A stream of events.
pub(crate) struct Events {
    events: Streaming<wire::SessionEvent>,
}

/// A session that was read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) session: Option<SessionId>,
    pub(crate) output: String,
    pub(crate) end: SessionEnd,
}

impl Events {
    pub(crate) const fn over(events: Streaming<wire::SessionEvent>) -> Self {
        Self { events }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<SessionEvent>, Status> {
        Ok(soon(self.events.message()).await?.map(|event| event.try_into().unwrap()))
    }

    /// The session that a stream of Start begins with.
    pub(crate) async fn started(&mut self) -> SessionId {
        match self.next().await.unwrap() {
            Some(SessionEvent::Started { session, .. }) => session,
            other => panic!("{other:?} instead of Started"),
        }
    }

    /// Reads output until it holds `text`.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let mut output = String::new();
        while !output.contains(text) {
            match self.next().await.unwrap() {
                Some(SessionEvent::Output(Piece::Bytes { bytes, .. })) => output += &String::from_utf8_lossy(&bytes),
                other => panic!("{other:?} after {output:?}, while waiting for {text:?}"),
            }
        }
        output
    }

    pub(crate) async fn rest(&mut self) -> Result<Ran, Status> {
        let (mut session, mut output) = (None, String::new());
        loop {
            match self.next().await? {
                Some(SessionEvent::Started { session: started, .. }) => session = Some(started),
                Some(SessionEvent::Denied(_)) => {}
                Some(SessionEvent::Output(Piece::Bytes { bytes, .. })) => output += &String::from_utf8_lossy(&bytes),
                Some(SessionEvent::Output(Piece::Gap { bytes, .. })) => output += &format!("[{bytes} bytes missing]"),
                Some(SessionEvent::Ended { end, .. }) => {
                    assert_eq!(self.next().await?, None, "something follows the end");
                    return Ok(Ran { session, output, end });
                }
                None => panic!("the stream ended without the end, after {output:?}"),
            }
        }
    }
}

/// Waits for a future that must not take long.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happened for 20 s")
}

/// Waits until something that sends no event has become true.
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not become true that {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A number of seconds that nobody else sleeps for: a mark in a command line by which a process is found from outside of its session,
/// which has process numbers of its own.
pub(crate) fn marker() -> String {
    format!("1000.{}", SessionId::generate().to_string().bytes().map(|byte| char::from(b'0' + byte % 10)).collect::<String>())
}

/// The processes that have `marker` in their command line, by the host's numbers.
pub(crate) fn marked(marker: &str) -> Vec<u32> {
    let bears = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.windows(marker.len()).any(|part| part == marker.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(bears).collect()
}

/// The one process with the marker, once it is there.
pub(crate) async fn bearer(marker: &str) -> u32 {
    eventually("one process bears the mark", async || marked(marker).len() == 1).await;
    marked(marker)[0]
}

/// Whether a process lives; a zombie does not.
pub(crate) fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z')))
}

/// The parent of a process: the holder, for a session's program.
pub(crate) fn parent(pid: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The children of this process, alive or not.
pub(crate) fn children() -> Vec<u32> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()).collect()
}

/// Sends SIGKILL.
pub(crate) fn kill_process(pid: u32) {
    let done = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(done.success());
}

pub(crate) fn tcp() -> capstan_proto::transport::Listen {
    "127.0.0.1:0".parse().unwrap()
}

pub(crate) fn is_tcp(address: &NodeAddress) -> bool {
    matches!(address, NodeAddress::Tcp(address) if !address.ends_with(":0"))
}

pub(crate) fn exited(code: i32) -> SessionEnd {
    SessionEnd::Exited { code }
}
