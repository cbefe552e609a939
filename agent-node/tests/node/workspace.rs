//! Directories and patches.

use crate::checkpoints::git;
use crate::fixture::{Client, Fixture, soon};
use capstan_proto::refusal;
use capstan_proto::wire::node as wire;
use capstan_types::id::{Attempt, CallId};
use capstan_types::item::{FileChange, FileChangeKind};
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::{PatchCall, PatchReport, WorkspaceFacts};
use tonic::{Code, Status};

impl Client {
    async fn open(&mut self, cwd: &AbsPath) -> Result<WorkspaceFacts, Status> {
        let request = wire::OpenRequest { authority: self.who(), cwd: cwd.to_string() };
        Ok(soon(self.workspace.open(request)).await?.into_inner().try_into().unwrap())
    }

    async fn patch(&mut self, call: &PatchCall) -> Result<PatchReport, Status> {
        let request = wire::ApplyPatchRequest::from(call);
        Ok(soon(self.workspace.apply_patch(request)).await?.into_inner().try_into().unwrap())
    }
}

fn patch_call(node: &Fixture, client: &Client, patch: &str) -> PatchCall {
    PatchCall {
        authority: client.authority.clone(),
        call: CallId::generate(),
        attempt: Attempt(1),
        patch: format!("*** Begin Patch\n{patch}*** End Patch\n"),
        cwd: node.workspace.clone(),
        policy: SandboxPolicy::workspace_write(vec![node.workspace.clone()]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_opened_by_its_real_name() {
    let node = Fixture::start().await;
    let mut client = node.client();
    std::os::unix::fs::symlink(node.workspace.as_path(), node.dir.path().join("alias")).unwrap();
    let alias = AbsPath::new(node.dir.path().join("alias")).unwrap();
    let facts = client.open(&alias).await.unwrap();
    assert_eq!((facts.root, facts.git, facts.node.as_str()), (node.workspace.clone(), false, "n1"));
    assert_eq!(facts.temp_dirs, [AbsPath::new("/tmp").unwrap()]);
    git(node.workspace.as_path(), &["init", "-q"]);
    assert!(client.open(&alias).await.unwrap().git);
    let missing = client.open(&node.workspace.join("missing").unwrap()).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_applied_whole_or_not_at_all() {
    let node = Fixture::start().await;
    let mut client = node.client();
    std::fs::write(node.path("a"), "one\ntwo\n").unwrap();
    let add_and_change = "*** Add File: b\n+new\n*** Update File: a\n@@\n one\n-two\n+2\n";
    let report = client.patch(&patch_call(&node, &client, add_and_change)).await.unwrap();
    let change = |path: &str, kind| FileChange { path: path.into(), kind };
    let changes = vec![change("b", FileChangeKind::Add), change("a", FileChangeKind::Update { moved_to: None })];
    assert_eq!(report, PatchReport::Applied { changes });
    assert_eq!(std::fs::read_to_string(node.path("a")).unwrap(), "one\n2\n");
    let unfit = "*** Add File: c\n+new\n*** Update File: a\n@@\n-no such line\n+x\n";
    let PatchReport::Refused { reason } = client.patch(&patch_call(&node, &client, unfit)).await.unwrap() else {
        panic!("it was applied")
    };
    assert!(!reason.is_empty() && !node.path("c").exists(), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_one_call_is_applied_once_however_often_it_is_sent() {
    let node = Fixture::start().await;
    let mut client = node.client();
    std::fs::write(node.path("a"), "x\n").unwrap();
    let call = patch_call(&node, &client, "*** Update File: a\n@@\n-x\n+y\n");
    let calls = (0..4).map(|_| {
        let (mut client, call) = (client.clone(), call.clone());
        async move { client.patch(&call).await.unwrap() }
    });
    let reports = futures::future::join_all(calls).await;
    assert!(matches!(&reports[0], PatchReport::Applied { .. }), "{:?}", reports[0]);
    assert!(reports.iter().all(|report| *report == reports[0]));
    assert_eq!(client.patch(&call).await.unwrap(), reports[0]);
    assert_eq!(std::fs::read_to_string(node.path("a")).unwrap(), "y\n", "it was applied again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_stays_inside_the_sandbox_of_its_call() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let outside = node.dir.path().join("outside");
    let escape = format!("*** Add File: {}\n+x\n", outside.display());
    let report = client.patch(&patch_call(&node, &client, &escape)).await.unwrap();
    assert!(matches!(report, PatchReport::Refused { .. }), "{report:?}");
    assert!(!outside.exists());
    let read_only = PatchCall { policy: SandboxPolicy::read_only(), ..patch_call(&node, &client, "*** Add File: b\n+x\n") };
    assert!(matches!(client.patch(&read_only).await.unwrap(), PatchReport::Refused { .. }));
    assert!(!node.path("b").exists());
    let impossible = vec![node.workspace.clone(), node.workspace.join("missing").unwrap()];
    let no_sandbox =
        PatchCall { policy: SandboxPolicy::workspace_write(impossible), ..patch_call(&node, &client, "*** Add File: b\n+x\n") };
    let status = client.patch(&no_sandbox).await.unwrap_err();
    assert!(matches!(refusal::from_status(&status), Some(Refusal::Policy { .. })), "{status:?}");
    assert_eq!(node.session_dirs(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_patch_passes_the_wire() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let body = "+0123456789abcdef\n".repeat(390_000);
    let report = client.patch(&patch_call(&node, &client, &format!("*** Add File: big\n{body}"))).await.unwrap();
    assert!(matches!(report, PatchReport::Applied { .. }), "{report:?}");
    assert_eq!(std::fs::metadata(node.path("big")).unwrap().len(), 390_000 * 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_finds_apply_patch_by_its_names_in_every_shell() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let patch = |from: &str, to: &str| format!("*** Begin Patch\n*** Update File: a\n-{from}\n+{to}\n*** End Patch");
    std::fs::write(node.path("a"), "0\n").unwrap();
    let shells = [("/bin/sh", "-c", "apply_patch"), ("/bin/bash", "-c", "applypatch"), ("/bin/bash", "-lc", "apply_patch")];
    for (number, (shell, flag, name)) in shells.into_iter().enumerate() {
        let script =
            format!("echo before && {name} <<'EOF' && cat a\n{}\nEOF", patch(&number.to_string(), &(number + 1).to_string()));
        let mut call = node.call(&client, &script);
        call.argv = [shell, flag, &script].map(str::to_owned).to_vec();
        let ran = client.run(&call).await.unwrap();
        let said = format!("before\nSuccess. Updated the following files:\nM a\n{}\n", number + 1);
        assert_eq!(ran.output, said, "{shell} {flag}");
    }
    // What the sandbox forbids, the program cannot do.
    let outside = node.dir.path().join("outside");
    let escape = format!("apply_patch '*** Begin Patch\n*** Add File: {}\n+x\n*** End Patch' 2>&1", outside.display());
    let ran = client.run(&node.call(&client, &escape)).await.unwrap();
    assert!(ran.output.contains("apply_patch: ") && !outside.exists(), "{}", ran.output);
}
