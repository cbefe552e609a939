//! A thread with several hosts: which call comes to which, and what all of them answer together.

use super::fake::{Bench, FakeHost, Person, release};
use crate::Toolbox;
use crate::host::{ExecHost, HostError};
use crate::hosts::{HostFacts, Hosts, NoHost, Sight, Station, named};
use crate::invocation::Decision;
use crate::release::Release;
use async_trait::async_trait;
use capstan_types::call::Outcome;
use capstan_types::id::{CallId, NodeId};
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::launch::SessionEnd;
use capstan_types::path::AbsPath;
use capstan_types::policy::{ApprovalPolicy, SandboxPolicy};
use serde_json::json;
use std::sync::Arc;

/// `n1`, which is home, `b`, and `c`, which is away.
#[derive(Debug)]
struct Three {
    home: Station,
    other: Station,
}

fn name(text: &str) -> NodeId {
    text.parse().unwrap()
}

#[async_trait]
impl Hosts for Three {
    fn names(&self) -> Vec<NodeId> {
        ["n1", "b", "c"].map(name).to_vec()
    }

    async fn station(&self, host: &NodeId) -> Result<Station, NoHost> {
        match host.as_str() {
            "n1" => Ok(self.home.clone()),
            "b" => Ok(self.other.clone()),
            "c" => Err(NoHost::Away { node: host.clone(), reason: "it is not registered".into() }),
            _ => Err(NoHost::NotOurs { asked: host.clone(), hosts: named(&self.names()) }),
        }
    }

    async fn sights(&self) -> Vec<Sight> {
        let facts = |zone: &str| {
            let labels = [("zone".to_owned(), zone.to_owned())].into();
            Ok(HostFacts { labels, system: "Linux".into(), cpus: 1, memory_bytes: 1, load: 0 })
        };
        let sight = |node: &str, dir, state| Sight { node: name(node), dir: AbsPath::new(dir).unwrap(), state };
        vec![
            sight("n1", "/w", facts("z1")),
            sight("b", "/srv/b", facts("z2")),
            sight("c", "/w", Err("it is not registered".into())),
        ]
    }
}

fn bench() -> (Bench, Arc<FakeHost>) {
    with_hosts(Bench::new())
}

fn with_hosts(mut bench: Bench) -> (Bench, Arc<FakeHost>) {
    let other = Arc::new(FakeHost::named(name("b")));
    let station = |host: Arc<dyn ExecHost>, dir: &str| {
        let cwd = AbsPath::new(dir).unwrap();
        Station { host, policy: SandboxPolicy::workspace_write(vec![cwd.clone()]), cwd }
    };
    bench.context.hosts =
        Some(Arc::new(Three { home: station(bench.host.clone(), "/w"), other: station(other.clone(), "/srv/b") }));
    bench.toolbox = Toolbox::standard(true).with_pictures().with_hosts();
    (bench, other)
}

