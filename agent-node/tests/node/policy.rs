//! What the node adds to a policy, what it refuses, and what it says of itself.

use crate::fixture::{Fixture, eventually, exited, soon};
use capstan_proto::refusal;
use capstan_proto::wire::node as wire;
use capstan_types::id::{Attempt, CallId};
use capstan_types::launch::{Denial, Enforced, Refusal};
use capstan_types::path::AbsPath;
use capstan_types::policy::{Ceiling, Level, Network, SandboxMode, SandboxPolicy};
use capstan_types::session::{PatchCall, SessionEvent, StartCall, WorkspaceFacts};
use tonic::Status;

/// What was in force in a session, and all that happened in it.
async fn watched(node: &Fixture, call: &StartCall) -> (Enforced, Vec<SessionEvent>) {
    let mut client = node.client();
    client.authority = call.authority.clone();
    let mut events = client.start(call).await.unwrap();
    let Some(SessionEvent::Started { enforced, .. }) = events.next().await.unwrap() else { panic!("it was not started") };
    let mut all = Vec::new();
    while let Some(event) = events.next().await.unwrap() {
        all.push(event);
    }
    (enforced, all)
}

fn reason(status: &Status) -> String {
    match refusal::from_status(status) {
        Some(Refusal::Policy { reason }) => reason,
        other => panic!("{other:?} of {status:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exceeds_the_ceiling_is_refused_before_anything_runs() {
    let node = Fixture::with(|config, dir| {
        let mine = AbsPath::new(dir.canonicalize().unwrap().join("work")).unwrap();
        config.ceiling = Ceiling {
            mode: SandboxMode::WorkspaceWrite,
            network: Network::Loopback,
            writable: Some(vec![mine]),
            ..config.ceiling.clone()
        };
    })
    .await;
    let mut client = node.client();
    let call = node.call(&client, "touch effect");
    let outside = AbsPath::new(node.dir.path().join("other")).unwrap();
    std::fs::create_dir(outside.as_path()).unwrap();
    std::os::unix::fs::symlink(outside.as_path(), node.path("link")).unwrap();
    let write = |place: &AbsPath| SandboxPolicy::workspace_write(vec![node.workspace.clone(), place.clone()]);
    for (policy, said) in [
        (SandboxPolicy::full_access(), "this node allows workspace-write at most"),
        (write(&outside), "to be writable (only below"),
        (write(&node.workspace.join("link").unwrap()), "to be writable (only below"),
        (SandboxPolicy { network: Network::Full, ..call.policy.clone() }, "no more network than `loopback`"),
    ] {
        let Err(status) = client.start(&StartCall { call: CallId::generate(), policy, ..call.clone() }).await else {
            panic!("it was started, though it should be told: {said}")
        };
        assert!(reason(&status).contains(said), "{status:?}");
    }
    let patch = PatchCall {
        authority: client.authority.clone(),
        call: CallId::generate(),
        attempt: Attempt(1),
        patch: "*** Begin Patch\n*** Add File: effect\n+x\n*** End Patch\n".into(),
        cwd: node.workspace.clone(),
        policy: SandboxPolicy::full_access(),
    };
    let status = soon(client.workspace.apply_patch(wire::ApplyPatchRequest::from(&patch))).await.unwrap_err();
    assert!(reason(&status).contains("workspace-write at most"));
    assert!(!node.path("effect").exists() && node.session_dirs().is_empty());
    assert_eq!(client.run(&call).await.unwrap().end, exited(0), "what is within the ceiling is run");
    let open = wire::OpenRequest { authority: client.who(), cwd: node.workspace.to_string() };
    let facts = WorkspaceFacts::try_from(soon(client.workspace.open(open)).await.unwrap().into_inner()).unwrap();
    assert_eq!(facts.temp_dirs, [], "a temporary directory is offered that the ceiling does not allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ceiling_protects_is_protected_in_every_session() {
    let node = Fixture::with(|config, dir| {
        let secret = AbsPath::new(dir.canonicalize().unwrap().join("work/secret")).unwrap();
        let limits = config.ceiling.limits.with("processes", "77").unwrap();
        config.ceiling = Ceiling { hidden: vec![secret], protected: vec!["Kept.lock".into()], limits, ..config.ceiling.clone() };
        // Before the node starts: what is as young as a session could be its own.
        std::fs::create_dir_all(dir.join("work/secret")).unwrap();
        std::fs::write(dir.join("work/secret/key"), "a secret").unwrap();
        std::fs::create_dir_all(dir.join("work/deep")).unwrap();
        std::fs::write(dir.join("work/deep/Kept.lock"), "kept").unwrap();
    })
    .await;
    let client = node.client();
    let script = "cat secret/key; echo x >deep/Kept.lock; cat deep/Kept.lock";
    let (enforced, _) = watched(&node, &node.call(&client, script)).await;
    assert!(enforced.limits.iter().any(|limit| limit.starts_with("processes=77")), "{:?}", enforced.limits);
    let mut again = node.client();
    let ran = again.run(&node.call(&again, script)).await.unwrap();
    assert!(ran.output.ends_with("kept") && !ran.output.contains("a secret"), "{}", ran.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_says_how_strong_its_sandbox_is_and_its_sessions_are_that_strong() {
    let node = Fixture::start().await;
    let said = node.running.record().fingerprint.clone();
    assert_eq!(node.session_dirs(), Vec::<std::path::PathBuf>::new(), "the trial left something");
    let mut client = node.client();
    let (enforced, _) = watched(&node, &node.call(&client, "true")).await;
    assert_eq!((said.level, &said.missing), (enforced.level, &enforced.missing));
    assert!(said.level >= Level::Landlock && (said.level == Level::Full || !said.missing.is_empty()), "{said:?}");
    let described = soon(client.node.describe(wire::DescribeRequest {})).await.unwrap().into_inner();
    assert_eq!(capstan_proto::convert::node::record(described, node.running.record().address.clone()).unwrap().fingerprint, said);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_as_strong_with_holders_made_ahead_and_without() {
    for prepared in [0, 1] {
        let node = Fixture::with(|config, _| config.prepared = prepared).await;
        for _ in 0..3 {
            let client = node.client();
            let (enforced, events) = watched(&node, &node.call(&client, "true")).await;
            assert_eq!(enforced.level, node.running.record().fingerprint.level, "{:?}", enforced.missing);
            assert_eq!(events, [SessionEvent::Ended(exited(0))]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_told_before_the_end() {
    let node = Fixture::start().await;
    let client = node.client();
    let ask = "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT refused.example:443 HTTP/1.1\\r\\n\\r\\n' >&3; head -n 1 <&3";
    let mut call = node.call(&client, "");
    call.argv = ["/bin/bash", "-c", ask].map(str::to_owned).to_vec();
    call.policy.network = Network::Hosts(vec!["allowed.example".parse().unwrap()]);
    let (enforced, events) = watched(&node, &call).await;
    if enforced.level < Level::Namespaces {
        assert!(enforced.missing.iter().any(|missing| missing.starts_with("network to listed hosts")), "{enforced:?}");
        return;
    }
    assert_eq!(events.last(), Some(&SessionEvent::Ended(exited(0))), "{events:?}");
    let denied: Vec<&Denial> =
        events.iter().filter_map(|event| if let SessionEvent::Denied(denial) = event { Some(denial) } else { None }).collect();
    assert!(matches!(denied[..], [denial] if denial.act.contains("refused.example")), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_one_session_makes_is_protected_in_the_next() {
    let node = Fixture::start().await;
    let mut client = node.client();
    if node.running.record().fingerprint.level < Level::Namespaces {
        return;
    }
    let open = wire::OpenRequest { authority: client.who(), cwd: node.workspace.to_string() };
    soon(client.workspace.open(open)).await.unwrap();
    // Several times, because each of them must be found by the very next session.
    for name in ["a", "b", "c"] {
        let make = format!("git init -q {name} && git -C {name} config user.name x && echo made");
        let made = client.run(&node.call(&client, &make)).await.unwrap();
        assert_eq!((made.output.as_str(), made.end), ("made\n", exited(0)));
        let spoil = format!("echo bad >{name}/.git/hooks/pre-commit; echo bad >>{name}/.git/config; echo fine >{name}/file");
        let spoilt = client.run(&node.call(&client, &spoil)).await.unwrap();
        assert!(!node.path(&format!("{name}/.git/hooks/pre-commit")).exists(), "{}", spoilt.output);
        assert!(!std::fs::read_to_string(node.path(&format!("{name}/.git/config"))).unwrap().contains("bad"));
        assert!(node.path(&format!("{name}/file")).exists(), "{}", spoilt.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_of_roots_runs_nothing_as_root() {
    let node = Fixture::with(|config, _| config.root_allowed = false).await;
    let print = &node.running.record().fingerprint;
    let mut client = node.client();
    let call = node.call(&client, "id -u; cat /proc/self/uid_map");
    if !print.root {
        assert_eq!(client.run(&call).await.unwrap().end, exited(0));
        return;
    }
    let open = StartCall { call: CallId::generate(), policy: SandboxPolicy::full_access(), ..call.clone() };
    let Err(status) = client.start(&open).await else { panic!("it was started without a sandbox") };
    assert!(reason(&status).contains("its sessions would be root"), "{status:?}");
    if print.level == Level::Full {
        let (enforced, _) = watched(&node, &call).await;
        assert_ne!(enforced.uid, 0);
    } else {
        assert!(client.start(&call).await.is_err(), "it was started as root");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_leave_nothing_of_their_own_in_the_workspace() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut sessions = Vec::new();
    // Each begins only once the directory was looked at after the one before, whether that was released by then or not.
    for _ in 0..5 {
        let ran = client.run(&node.call(&client, "ls -A | grep untrusted")).await.unwrap();
        assert_eq!((ran.output.as_str(), ran.end), ("", exited(1)));
        sessions.extend(ran.session);
    }
    for session in sessions {
        client.release(session).await.unwrap();
    }
    let left =
        || std::fs::read_dir(node.workspace.as_path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    eventually("the workspace is as it was", async || left().is_empty()).await;
}
