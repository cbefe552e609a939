//! What the thread's policy hides is no part of a workspace's states: no diff shows it, and no undo touches it. Real git, real files.

use crate::checkpoints::{git, repository, undone};
use crate::fixture::{Client, Fixture, soon};
use capstan_proto::wire::node as wire;
use capstan_types::id::TurnId;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::fs;
use std::path::Path;
use wire::undo_response::Result as Undo;

/// A thread's states under a policy that hides some places of the workspace.
struct States {
    client: Client,
    cwd: AbsPath,
    policy: SandboxPolicy,
}

impl States {
    fn of(node: &Fixture, cwd: &AbsPath, hidden: &[&str]) -> Self {
        let policy = SandboxPolicy::workspace_write(vec![cwd.clone()]);
        Self { client: node.client(), cwd: cwd.clone(), policy }.hiding(hidden)
    }

    fn hiding(mut self, hidden: &[&str]) -> Self {
        self.policy.hidden = hidden.iter().map(|name| self.cwd.join(name).unwrap()).collect();
        self
    }

    async fn begin(&mut self) -> String {
        let (authority, turn) = (self.client.who(), TurnId::generate().to_string());
        let policy = Some((&self.policy).into());
        let request = wire::CheckpointRequest { authority, cwd: self.cwd.to_string(), turn: turn.clone(), policy };
        soon(self.client.workspace.checkpoint(request)).await.unwrap();
        turn
    }

    async fn diff(&mut self, turn: &str, ended: bool) -> wire::DiffResponse {
        let (authority, policy) = (self.client.who(), Some((&self.policy).into()));
        let request = wire::DiffRequest { authority, turn: turn.to_owned(), max_bytes: 0, ended, policy };
        soon(self.client.workspace.diff(request)).await.unwrap().into_inner()
    }

    async fn undo(&mut self, turn: &str) -> Undo {
        let (authority, policy) = (self.client.who(), Some((&self.policy).into()));
        let request = wire::UndoRequest { authority, turn: turn.to_owned(), force: false, policy };
        soon(self.client.workspace.undo(request)).await.unwrap().into_inner().result.unwrap()
    }
}

/// Changes everything below the directory, as somebody might whom nothing is hidden from.
fn change(dir: &Path) {
    for (name, content) in [
        (".env", "SECRET=new"),
        ("keys/one", "SECRET=k1"),
        ("keys/more", "SECRET=k3"),
        ("real/key", "SECRET=r2"),
        ("shown", "two"),
    ] {
        fs::write(dir.join(name), format!("{content}\n")).unwrap();
    }
    fs::remove_file(dir.join("keys/two")).unwrap();
}

/// A directory with secrets, some of which a repository may know.
fn fill(dir: &Path) {
    for name in ["keys", "real"] {
        fs::create_dir(dir.join(name)).unwrap();
    }
    for (name, content) in [
        (".env", "SECRET=old"),
        ("keys/one", "SECRET=k1"),
        ("keys/two", "SECRET=k2"),
        ("real/key", "SECRET=r1"),
        ("shown", "one"),
    ] {
        fs::write(dir.join(name), format!("{content}\n")).unwrap();
    }
    std::os::unix::fs::symlink("real/key", dir.join("link")).unwrap();
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

/// With a repository that knows the secrets, with one that does not, below the top of one, and without any.
fn places(node: &Fixture) -> Vec<AbsPath> {
    let make = |name: &str| {
        fs::create_dir_all(node.path(name)).unwrap();
        node.workspace.join(name).unwrap()
    };
    let known = make("known");
    fill(known.as_path());
    repository(known.as_path());
    let unknown = make("unknown");
    repository(unknown.as_path());
    fill(unknown.as_path());
    let below = make("above/be*low");
    fill(below.as_path());
    repository(node.path("above").as_path());
    let plain = AbsPath::new(node.dir.path().join("plain")).unwrap();
    fs::create_dir(plain.as_path()).unwrap();
    fill(plain.as_path());
    vec![known, unknown, below, plain]
}

const HIDDEN: [&str; 4] = [".env", "keys", "link", "not-there"];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_hides_is_in_no_diff_and_no_undo_touches_it() {
    let node = Fixture::start().await;
    for place in places(&node) {
        let mut states = States::of(&node, &place, &HIDDEN);
        let turn = states.begin().await;
        change(place.as_path());
        let diff = states.diff(&turn, true).await;
        assert!(diff.diff.contains("-one\n+two\n") && diff.files == 1, "{place}: {diff:?}");
        let done = undone(states.undo(&turn).await);
        assert_eq!((done.changed.unwrap().names.len(), done.resisted), (1, false), "{place}");
        let shown = |name| read(place.as_path(), name);
        assert_eq!(
            (shown("shown"), shown(".env"), shown("real/key")),
            ("one\n".into(), "SECRET=new\n".into(), "SECRET=r2\n".into())
        );
        assert_eq!(shown("keys/more"), "SECRET=k3\n", "{place}");
        assert!(!place.as_path().join("keys/two").exists(), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_later_is_not_shown_of_earlier_states_either() {
    let node = Fixture::start().await;
    for place in places(&node) {
        let mut open = States::of(&node, &place, &[]);
        let turn = open.begin().await;
        change(place.as_path());
        assert!(open.diff(&turn, true).await.diff.contains("SECRET=new"), "{place}");
        let mut states = open.hiding(&HIDDEN);
        let diff = states.diff(&turn, false).await;
        assert!(diff.files == 1 && !diff.diff.contains("SECRET"), "{place}: {diff:?}");
        let done = undone(states.undo(&turn).await);
        assert!(!done.resisted, "{place}");
        assert_eq!((read(place.as_path(), "shown"), read(place.as_path(), ".env")), ("one\n".into(), "SECRET=new\n".into()));
        // A repository's own index and objects stay as they were.
        if place.as_path().ends_with("known") {
            assert!(git(place.as_path(), &["ls-files"]).contains(".env"));
        }
    }
}