#[test]
fn a_thread_with_one_host_has_the_tools_that_it_always_had() {
    let names = |toolbox: Toolbox| toolbox.specs().iter().map(|spec| spec.name).collect::<Vec<_>>();
    assert_eq!(names(Toolbox::standard(false)), ["exec_command", "write_stdin", "apply_patch", "sessions"]);
    let many = ["exec_command", "write_stdin", "apply_patch", "sessions", "list_hosts", "run_on_all"];
    assert_eq!(names(Toolbox::standard(false).with_hosts()), many);
    let takes = |toolbox: Toolbox| {
        let has_host = |spec: &crate::ToolSpec| spec.parameters["properties"].get("host").is_some();
        toolbox.specs().iter().filter(|spec| has_host(spec)).map(|spec| spec.name).collect::<Vec<_>>()
    };
    assert!(takes(Toolbox::standard(true).with_pictures()).is_empty());
    assert_eq!(takes(Toolbox::standard(true).with_pictures().with_hosts()), ["exec_command", "apply_patch", "view_image"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_runs_on_the_host_that_it_names_in_the_threads_directory_there() {
    let (bench, other) = bench();
    other.will_start().exit(0);
    let result = bench.call("exec_command", json!({"cmd": "pwd", "host": "b", "workdir": "sub"})).await;
    assert_eq!(result.outcome, Outcome::Finished { end: Some(SessionEnd::Exited { code: 0 }) });
    let start = other.starts.lock().unwrap().pop().unwrap();
    assert_eq!((start.cwd.as_str(), start.policy.writable), ("/srv/b/sub", vec![AbsPath::new("/srv/b").unwrap()]));
    assert_eq!(bench.items.completed_command().node, name("b"));
    let session = result.release.first().unwrap().session;
    assert_eq!(result.release, [Release { node: name("b"), session }]);
    bench.host.will_start().exit(0);
    bench.call("exec_command", json!({"cmd": "pwd", "host": null})).await;
    assert_eq!(bench.host.starts.lock().unwrap().len(), 1, "who names none works at home");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_the_threads_is_declined_with_the_names_of_those_that_are() {
    let (bench, _) = bench();
    let result = bench.call("exec_command", json!({"cmd": "id", "host": "secret"})).await;
    assert_eq!(result.output, "exec_command was declined: this thread may not use a host `secret`; its hosts are: n1, b, c");
    assert!(matches!(result.outcome, Outcome::Declined { .. }));
    let away = bench.call("apply_patch", json!({"input": "*** Begin Patch\n*** End Patch", "host": "c"})).await;
    assert!(away.output.contains("host c cannot be used now: it is not registered"), "{}", away.output);
    assert!(matches!(away.outcome, Outcome::NotStarted { .. }));
    let bad = bench.call("exec_command", json!({"cmd": "id", "host": "A b"})).await;
    assert!(bad.output.starts_with("exec_command failed: `host`: "), "{}", bad.output);
    assert!(bench.host.starts.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_remembers_its_host() {
    let (bench, other) = bench();
    let played = other.will_start();
    let call = bench.call("exec_command", json!({"cmd": "cat", "host": "b", "stdin": true})).await;
    assert!(matches!(call.outcome, Outcome::Yielded { .. }), "{}", call.output);
    let host = |tool: &str, arguments: serde_json::Value| {
        bench.toolbox.host(tool, &arguments.to_string(), |number| bench.context.sessions.node_of(number))
    };
    assert_eq!(host("write_stdin", json!({"session_id": 1000})), Some(name("b")));
    assert_eq!(host("exec_command", json!({"cmd": "id", "host": "b"})), Some(name("b")));
    assert_eq!(host("exec_command", json!({"cmd": "id"})), None);
    let list = bench.call("sessions", json!({"action": "list"})).await.output;
    assert!(list.contains("  1000 on b (running): "), "{list}");
    bench.call("write_stdin", json!({"session_id": 1000, "chars": "x\n"})).await;
    assert_eq!((other.writes.lock().unwrap().len(), bench.host.writes.lock().unwrap().len()), (1, 0));
    played.lose();
    let lost = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert!(matches!(&lost.outcome, Outcome::Unknown { node: Some(node), .. } if *node == name("b")), "{:?}", lost.outcome);
}

#[tokio::test(start_paused = true)]
async fn one_command_on_all_hosts_is_told_by_group_and_who_did_not_answer_is_said() {
    let (bench, other) = bench();
    let (first, second) = (bench.host.will_start(), other.will_start());
    [&first, &second].into_iter().for_each(|played| {
        played.write(b"6.1\n");
        played.exit(0);
    });
    let result = bench.call("run_on_all", json!({"cmd": "uname -r", "timeout_ms": 5000})).await;
    let told = result.output.split_once(" in ").unwrap();
    assert_eq!(told.0, "Of 3 hosts, 2 exited with code 0, 1 not started");
    let groups = "seconds:\n== 2 hosts: b, n1\nProcess exited with code 0\n6.1\n== 1 host: c\nNot started: host c cannot be used now: it is not \
                  registered; list_hosts shows which can (no output)\n";
    assert!(told.1.ends_with(groups), "{}", told.1);
    assert_eq!(result.release, [release(first.id), Release { node: name("b"), session: second.id }]);
    assert!(!result.outcome.succeeded(), "one of them did not run it");
    let starts = other.starts.lock().unwrap();
    assert_eq!((starts[0].cwd.as_str(), starts[0].limits.total.map(|total| total.0)), ("/srv/b", Some(5000)));
}

#[tokio::test(start_paused = true)]
async fn a_selector_and_names_say_which_hosts_are_meant() {
    let (bench, other) = bench();
    other.will_start().exit(0);
    bench.call("run_on_all", json!({"cmd": "id", "hosts": "zone=z2"})).await;
    other.will_start().exit(0);
    bench.call("run_on_all", json!({"cmd": "id", "hosts": "b"})).await;
    assert_eq!((bench.host.starts.lock().unwrap().len(), other.starts.lock().unwrap().len()), (0, 2));
    for (hosts, said) in [
        ("zone=z9", "no host that can be used now has labels that match `zone=z9`"),
        ("b,x", "this thread may not use a host `x`; its hosts are: n1, b, c"),
        ("a b", "selector"),
    ] {
        let result = bench.call("run_on_all", json!({"cmd": "id", "hosts": hosts})).await;
        assert!(result.output.contains(said), "{}", result.output);
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_is_asked_once_and_told_all_hosts() {
    let (bench, person): (Bench, Arc<Person>) = Bench::with_person(ApprovalPolicy::OnRequest, Decision::Accept);
    let (bench, other) = with_hosts(bench);
    bench.host.will_start().exit(0);
    other.will_start().exit(0);
    let wish = json!({"cmd": "id", "hosts": "n1,b", "escalated": true, "justification": "to see"});
    bench.call("run_on_all", wish).await;
    let asked = person.asked.lock().unwrap();
    assert_eq!(
        asked.iter().map(|question| question.action.as_str()).collect::<Vec<_>>(),
        ["on the hosts n1, b: /bin/bash -lc id"]
    );
    for host in [&bench.host, &other] {
        assert_eq!(host.starts.lock().unwrap()[0].policy, SandboxPolicy::full_access());
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_lost_in_the_middle_is_told_of_as_it_is_and_the_others_go_on() {
    let (bench, other) = bench();
    bench.host.will_start().exit(0);
    let lost = other.will_start();
    lost.write(b"half");
    lost.send(Err(HostError::Lost { node: name("b"), reason: "reset".into() }));
    let result = bench.call("run_on_all", json!({"cmd": "make", "hosts": "n1,b"})).await;
    assert!(matches!(&result.outcome, Outcome::Unknown { node: Some(node), .. } if *node == name("b")), "{:?}", result.outcome);
    assert!(result.output.contains("1 exited with code 0, 1 with an unknown outcome"), "{}", result.output);
    assert!(
        result.output.contains("== 1 host: b\nOutcome unknown: node b did not report what came of it: reset"),
        "{}",
        result.output
    );
    assert!(result.output.contains("before you run it again.\nhalf\n"), "{}", result.output);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_what_runs_on_every_host() {
    let (bench, other) = bench();
    let (first, second) = (bench.host.will_start(), other.will_start());
    let call = bench.asked("run_on_all", json!({"cmd": "sleep 99", "hosts": "n1,b"}).to_string());
    let id: CallId = call.id;
    let run = tokio::time::timeout(std::time::Duration::from_secs(1), bench.toolbox.invoke(&call, &bench.context)).await;
    assert!(run.is_err(), "it runs");
    let ended = bench.context.sessions.end_call(id, "the user").await;
    assert_eq!(
        ended.into_iter().map(|ended| ended.release).collect::<Vec<_>>(),
        [release(first.id), Release { node: name("b"), session: second.id }]
    );
    assert_eq!((bench.host.kills.lock().unwrap().len(), other.kills.lock().unwrap().len()), (1, 1));
    let item = bench.items.told().pop();
    assert!(
        matches!(item, Some(super::fake::Told::Started(_, ItemBody::ToolCall { status: ItemStatus::InProgress, .. }))),
        "{item:?}"
    );
}
