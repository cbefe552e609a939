//! Commands: what the node is asked, and what the model and a person are told.

use super::fake::{Bench, Told, enforced, node, release};
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::host::{HostError, SessionEvent};
use capstan_types::call::{Outcome, ReplayClass};
use capstan_types::id::{Attempt, CallId};
use capstan_types::item::{CommandExecution, ItemBody, ItemId, ItemStatus};
use capstan_types::launch::{Denial, Enforced, SessionEnd, SessionLimit, Stdio, TermSize};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::time::Millis;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_finished_command_is_told_with_its_exit_code_and_output() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    session.write(b"hello\n");
    session.exit(3);
    let result = bench.call("exec_command", json!({"cmd": "echo hello; exit 3"})).await;
    insta::assert_snapshot!(result.output, @r"
    Chunk ID: 000001
    Wall time: 0.0000 seconds
    Process exited with code 3
    Original token count: 2
    Output:
    hello
    ");
    assert_eq!(result.outcome, Outcome::Finished { end: Some(SessionEnd::Exited { code: 3 }) });
    assert_eq!(result.release, [release(session.id)]);
    assert!(bench.context.sessions.list().is_empty());
    assert_eq!(*bench.items.live.lock().unwrap(), "hello\n");

    let begun = CommandExecution {
        call: CallId::from_u128(1),
        command: "/bin/bash -lc 'echo hello; exit 3'".into(),
        cwd: AbsPath::new("/w").unwrap(),
        node: node(),
        session: None,
        output: String::new(),
        end: None,
        duration: None,
        status: ItemStatus::InProgress,
        reason: None,
        enforced: None,
        denials: Vec::new(),
    };
    let done = CommandExecution {
        session: Some(session.id),
        output: "hello\n".into(),
        end: Some(SessionEnd::Exited { code: 3 }),
        duration: Some(Millis(0)),
        status: ItemStatus::Failed,
        enforced: Some(enforced()),
        ..begun.clone()
    };
    let expected = [
        Told::Started(ItemId(0), ItemBody::CommandExecution(begun)),
        Told::Completed(ItemId(0), ItemBody::CommandExecution(done)),
    ];
    assert_eq!(bench.items.told(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_node_is_asked_for_the_shell_the_directory_and_a_quiet_environment() {
    let mut bench = Bench::new();
    bench.context.environment.insert("PAGER".into(), "less".into());
    bench.context.environment.insert("CAPSTAN_CALL_ID".into(), "forged".into());
    bench.host.will_start().exit(0);
    bench.host.will_start().exit(0);
    bench.call("exec_command", json!({"cmd": "ls"})).await;
    bench.call("exec_command", json!({"cmd": "ls", "workdir": "src", "shell": "zsh", "login": false, "tty": true})).await;
    let starts = bench.host.starts.lock().unwrap();
    assert_eq!(starts[0].argv, ["/bin/bash", "-lc", "ls"]);
    assert_eq!((starts[0].cwd.as_str(), starts[0].stdio, starts[0].attempt), ("/w", Stdio::PipesNoInput, Attempt(1)));
    assert_eq!(starts[0].policy, bench.context.policy);
    let env = starts[0].env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(env, @r"
    CAPSTAN=1
    CAPSTAN_CALL_ID=00000000-0000-0000-0000-000000000001
    CAPSTAN_THREAD_ID=00000000-0000-0000-0000-000000000007
    COLORTERM=
    GH_PAGER=cat
    GIT_PAGER=cat
    LANG=C.UTF-8
    LC_ALL=C.UTF-8
    LC_CTYPE=C.UTF-8
    NO_COLOR=1
    PAGER=less
    TERM=dumb
    ");
    assert_eq!(starts[1].argv, ["zsh", "-c", "ls"]);
    assert_eq!((starts[1].cwd.as_str(), starts[1].stdio), ("/w/src", Stdio::Terminal(TermSize { rows: 24, cols: 80 })));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_runs_on_is_left_with_a_number_and_an_open_item() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    session.write(b"ready\n");
    let began = Instant::now();
    let result = bench.call("exec_command", json!({"cmd": "server"})).await;
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    insta::assert_snapshot!(result.output, @r"
    Chunk ID: 000001
    Wall time: 10.0000 seconds
    Process running with session ID 1000
    Original token count: 2
    Output:
    ready
    ");
    assert!(matches!(result.outcome, Outcome::Yielded { session: id, seq } if id == session.id && seq.0 == 6));
    assert_eq!(result.release, []);
    let told = bench.items.told();
    let [Told::Started(..), Told::Updated(_, ItemBody::CommandExecution(item))] = &told[..] else { panic!("{told:?}") };
    assert_eq!((item.status, item.session, item.output.as_str()), (ItemStatus::InProgress, Some(session.id), "ready\n"));
}

#[tokio::test(start_paused = true)]
async fn the_time_to_wait_is_moved_into_its_range() {
    for (asked, waited) in [(0, 250), (250, 250), (700, 700), (30_000, 30_000), (u64::MAX, 30_000)] {
        let bench = Bench::new();
        let _session = bench.host.will_start();
        let began = Instant::now();
        bench.call("exec_command", json!({"cmd": "sleep 99", "yield_time_ms": asked})).await;
        assert_eq!(began.elapsed(), Duration::from_millis(waited), "asked for {asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn long_output_keeps_its_ends_and_says_how_much_is_missing() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    (0..100_000).for_each(|line| session.write(format!("{line:06}\n").as_bytes()));
    session.exit(0);
    let result = bench.call("exec_command", json!({"cmd": "seq 100000", "max_output_tokens": 10})).await;
    insta::assert_snapshot!(result.output, @r"
    Chunk ID: 000001
    Wall time: 0.0000 seconds
    Process exited with code 0
    Original token count: 175000
    Output:
    Warning: truncated output (original token count: 175000)
    Total output lines: 100000

    000000
    000001
    000002…174990 tokens truncated…99997
    099998
    099999
    ");
    let session = bench.host.will_start();
    session.write(&vec![b'x'; 1 << 20]);
    session.exit(0);
    let result = bench.call("exec_command", json!({"cmd": "x", "max_output_tokens": 1_000_000})).await;
    let (_, shown) = result.output.split_once("\n\n").unwrap();
    assert_eq!(shown.matches('x').count(), 40_000, "the cap is hard");
}

#[tokio::test(start_paused = true)]
async fn what_ended_a_command_is_told_in_words() {
    let cases = [
        (SessionEnd::Signalled { signal: 9 }, "Process exited with signal 9 (SIGKILL)"),
        (SessionEnd::Signalled { signal: 40 }, "Process exited with signal 40"),
        (SessionEnd::Limit(SessionLimit::Total), "Process ended by Capstan: total time limit reached"),
        (SessionEnd::Killed { by: "the user".into() }, "Process ended by Capstan: killed by the user"),
    ];
    for (end, line) in cases {
        let bench = Bench::new();
        bench.host.will_start().end(end.clone());
        let result = bench.call("exec_command", json!({"cmd": "x"})).await;
        assert_eq!(result.output.lines().nth(2), Some(line));
        assert_eq!(result.outcome, Outcome::Finished { end: Some(end) });
        assert_eq!(bench.items.completed_command().reason.as_deref(), Some(line));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_start_is_told_and_is_no_exit_code() {
    let bench = Bench::new();
    let refusal = "cannot run `/bin/bash`: No such file".to_owned();
    bench.host.starting.lock().unwrap().push_back(Err(HostError::NotStarted(refusal.clone())));
    let result = bench.call("exec_command", json!({"cmd": "x"})).await;
    assert_eq!(result.output, "exec_command failed: cannot run `/bin/bash`: No such file");
    assert_eq!(result.outcome, Outcome::NotStarted { reason: refusal.clone() });
    let item = bench.items.completed_command();
    assert_eq!((item.status, item.reason, item.end), (ItemStatus::Failed, Some(refusal), None));

    let busy = HostError::Busy { node: node(), reason: "it is full".to_owned(), retry_after: Duration::from_secs(2) };
    bench.host.starting.lock().unwrap().push_back(Err(busy));
    let result = bench.call("exec_command", json!({"cmd": "x"})).await;
    assert_eq!(result.output, "exec_command failed: node n1 has no room for another session (it is full); try again in 2 s");
    assert!(matches!(result.outcome, Outcome::NotStarted { .. }));
    assert!(bench.context.sessions.list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn arguments_that_are_not_the_tools_are_refused_by_name_and_nothing_starts() {
    let bench = Bench::new();
    for forged in [
        "sandbox",
        "sandbox_mode",
        "policy",
        "profile",
        "permissions",
        "additional_permissions",
        "level",
        "uid",
        "env",
        "environment",
        "network",
        "network_access",
        "cwd",
        "environment_id",
        "writable",
        "writable_roots",
        "readable",
        "hidden",
        "protected",
        "limits",
    ] {
        for value in [json!(false), json!("danger-full-access"), json!(["/"]), json!({"LD_PRELOAD": "/tmp/x.so"}), json!(null)] {
            let result = bench.call("exec_command", json!({"cmd": "ls", forged: value})).await;
            let said = format!("failed to parse function arguments: unknown field `{forged}`, expected one of `cmd`");
            assert!(result.output.starts_with(&said), "{}", result.output);
            assert!(matches!(result.outcome, Outcome::NotStarted { .. }));
        }
    }
    for (arguments, said) in [
        ("{", "failed to parse function arguments: EOF while parsing an object"),
        ("", "failed to parse function arguments: missing field `cmd`"),
        (r#"{"cmd":7}"#, "failed to parse function arguments: invalid type: integer `7`, expected a string"),
        (r#"{"cmd":" "}"#, "exec_command failed: `cmd` must be a command"),
        (r#"{"cmd":"ls","workdir":"a\u0000b"}"#, "exec_command failed: `workdir`: a path must not contain a NUL byte"),
        (r#"{"cmd":"ls","sandbox_permissions":"danger-full-access"}"#, "failed to parse function arguments: unknown variant"),
    ] {
        let result = bench.try_call("exec_command", arguments).await.unwrap();
        assert!(result.output.starts_with(said), "{arguments}: {}", result.output);
    }
    assert!(bench.host.starts.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_argument_of_a_call_changes_its_policy_or_its_limits() {
    let mut bench = Bench::new();
    bench.context.limits.memory = Some(64 << 20);
    let calls = [
        json!({"cmd": "ls"}),
        json!({"cmd": "ls", "workdir": "/etc"}),
        json!({"cmd": "ls", "workdir": "../../.."}),
        json!({"cmd": "LD_PRELOAD=/tmp/x.so ls", "shell": "/tmp/sh", "login": false}),
        json!({"cmd": "ls", "tty": true, "yield_time_ms": 0, "max_output_tokens": 0}),
        json!({"cmd": "ls", "sandbox_permissions": "use_default", "justification": "please", "prefix_rule": ["ls"]}),
    ];
    for call in &calls {
        bench.host.will_start().exit(0);
        bench.call("exec_command", call.clone()).await;
    }
    let starts = bench.host.starts.lock().unwrap();
    assert_eq!(starts.len(), calls.len());
    for start in starts.iter() {
        assert_eq!((&start.policy, start.limits), (&bench.context.policy, bench.context.limits), "{start:?}");
        assert!(!start.env.contains_key("LD_PRELOAD"), "{start:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_sandbox_refused_is_told_once_as_facts_and_kept_in_the_item() {
    let bench = Bench::new();
    let denial = |host: &str| Denial { act: format!("connect to {host}:443"), reason: "not in the list of allowed hosts".into() };
    let session = bench.host.will_start();
    session.send(Ok(SessionEvent::Denied(denial("a.io"))));
    let result = bench.call("exec_command", json!({"cmd": "fetch"})).await;
    let line = "The sandbox refused: connect to a.io:443: not in the list of allowed hosts";
    assert_eq!(result.output.lines().nth(2), Some("Process running with session ID 1000"));
    assert_eq!(result.output.lines().nth(3), Some(line));
    session.send(Ok(SessionEvent::Denied(denial("b.io"))));
    session.write(b"cp: cannot create '/etc/x': Permission denied\n");
    session.exit(1);
    let result = bench.call("write_stdin", json!({"session_id": 1000})).await;
    insta::assert_snapshot!(result.output, @r"
    Chunk ID: 000002
    Wall time: 0.0000 seconds
    Process exited with code 1
    The sandbox refused: connect to b.io:443: not in the list of allowed hosts
    Sandbox: files can be written only below /w; .git/hooks, .git/config, .capstan, .codex and .agents are read-only wherever they occur there; network: the session's own loopback only.
    Original token count: 12
    Output:
    cp: cannot create '/etc/x': Permission denied
    ");
    assert_eq!(bench.items.completed_command().denials, [denial("a.io"), denial("b.io")]);
}

#[tokio::test(start_paused = true)]
async fn what_the_sandbox_allows_is_told_only_of_commands_that_it_may_have_made_fail() {
    let told = async |policy: SandboxPolicy, text: &str, code| {
        let mut bench = Bench::new();
        bench.context.policy = policy;
        let session = bench.host.will_start();
        session.write(text.as_bytes());
        session.exit(code);
        bench.call("exec_command", json!({"cmd": "x"})).await.output.matches("Sandbox: ").count()
    };
    let read_only = SandboxPolicy::read_only;
    for text in
        ["touch: x: Read-only file system\n", "x: Permission denied\n", "chown: Operation not permitted\nPermission denied\n"]
    {
        assert_eq!(told(read_only(), text, 1).await, 1, "{text}");
    }
    assert_eq!(told(read_only(), "Permission denied", 0).await, 0);
    assert_eq!(told(read_only(), "No such file", 1).await, 0);
    assert_eq!(told(SandboxPolicy::full_access(), "Permission denied", 1).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_ended_a_command_is_told_with_its_value() {
    let bench = Bench::new();
    let session = bench.host.will_start_silently();
    let enforced = Enforced { limits: vec!["memory=3221225472 (cgroup-v2)".into()], ..enforced() };
    session.send(Ok(SessionEvent::Started { session: session.id, enforced }));
    session.end(SessionEnd::Limit(SessionLimit::Memory));
    let result = bench.call("exec_command", json!({"cmd": "x"})).await;
    let line = "Process ended by Capstan: memory (oom) limit of 3 GiB reached";
    assert_eq!(result.output.lines().nth(2), Some(line));
    assert_eq!(bench.items.completed_command().reason.as_deref(), Some(line));
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_does_not_exist_is_answered_and_shown() {
    let bench = Bench::new();
    let result = bench.try_call("rm_rf", "not even JSON").await.unwrap();
    assert_eq!(result.output, "unsupported call: rm_rf");
    let told = bench.items.told();
    let [Told::Started(..), Told::Completed(_, ItemBody::ToolCall { tool, status, output, .. })] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((tool.as_str(), *status, output), ("rm_rf", ItemStatus::Failed, &result.output));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_cannot_be_recorded_or_is_not_ours_stops() {
    let bench = Bench::new();
    bench.host.starting.lock().unwrap().push_back(Err(HostError::Fenced));
    assert_eq!(bench.try_call("exec_command", r#"{"cmd":"x"}"#).await, Err(ToolFault::Fenced));
    bench.host.will_start().send(Err(HostError::Fenced));
    assert_eq!(bench.try_call("exec_command", r#"{"cmd":"x"}"#).await, Err(ToolFault::Fenced));
    *bench.items.closed.lock().unwrap() = true;
    let fault = bench.try_call("exec_command", r#"{"cmd":"x"}"#).await;
    assert!(matches!(fault, Err(ToolFault::SinkClosed(_))), "{fault:?}");
    assert_eq!(bench.host.starts.lock().unwrap().len(), 2, "nothing is sent that was not stored first");
}

#[test]
fn only_what_changes_nothing_may_be_repeated() {
    let toolbox = Bench::new().toolbox;
    let class = |tool, arguments: &str| toolbox.replay_class(tool, arguments);
    assert_eq!(class("exec_command", r#"{"cmd":"ls"}"#), ReplayClass::External);
    assert_eq!(class("exec_command", "nonsense"), ReplayClass::External);
    assert_eq!(class("exec_command", r#"{"cmd":"apply_patch <<E\n*** Begin Patch\nE"}"#), ReplayClass::Workspace);
    assert_eq!(class("apply_patch", ""), ReplayClass::Workspace);
    assert_eq!(class("write_stdin", r#"{"session_id":1}"#), ReplayClass::Pure);
    assert_eq!(class("write_stdin", r#"{"session_id":1,"chars":"y\n"}"#), ReplayClass::External);
    assert_eq!(class("update_plan", "{}"), ReplayClass::Pure);
    let effects = |tool, arguments: &str| toolbox.effects(tool, arguments);
    assert_eq!(effects("exec_command", r#"{"cmd":"ls"}"#), Effects::Runs);
    assert_eq!(effects("exec_command", r#"{"cmd":"apply_patch <<E\n*** Begin Patch\nE"}"#), Effects::Writes);
    assert_eq!(effects("apply_patch", ""), Effects::Writes);
    assert_eq!(effects("write_stdin", r#"{"session_id":1}"#), Effects::Nothing);
    assert_eq!(effects("write_stdin", r#"{"session_id":1,"chars":"y\n"}"#), Effects::Runs);
    assert_eq!(effects("update_plan", "{}"), Effects::Plans);
    assert!(toolbox.once("exec_command") && toolbox.once("apply_patch") && !toolbox.once("write_stdin"));
}

#[test]
fn every_schema_is_closed_and_names_what_the_tool_takes() {
    let specs = Bench::new().toolbox.specs();
    let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
    assert_eq!(names, ["exec_command", "write_stdin", "apply_patch", "sessions", "update_plan"]);
    for spec in &specs {
        assert_eq!(spec.parameters["additionalProperties"], json!(false), "{}", spec.name);
        assert!(spec.parameters["required"].as_array().is_some_and(|required| !required.is_empty()));
    }
    assert_eq!(crate::Toolbox::standard(false).specs().len(), 4);
}
