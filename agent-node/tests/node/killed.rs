//! A node that is killed with -9 and started again.

use crate::fixture::{Client, bearer, config, eventually, exited, kill_process, lives, marked, marker, parent, soon};
use capstan_agent_node::serve;
use capstan_proto::convert::listing;
use capstan_proto::transport::{Listen, channel};
use capstan_proto::wire::node as wire;
use capstan_registry::EmbeddedRegistry;
use capstan_types::id::{Attempt, CallId, Epoch};
use capstan_types::launch::{SessionEnd, SessionLimit, Stdio, TermSize};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::node::NodeAddress;
use capstan_types::output::{Piece, Seq};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::{Listed, ListedState, SessionEvent, StartCall};
use capstan_types::time::Millis;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio as ProcessStdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tonic::Code;

/// Names the directory of a node that this test program is to be.
const BE_A_NODE: &str = "CAPSTAN_TEST_BE_A_NODE";

/// Not a test: what a child of this program does that is a node of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_of_this_program_is_a_node() {
    let Some(dir) = std::env::var_os(BE_A_NODE).map(PathBuf::from) else { return };
    let mut config = config(&dir);
    config.listen = vec![Listen::Unix(dir.join("n.sock"))];
    config.capacity.sessions = 256;
    let _node = serve(config, Arc::new(EmbeddedRegistry::empty())).await.unwrap();
    std::future::pending::<()>().await;
}

/// A node in a process of its own, with a workspace, that can be killed and started again.
struct Mortal {
    dir: TempDir,
    workspace: AbsPath,
    process: Child,
}

fn spawn(dir: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let name = "killed::a_child_of_this_program_is_a_node";
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture"]).env(BE_A_NODE, dir).stdin(ProcessStdio::null()).stdout(ProcessStdio::null());
    command.spawn().unwrap()
}

impl Mortal {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("work");
        std::fs::create_dir(&workspace).unwrap();
        let workspace = AbsPath::new(workspace.canonicalize().unwrap()).unwrap();
        let process = spawn(dir.path());
        let node = Self { dir, workspace, process };
        node.serves().await;
        node
    }

    async fn serves(&self) {
        eventually("the node serves", async || self.client().node.describe(wire::DescribeRequest {}).await.is_ok()).await;
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::fs::remove_file(self.dir.path().join("n.sock")).unwrap();
    }

    async fn start_again(&mut self) {
        self.process = spawn(self.dir.path());
        self.serves().await;
    }

    async fn reborn(&mut self) {
        self.kill();
        self.start_again().await;
    }

    fn client(&self) -> Client {
        Client::over(channel(&NodeAddress::Unix(self.dir.path().join("n.sock").display().to_string())).unwrap(), None)
    }

    /// The same owner of the same thread, by a new connection.
    fn again(&self, client: &Client) -> Client {
        Client { authority: client.authority.clone(), ..self.client() }
    }

    fn call(&self, client: &Client, script: &str) -> StartCall {
        StartCall {
            authority: client.authority.clone(),
            call: CallId::generate(),
            attempt: Attempt(1),
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: self.workspace.clone(),
            env: [].into(),
            stdio: Stdio::PipesNoInput,
            policy: SandboxPolicy::workspace_write(vec![self.workspace.clone()]),
            limits: SessionLimits { ownerless: Millis(60_000), ..SessionLimits::default() },
            from: Seq(0),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.workspace.as_path().join(name)
    }

    fn session_dirs(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("state/sessions")).unwrap().count()
    }

    async fn list(&self) -> Vec<Listed> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = wire::ListRequest { page_size: 2, page_token };
            let page = soon(self.client().exec.list(request)).await.unwrap().into_inner();
            let (sessions, next) = listing::sessions(page).unwrap();
            all.extend(sessions);
            match next {
                Some(next) => page_token = next,
                None => return all,
            }
        }
    }

    async fn described(&self) -> wire::DescribeResponse {
        soon(self.client().node.describe(wire::DescribeRequest {})).await.unwrap().into_inner()
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        // What a failed test leaves must not outlive it: the sessions of this node work in its directory.
        let _ = self.process.kill();
        let _ = self.process.wait();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            if std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.dir.path())) {
                let pid = entry.file_name().to_string_lossy().into_owned();
                let _ = Command::new("kill").args(["-CONT", &pid]).stderr(ProcessStdio::null()).status();
                let _ = Command::new("kill").args(["-TERM", &pid]).stderr(ProcessStdio::null()).status();
            }
        }
    }
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

