//! Running commands.

use crate::fixture::{Fixture, TOKEN, bearer, children, eventually, exited, is_tcp, lives, marked, marker, parent, soon, tcp};
use capstan_proto::refusal;
use capstan_proto::token::Token;
use capstan_proto::transport::Listen;
use capstan_proto::wire::node as wire;
use capstan_types::id::CallId;
use capstan_types::launch::{Refusal, SessionEnd, Stdio, TermSize};
use capstan_types::limits::ByteCap;
use capstan_types::node::NodeAddress;
use capstan_types::output::{Piece, Seq};
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::SessionEvent;
use std::path::Path;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_the_same_over_tcp_a_unix_socket_and_the_pipe() {
    let node = Fixture::with(|config, dir| {
        config.listen = vec![tcp(), Listen::Unix(dir.join("node.sock"))];
        config.token = Token::parse(TOKEN).ok();
    })
    .await;
    assert!(is_tcp(&node.running.addresses()[0]) && matches!(node.running.addresses()[1], NodeAddress::Unix(_)));
    let over_unix = capstan_proto::transport::channel(&node.running.addresses()[1]).unwrap();
    let over_unix = crate::fixture::Client::over(over_unix, Some(TOKEN));
    for mut client in [node.remote(Some(TOKEN)), over_unix, node.client()] {
        let ran = client.run(&node.call(&client, "echo to out; echo to err >&2; exit 7")).await.unwrap();
        assert_eq!((ran.output.as_str(), ran.end), ("to out\nto err\n", exited(7)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_numbered_without_holes_and_past_its_caps_the_middle_is_missing() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "seq 1 50000");
    let whole: String = (1..=50_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(client.run(&call).await.unwrap().output, whole);
    (call.call, call.limits.head, call.limits.tail) = (CallId::generate(), ByteCap::new(10).unwrap(), ByteCap::new(20).unwrap());
    client.run(&call).await.unwrap();
    let (mut events, mut expected) = (client.start(&call).await.unwrap(), Seq(0));
    events.started().await;
    let mut kept = 0;
    while let Some(SessionEvent::Output(piece)) = events.next().await.unwrap() {
        assert_eq!(piece.seq(), expected);
        expected = piece.end();
        kept += if let Piece::Bytes { bytes, .. } = &piece { bytes.len() } else { 0 };
    }
    assert_eq!((expected, kept), (Seq(whole.len() as u64), 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_begins_in_the_middle_and_two_read_the_same_session_at_once() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let call = StdioCall(Stdio::Pipes).of(&node, &client, "printf 0123456789; read go; printf abc");
    let mut first = client.start(&call).await.unwrap();
    let session = first.started().await;
    assert_eq!(first.until("9").await, "0123456789");
    let mut second = client.attach(session, 4).await.unwrap();
    assert_eq!(second.next().await.unwrap(), Some(SessionEvent::Output(Piece::Bytes { seq: Seq(4), bytes: "456789".into() })));
    client.write(session, b"go\n", false).await.unwrap();
    for events in [&mut first, &mut second] {
        let ran = events.rest().await.unwrap();
        assert_eq!((ran.output.as_str(), ran.end), ("abc", exited(0)));
    }
    let late = client.attach(session, 8).await.unwrap().rest().await.unwrap();
    assert_eq!((late.output.as_str(), late.end), ("89abc", exited(0)));
}

/// A call with other streams.
struct StdioCall(Stdio);

impl StdioCall {
    fn of(self, node: &Fixture, client: &crate::fixture::Client, script: &str) -> capstan_types::session::StartCall {
        capstan_types::session::StartCall { stdio: self.0, ..node.call(client, script) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_a_session_ends_its_whole_tree() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mark = marker();
    let script = format!("setsid sleep {mark} & sleep {mark} & echo ready; wait");
    let mut events = client.start(&node.call(&client, &script)).await.unwrap();
    let session = events.started().await;
    events.until("ready").await;
    eventually("the shell and its two children run", async || marked(&mark).len() == 3).await;
    client.kill(session).await.unwrap();
    assert_eq!(events.rest().await.unwrap().end, SessionEnd::Killed { by: "the test".into() });
    assert_eq!(marked(&mark), Vec::<u32>::new(), "a process outlived its session");
    client.kill(session).await.expect("killing what has ended is no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_node_refuses_and_says_when_to_ask_again() {
    let node = Fixture::with(|config, _| config.capacity.sessions = 1).await;
    let mut client = node.client();
    let mut events = client.start(&node.call(&client, "echo here; sleep 1000")).await.unwrap();
    let session = events.started().await;
    let call = node.call(&client, "echo there");
    let Err(refused) = client.start(&call).await else { panic!("a second session was started") };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.metadata().get("retry-after-ms").unwrap(), "500");
    client.kill(session).await.unwrap();
    events.rest().await.unwrap();
    client.release(session).await.unwrap();
    assert_eq!(client.run(&call).await.unwrap().output, "there\n", "the same call may be asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_session_leaves_nothing_behind() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut events = client.start(&node.call(&client, "echo here; sleep 1000")).await.unwrap();
    let session = events.started().await;
    events.until("here").await;
    assert_eq!(client.release(session).await.unwrap_err().code(), Code::Aborted, "it still runs");
    client.kill(session).await.unwrap();
    events.rest().await.unwrap();
    assert_eq!((client.known().await, node.session_dirs().len()), (1, 1));
    client.release(session).await.unwrap();
    assert_eq!(client.known().await, 0);
    eventually("the session's directory is gone", async || node.session_dirs().is_empty()).await;
    client.release(session).await.expect("releasing twice is no error");
    let gone = client.attach(session, 0).await.err().map(|status| status.code());
    assert_eq!(gone, Some(Code::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_start_says_why_as_a_value_and_leaves_nothing() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "");
    call.argv = vec!["no-such-program".into()];
    let Err(status) = client.start(&call).await else { panic!("it was started") };
    assert_eq!(status.code(), Code::Aborted);
    assert!(matches!(refusal::from_status(&status), Some(Refusal::Program { program, .. }) if program == "no-such-program"));
    assert_eq!((client.known().await, node.session_dirs().len()), (0, 0));
    let mut call = node.call(&client, "true");
    call.cwd = node.workspace.join("missing").unwrap();
    let Err(status) = client.start(&call).await else { panic!("it was started") };
    assert!(matches!(refusal::from_status(&status), Some(Refusal::WorkingDirectory { .. })), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_is_the_callers_fault() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut request = wire::StartRequest::from(&node.call(&client, "true"));
    request.policy = None;
    let Err(status) = soon(client.exec.start(request)).await else { panic!("it was started without a policy") };
    assert_eq!(status.code(), Code::InvalidArgument);
    let who = client.who();
    let signal = wire::SignalRequest { authority: who, session_id: "x".into(), signal: 9 };
    assert_eq!(soon(client.exec.signal(signal)).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn input_reaches_the_program_in_order_and_is_closed_when_asked() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let call = StdioCall(Stdio::Pipes).of(&node, &client, "cat; echo over");
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    for number in 0..50 {
        client.write(session, format!("{number}\n").as_bytes(), false).await.unwrap();
    }
    client.write(session, b"last", true).await.unwrap();
    let ran = events.rest().await.unwrap();
    let expected = (0..50).map(|number| format!("{number}\n")).collect::<String>() + "lastover\n";
    assert_eq!((ran.output, ran.end), (expected, exited(0)));
    assert_eq!(client.write(session, b"more", false).await.unwrap_err().code(), Code::Aborted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_input_takes_none() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut events = client.start(&node.call(&client, "cat; echo empty; sleep 1000")).await.unwrap();
    let session = events.started().await;
    events.until("empty").await;
    assert_eq!(client.write(session, b"x", false).await.unwrap_err().code(), Code::Aborted);
    let too_much = vec![0; 64 * 1024 + 1];
    assert_eq!(client.write(session, &too_much, false).await.unwrap_err().code(), Code::InvalidArgument);
    client.kill(session).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_does_not_wait_behind_input_that_nobody_reads() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let call = StdioCall(Stdio::Pipes).of(&node, &client, "echo deaf; exec sleep 1000");
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    events.until("deaf").await;
    let mut stuck = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let mut client = client.clone();
        stuck.spawn(async move { client.write(session, &[b'x'; 64 * 1024], false).await });
    }
    // Some are refused for want of room; that says that all the room is taken.
    let refused = loop {
        match soon(stuck.join_next()).await.unwrap().unwrap() {
            Ok(()) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    client.kill(session).await.unwrap();
    assert_eq!(events.rest().await.unwrap().end, SessionEnd::Killed { by: "the test".into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_a_size_takes_signals_and_reads_lines() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let stdio = Stdio::Terminal(TermSize { rows: 30, cols: 100 });
    let script = "trap 'stty size; exit 5' INT; stty size; read line; echo \"got $line\"; while true; do sleep 0.05; done";
    let call = StdioCall(stdio).of(&node, &client, script);
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    events.until("30 100").await;
    client.write(session, b"hello\n", false).await.unwrap();
    events.until("got hello").await;
    let size = Some(TermSize { rows: 40, cols: 120 }.into());
    soon(client.exec.resize(wire::ResizeRequest { authority: client.who(), session_id: session.to_string(), size }))
        .await
        .unwrap();
    let signal = wire::SignalRequest { authority: client.who(), session_id: session.to_string(), signal: libc::SIGINT };
    soon(client.exec.signal(signal)).await.unwrap();
    let ran = events.rest().await.unwrap();
    assert!(ran.output.contains("40 120"), "{}", ran.output);
    assert_eq!(ran.end, exited(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_knows_nothing_of_the_nodes_own_environment() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "env");
    call.env = [("GRANTED".to_owned(), "yes".to_owned()), ("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
    let ran = client.run(&call).await.unwrap();
    let names: Vec<_> = ran.output.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let allowed = ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TZ", "USER", "GRANTED", "PWD", "OLDPWD", "SHLVL", "_"];
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok(), "the test would prove nothing: this process has no such variable");
    assert!(ran.output.contains("GRANTED=yes\n") && ran.output.contains("PATH=/usr/bin:/bin\n"), "{}", ran.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_cannot_read_the_nodes_state_or_what_is_hidden() {
    let node = Fixture::with(|config, dir| {
        let keys = dir.join("keys");
        std::fs::create_dir(&keys).unwrap();
        std::fs::write(keys.join("auth.json"), "a secret").unwrap();
        config.hidden = vec![capstan_types::path::AbsPath::new(&keys).unwrap()];
    })
    .await;
    let mut client = node.client();
    let root = node.dir.path().display();
    let script = format!("cat {root}/keys/auth.json; cat {root}/state/generation; echo $?");
    let ran = client.run(&node.call(&client, &script)).await.unwrap();
    assert!(!ran.output.contains("a secret") && ran.output.ends_with("\n1\n"), "{}", ran.output);
    let mut open = node.call(&client, &script);
    open.policy = SandboxPolicy::full_access();
    let ran = client.run(&open).await.unwrap();
    assert_eq!(ran.output, "a secret1\n0\n", "without a sandbox nothing is hidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_lowered_to_the_nodes_ceilings() {
    let node = Fixture::with(|config, _| config.ceiling.limits.total = Some(capstan_types::time::Millis(300))).await;
    let mut client = node.client();
    let ran = client.run(&node.call(&client, "sleep 1000")).await.unwrap();
    assert_eq!(ran.end, SessionEnd::Limit(capstan_types::launch::SessionLimit::Total));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_is_killed_takes_its_session_with_it_and_the_end_is_unknown() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut events = client.start(&node.call(&client, &format!("exec sleep {mark}"))).await.unwrap();
    let session = events.started().await;
    let program = bearer(&mark).await;
    let holder = parent(program);
    assert!(children().contains(&parent(holder)), "it is not the server's");
    crate::fixture::kill_process(holder);
    let ran = events.rest().await.unwrap();
    assert!(matches!(&ran.end, SessionEnd::Unknown { reason } if reason.contains("holder died")), "{:?}", ran.end);
    eventually("the program is gone", async || !lives(program)).await;
    assert_eq!(client.attach(session, 0).await.unwrap().rest().await.unwrap().end, ran.end, "it ended twice");
    client.release(session).await.unwrap();
    eventually("the holder is reaped", async || !Path::new(&format!("/proc/{holder}")).exists()).await;
    eventually("the session's directory is gone", async || node.session_dirs().is_empty()).await;
}
