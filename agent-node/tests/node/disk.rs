//! What the node keeps of workspaces that it made, and how they go.

use crate::fixture::{Client, Fixture, eventually, soon};
use capstan_proto::wire::kept;
use capstan_proto::wire::node as wire;
use capstan_types::id::ThreadId;
use capstan_types::operator::Operator;
use capstan_types::source::{MakeWorkspace, WorkspaceSource};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tonic::Code;

fn who() -> Option<wire::Operator> {
    Some((&Operator { by: "tester".parse().unwrap(), via: None }).into())
}

/// Has the node make an empty workspace for the client's thread, and gives its directory.
async fn made(client: &mut Client) -> PathBuf {
    let make = MakeWorkspace {
        authority: client.authority.clone(),
        source: WorkspaceSource::Empty,
        policy: None,
        quota_bytes: None,
        credentials: Vec::new(),
    };
    let mut events = soon(client.workspace.make(wire::MakeRequest::from(&make))).await.unwrap().into_inner();
    while let Some(event) = soon(events.message()).await.unwrap() {
        if let Some(wire::make_event::Event::Made(made)) = event.event {
            return made.facts.unwrap().root.into();
        }
    }
    panic!("it was not made")
}

async fn list(client: &mut Client) -> Vec<kept::KeptWorkspace> {
    let request = wire::OperateListWorkspacesRequest { operator: who() };
    soon(client.operate.list_workspaces(request)).await.unwrap().into_inner().workspaces
}

async fn remove(client: &mut Client, thread: ThreadId, force: bool) -> Result<kept::Gone, tonic::Status> {
    let request = wire::OperateRemoveWorkspaceRequest { operator: who(), thread_id: thread.to_string(), force };
    soon(client.operate.remove_workspace(request)).await.map(tonic::Response::into_inner)
}

async fn sweep(client: &mut Client, query: kept::SweepQuery) -> Vec<String> {
    let request = wire::OperateSweepWorkspacesRequest { operator: who(), query: Some(query) };
    let swept = soon(client.operate.sweep_workspaces(request)).await.unwrap().into_inner();
    assert!(swept.stayed.is_empty(), "{swept:?}");
    swept.gone.into_iter().map(|gone| gone.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_told_with_what_it_takes_and_goes_only_when_nobody_uses_it() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let tree = made(&mut client).await;
    fs::write(tree.join("large"), vec![1; 1 << 20]).unwrap();
    let kept = list(&mut client).await;
    assert!(kept.len() == 1 && kept[0].bytes > 1 << 20 && kept[0].in_use.is_empty(), "{kept:?}");
    let thread = client.authority.thread;
    assert_eq!(kept[0].thread_id, thread.to_string());
    let mut call = node.call(&client, "echo ready; sleep 60");
    call.cwd = capstan_types::path::AbsPath::new(&tree).unwrap();
    call.policy = capstan_types::policy::SandboxPolicy::workspace_write(vec![call.cwd.clone()]);
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    assert_eq!(list(&mut client).await[0].in_use, "1 session");
    let refused = remove(&mut client, thread, false).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
    assert!(refused.message().contains("is in use by 1 session"), "{refused:?}");
    let all = kept::SweepQuery { budget_bytes: 1, idle_ms: 1, dry_run: false };
    assert!(sweep(&mut client, all).await.is_empty() && tree.join("large").exists());
    client.kill(session).await.unwrap();
    let _ = events.rest().await;
    // The journal hears of an end a moment after its reader.
    eventually("nobody uses it", async || list(&mut node.client()).await[0].in_use.is_empty()).await;
    assert!(remove(&mut client, thread, false).await.unwrap().bytes > 1 << 20);
    assert!(!tree.exists());
    assert_eq!(remove(&mut client, thread, true).await.unwrap_err().code(), Code::NotFound);
    // It can be made again.
    assert!(!made(&mut client).await.join("large").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_record_goes_once_it_is_old_and_the_rest_by_age_and_budget() {
    let node = Fixture::start().await;
    let (mut old, mut new) = (node.client(), node.client());
    let (old_tree, new_tree) = (made(&mut old).await, made(&mut new).await);
    let place = old_tree.parent().unwrap().parent().unwrap().to_owned();
    let age = |path: PathBuf| {
        let then = SystemTime::now() - Duration::from_secs(4000);
        fs::File::open(path).unwrap().set_modified(then).unwrap();
    };
    let orphan = ThreadId::generate().to_string();
    for stray in [orphan.as_str(), "young", ".temporary"] {
        fs::create_dir_all(place.join(stray).join("tree")).unwrap();
    }
    age(place.join(&orphan));
    age(place.join(".temporary"));
    age(place.join(old.authority.thread.to_string()).join("workspace.json"));
    // Damaged ones are told, and removed only by name.
    let broken = ThreadId::generate();
    fs::create_dir(place.join(broken.to_string())).unwrap();
    fs::write(place.join(broken.to_string()).join("workspace.json"), "{").unwrap();
    let idle = |dry_run| kept::SweepQuery { budget_bytes: 0, idle_ms: 3_000_000, dry_run };
    let mut would = sweep(&mut old, idle(true)).await;
    assert!(old_tree.exists() && place.join(&orphan).exists(), "a dry run removes nothing");
    let mut gone = sweep(&mut old, idle(false)).await;
    would.sort();
    gone.sort();
    let mut wanted = vec![orphan, ".temporary".to_owned(), old.authority.thread.to_string()];
    // The broken one was made before 1970, as far as is known; it stays all the same.
    wanted.sort();
    assert_eq!((&gone, &would), (&wanted, &wanted));
    assert!(new_tree.exists() && place.join("young").exists() && place.join(broken.to_string()).exists());
    let kept = list(&mut new).await;
    assert!(kept.iter().any(|kept| kept.thread_id == broken.to_string() && !kept.broken.is_empty()), "{kept:?}");
    let all = sweep(&mut new, kept::SweepQuery { budget_bytes: 1, idle_ms: 0, dry_run: false }).await;
    assert_eq!(all, [new.authority.thread.to_string()]);
    remove(&mut new, broken, false).await.unwrap();
    assert!(list(&mut new).await.is_empty());
}