fn code<T>(result: Result<T, tonic::Status>) -> Code {
    result.err().map_or(Code::Ok, |status| status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_as_if_nothing_had_been() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut call =
        node.call(&client, "trap 'echo usr1' USR1; echo before; while read line; do echo got $line; done; echo over; exit 7");
    call.stdio = Stdio::Pipes;
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    events.until("before\n").await;
    client.write(session, b"one\n", false).await.unwrap();
    events.until("got one\n").await;
    node.reborn().await;
    assert_eq!(node.described().await.journal(), wire::JournalState::Kept);
    let mut client = node.again(&client);
    let listed = node.list().await;
    assert_eq!((listed.len(), &listed[0].state, listed[0].adopted), (1, &ListedState::Running, true));
    assert_eq!((listed[0].session, listed[0].call, listed[0].output_bytes), (session, call.call, 15));
    let mut events = client.attach(session, 7).await.unwrap();
    assert_eq!(events.until("got one\n").await, "got one\n", "it does not go on at the byte that was asked for");
    client.write(session, b"two\n", false).await.unwrap();
    events.until("got two\n").await;
    let usr1 = wire::SignalRequest { authority: client.who(), session_id: session.to_string(), signal: 10 };
    soon(client.exec.signal(usr1)).await.unwrap();
    client.write(session, b"three\n", true).await.unwrap();
    let ran = events.rest().await.unwrap();
    assert!(ran.output.contains("usr1\n") && ran.output.ends_with("over\n"), "{:?}", ran.output);
    assert_eq!(ran.end, exited(7));
    let mut repeated = client.start(&call).await.unwrap();
    assert_eq!(repeated.started().await, session, "it was started twice");
    assert!(repeated.rest().await.unwrap().output.starts_with("before\ngot one\ngot two\n"));
    client.release(session).await.unwrap();
    assert_eq!(code(client.start(&call).await), Code::AlreadyExists);
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
    node.reborn().await;
    let mut client = node.again(&client);
    assert_eq!(code(client.start(&call).await), Code::AlreadyExists, "a released try was forgotten");
    assert_eq!(node.list().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_resized_and_killed_by_the_next_life() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call =
        node.call(&client, &format!("stty -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done; : {mark}"));
    call.stdio = Stdio::Terminal(TermSize { rows: 24, cols: 80 });
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    events.until("ready").await;
    let program = bearer(&mark).await;
    node.reborn().await;
    let mut client = node.again(&client);
    let mut events = client.attach(session, 0).await.unwrap();
    events.until("ready").await;
    let size = Some(wire::TermSize { rows: 31, cols: 99 });
    let resize = wire::ResizeRequest { authority: client.who(), session_id: session.to_string(), size };
    soon(client.exec.resize(resize)).await.unwrap();
    events.until("31 99").await;
    client.kill(session).await.unwrap();
    assert_eq!(events.rest().await.unwrap().end, SessionEnd::Killed { by: "the test".into() });
    assert!(!lives(program));
    client.release(session).await.unwrap();
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_while_the_node_was_away_is_told_with_every_byte() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "read x; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; : >done; exit 3");
    call.stdio = Stdio::Pipes;
    call.limits.ownerless = Millis(1500);
    call.limits.head = ByteCap::new(1000).unwrap();
    call.limits.tail = ByteCap::new(2000).unwrap();
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let holder = parent(bearer_of(session, &node).await);
    client.write(session, b"go\n", false).await.unwrap();
    node.kill();
    eventually("it has ended", async || node.path("done").exists()).await;
    // By its ownerless time the holder goes too, and only its files are left.
    eventually("its holder has gone", async || !lives(holder)).await;
    node.start_again().await;
    let mut client = node.again(&client);
    let all: String = (0..3000).map(|number| format!("line {number}\n")).collect();
    let missing = all.len() - 3000;
    let expected = format!("{}[{missing} bytes missing]{}", &all[..1000], &all[all.len() - 2000..]);
    let ran = client.attach(session, 0).await.unwrap().rest().await.unwrap();
    assert_eq!((ran.output, ran.end), (expected, exited(3)));
    let late = client.attach(session, all.len() as u64 - 5).await.unwrap().rest().await.unwrap();
    assert_eq!(late.output, all[all.len() - 5..]);
    assert_eq!(code(client.write(session, b"x", false).await), Code::Aborted);
    client.kill(session).await.expect("a session that has ended may be killed without effect");
    let listed = node.list().await;
    assert_eq!((&listed[0].state, listed[0].output_bytes), (&ListedState::Ended(exited(3)), all.len() as u64));
    client.release(session).await.unwrap();
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
}

/// The program of a session, by the record of its holder's socket: the newest process that works in the workspace.
async fn bearer_of(session: capstan_types::id::SessionId, node: &Mortal) -> u32 {
    let dir = node.dir.path().join("state/sessions").join(session.to_string());
    let dir = dir.canonicalize().unwrap();
    let child_of_holder = || {
        let pids = || std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let holder = pids().find(|pid: &u32| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir))?;
        let workspace = node.workspace.as_path();
        pids().find(|pid: &u32| {
            std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == workspace) && parent_of(*pid) == Some(holder)
        })
    };
    eventually("the session's program is there", async || child_of_holder().is_some()).await;
    child_of_holder().unwrap()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_killed_meanwhile_leaves_its_output_and_an_unknown_end() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call = node.call(&client, &format!("seq 1 60000; echo last; exec sleep {mark}"));
    call.limits.head = ByteCap::new(1000).unwrap();
    call.limits.tail = ByteCap::new(200_000).unwrap();
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let all: String = (1..=60_000).map(|number| format!("{number}\n")).chain(["last\n".to_owned()]).collect();
    let program = bearer(&mark).await;
    eventually("all is written", async || node.list().await[0].output_bytes == all.len() as u64).await;
    let holder = parent(program);
    node.kill();
    kill_process(holder);
    node.start_again().await;
    let mut client = node.again(&client);
    let mut events = client.attach(session, 0).await.unwrap();
    let (mut at, mut gaps) = (0, 0);
    let end = loop {
        match events.next().await.unwrap() {
            Some(SessionEvent::Output(Piece::Bytes { seq, bytes })) => {
                assert_eq!(seq.0, at as u64);
                assert_eq!(bytes, all.as_bytes()[at..at + bytes.len()], "wrong bytes at {at}");
                at += bytes.len();
            }
            Some(SessionEvent::Output(Piece::Gap { bytes, .. })) => {
                gaps += 1;
                at += usize::try_from(bytes).unwrap();
            }
            Some(SessionEvent::Ended(end)) => break end,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((at, gaps), (all.len(), 1));
    assert!(matches!(&end, SessionEnd::Unknown { reason } if reason.contains("holder died")), "{end:?}");
    if lives(program) {
        kill_process(program);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ownerless_time_ends_a_session_whose_node_never_returns() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call = node.call(&client, &format!("exec sleep {mark}"));
    call.limits.ownerless = Millis(700);
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let program = bearer(&mark).await;
    node.kill();
    eventually("the session is ended", async || !lives(program)).await;
    node.start_again().await;
    let ran = node.again(&client).attach(session, 0).await.unwrap().rest().await.unwrap();
    assert_eq!(ran.end, SessionEnd::Limit(SessionLimit::Ownerless));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_lost_the_thread_is_refused_by_the_next_life_too() {
    let mut node = Mortal::start().await;
    let mut old = node.client();
    let mut new = old.clone();
    new.authority.epoch = Epoch(5);
    let open = |client: &Client| wire::OpenRequest { authority: client.who(), cwd: node.workspace.to_string() };
    let requests = (open(&old), open(&new));
    soon(old.workspace.open(requests.0.clone())).await.unwrap();
    soon(new.workspace.open(requests.1.clone())).await.unwrap();
    node.reborn().await;
    let (mut old, mut new) = (node.again(&old), node.again(&new));
    assert_eq!(code(soon(old.workspace.open(requests.0)).await), Code::FailedPrecondition);
    soon(new.workspace.open(requests.1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_journal_says_so_and_ends_what_it_cannot_prove() {
    let mut node = Mortal::start().await;
    assert_eq!(node.described().await.journal(), wire::JournalState::New);
    let mut client = node.client();
    let mark = marker();
    let call = node.call(&client, &format!("exec sleep {mark}"));
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let program = bearer(&mark).await;
    node.kill();
    std::fs::remove_file(node.dir.path().join("state/journal")).unwrap();
    node.start_again().await;
    let described = node.described().await;
    assert_eq!((described.journal(), described.generation), (wire::JournalState::Lost, 2));
    eventually("the session is ended", async || !lives(program) && node.session_dirs() == 0).await;
    let mut client = node.again(&client);
    assert_eq!(code(client.attach(session, 0).await), Code::NotFound);
    node.reborn().await;
    assert_eq!(node.described().await.journal(), wire::JournalState::Kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_holder_keeps_nobody_else_waiting() {
    let mut node = Mortal::start().await;
    let (mut stuck, mut other) = (node.client(), node.client());
    let marks = [marker(), marker()];
    let calls = [
        node.call(&stuck, &format!("echo a; exec sleep {}", marks[0])),
        node.call(&other, &format!("echo b; exec sleep {}", marks[1])),
    ];
    let sessions = [stuck.start(&calls[0]).await.unwrap().started().await, other.start(&calls[1]).await.unwrap().started().await];
    let holder = parent(bearer(&marks[0]).await);
    bearer(&marks[1]).await;
    node.kill();
    signal("-STOP", holder);
    let begun = Instant::now();
    node.start_again().await;
    let (mut stuck, mut other) = (node.again(&stuck), node.again(&other));
    other.attach(sessions[1], 0).await.unwrap().until("b\n").await;
    assert!(begun.elapsed() < Duration::from_secs(10), "a stopped holder stopped the node: {:?}", begun.elapsed());
    let mut waiting = tokio::task::JoinSet::new();
    waiting.spawn(async move { stuck.attach(sessions[0], 0).await.unwrap().until("a\n").await });
    assert!(tokio::time::timeout(Duration::from_millis(500), waiting.join_next()).await.is_err(), "it was answered too early");
    signal("-CONT", holder);
    assert_eq!(soon(waiting.join_next()).await.unwrap().unwrap(), "a\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sessions_are_adopted_in_good_time() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut sessions = Vec::new();
    for number in 0..200 {
        let call = node.call(&client, &format!("echo {number}; exec sleep 1000"));
        sessions.push(client.start(&call).await.unwrap().started().await);
    }
    node.kill();
    let begun = Instant::now();
    node.start_again().await;
    let mut client = node.again(&client);
    for (number, session) in sessions.iter().enumerate() {
        client.attach(*session, 0).await.unwrap().until(&format!("{number}\n")).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    assert_eq!(node.list().await.len(), 200);
    for session in &sessions {
        client.kill(*session).await.unwrap();
    }
    eventually("all have ended", async || node.list().await.iter().all(|listed| matches!(listed.state, ListedState::Ended(_))))
        .await;
}

/// Whenever the node is killed during a start: a repeated start runs the program never a second time, and what it says of the first is true.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_cut_off_anywhere_is_told_truthfully() {
    let mut node = Mortal::start().await;
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..30_u64 {
        let mut client = node.client();
        let effect = format!("effect-{round}");
        let mut call = node.call(&client, &format!("echo x >>{effect}; echo done; sleep 0.05; exit 4"));
        call.limits.ownerless = Millis(5000);
        soon(client.workspace.open(wire::OpenRequest { authority: client.who(), cwd: node.workspace.to_string() }))
            .await
            .unwrap();
        let mut starting = tokio::task::JoinSet::new();
        let (mut starter, started) = (client.clone(), call.clone());
        starting.spawn(async move { starter.start(&started).await.is_ok() });
        tokio::time::sleep(Duration::from_micros(round * 700)).await;
        node.reborn().await;
        drop(starting);
        let mut client = node.again(&client);
        let outcome = loop {
            match client.start(&call).await {
                Ok(mut events) => break format!("{:?}", events.rest().await.unwrap().end),
                Err(status) if status.code() == Code::ResourceExhausted => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(status) => break format!("{:?}", status.code()),
            }
        };
        let effects = std::fs::read_to_string(node.path(&effect)).map_or(0, |text| text.lines().count());
        assert!(effects <= 1, "round {round}: it was run {effects} times, and then: {outcome}");
        if outcome.starts_with("Exited") {
            assert_eq!((effects, outcome.as_str()), (1, "Exited { code: 4 }"), "round {round}");
        } else {
            assert!(
                outcome == "Unknown" || outcome.contains("nobody took its answer") || outcome.contains("Unknown {"),
                "round {round}: {outcome}"
            );
        }
        *seen.entry(outcome).or_default() += 1;
    }
    assert!(seen.contains_key("Exited { code: 4 }"), "{seen:?}");
    eventually("no program is left", async || marked("effect-").is_empty()).await;
}
