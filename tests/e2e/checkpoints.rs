//! Checkpoints of a thread's workspace: taken after its turns, listed, brought back, and made another thread's workspace on another node. Two
//! nodes in processes of their own that share nothing: what travels is carried by the coordinator.

mod brought_back;
mod carried;

use crate::scripted::{self, command, exited, says, step};
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::stored::{Stored, StoredThread};
use capstan_tests::{process, wait};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long it may take on a busy machine until what should happen at once has happened.
const SOON: Duration = Duration::from_secs(60);

/// Makes a tree with all that a checkpoint must keep.
const MAKE: &str = "echo one > tracked && git add tracked && git commit -q -m first && echo two > tracked && mkdir -p 'empty/inner dir' && chmod 750 empty \
    && printf '#!/bin/sh\\n' > run.sh && chmod 755 run.sh && ln -s run.sh link && ln -s ../nowhere broken && head -c 3000000 /dev/urandom > large \
    && printf 'x' > \"$(printf 'odd \\374 name')\" && mkfifo pipe";

/// Two nodes and a coordinator.
struct Stage {
    home: Home,
    nodes: Vec<Option<Node>>,
    _running: Running,
}

struct Node {
    home: Home,
    running: Running,
}

impl Node {
    fn start(name: &str) -> Self {
        let home = Home::new();
        let listen = format!("unix://{}", home.root().join("node.sock").display());
        let node = Capstan::new(&home).args(["node", "--name", name, "--listen", &listen]).deadline(Duration::from_secs(300));
        let running = node.start();
        wait::until_true(SOON, "a node that serves", || running.stdout().contains("(generation "));
        Self { home, running }
    }

    fn address(&self) -> String {
        format!("unix://{}", self.home.root().join("node.sock").display())
    }
}

impl Stage {
    fn playing(steps: &[Value]) -> Self {
        let home = Home::new();
        home.configure("ownerless_timeout_ms = 60000\n");
        let script = scripted::write(home.root(), steps);
        let nodes: Vec<_> = ["n1", "n2"].map(Node::start).into();
        let addresses: Vec<String> = nodes.iter().flat_map(|node| ["--node".to_owned(), node.address()]).collect();
        let coordinator = Capstan::new(&home).arg("coordinator").args(addresses).arg("--script").arg(script);
        let running = coordinator.deadline(Duration::from_secs(300)).start();
        wait::until_true(SOON, "a coordinator that serves", || running.stdout().contains("coordinator listens at "));
        let stage = Self { home, nodes: nodes.into_iter().map(Some).collect(), _running: running };
        for arguments in
            [&["init", "-q", "-b", "main"][..], &["config", "user.name", "T"], &["config", "user.email", "t@example.com"]]
        {
            let done = process::command("git").args(arguments).current_dir(stage.work()).status().expect("git runs");
            assert!(done.success(), "{arguments:?}");
        }
        stage
    }

    fn exec(&self, args: &[&str]) -> Run {
        let exec =
            Capstan::new(&self.home).args(["exec", "--json", "--skip-git-repo-check", "-s", "workspace-write", "-m", "scripted"]);
        let socket = format!("unix://{}", self.home.path().join("coordinator.sock").display());
        exec.args(["--coordinator", &socket]).args(args.iter().copied()).in_dir(&self.work()).run()
    }

    fn threads(&self, args: &[&str]) -> Run {
        Capstan::new(&self.home).arg("threads").args(args.iter().copied()).run()
    }

    /// The directory of the first thread.
    fn work(&self) -> PathBuf {
        let work = self.home.root().join("work");
        fs::create_dir_all(&work).expect("a directory can be made");
        work
    }

    fn thread(&self, id: &str) -> StoredThread {
        let stored = Stored::read(&self.home);
        stored.threads.into_iter().find(|thread| thread.record.id.to_string() == id).expect("it is stored")
    }

    /// Until the coordinator has the newest checkpoint of a thread in its own store.
    fn until_kept(&self, thread: &str, count: usize) -> Vec<Value> {
        wait::until(SOON, "checkpoints in the coordinator's store", || {
            let listed = self.threads(&["checkpoints", thread, "--json"]);
            listed.assert_code(0);
            let listed = listed.lines()[0]["checkpoints"].as_array().expect("a list").clone();
            (listed.len() == count && listed.iter().all(|one| one["kept"] == true)).then_some(listed)
        })
    }

    /// Kills the node of a thread, and takes all that was on its host; gives its name.
    fn kill_node_of(&mut self, thread: &str) -> String {
        let name = self.thread(thread).record.settings.node.expect("a node").to_string();
        let at = if name == "n1" { 0 } else { 1 };
        let Node { running, home } = self.nodes[at].take().expect("it runs");
        let _ = running.crash();
        drop(home);
        fs::rename(self.work(), self.home.root().join("gone with its host")).expect("it can be moved");
        name
    }
}

fn thread_of(run: &Run) -> String {
    run.assert_code(0);
    // What the making of a workspace takes is told before.
    let lines = run.lines();
    let started = lines.iter().find(|line| line["type"] == "thread.started").expect("a thread starts");
    started["thread_id"].as_str().expect("a thread").to_owned()
}

/// Two turns, of which each makes something, and a third.
fn steps() -> Vec<Value> {
    vec![
        step([], [command("make", MAKE)]),
        step([exited("make", 0)], [says("made")]),
        step([], [command("more", "echo three > tracked && rm large && echo new > new")]),
        step([exited("more", 0)], [says("more")]),
        step([], [command("look", "cat tracked && ls")]),
        step([exited("look", 0)], [says("looked")]),
    ]
}

/// Every name with its mode and its content or target.
fn image(top: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let (mut found, mut dirs) = (Vec::new(), vec![top.to_owned()]);
    while let Some(at) = dirs.pop() {
        for entry in fs::read_dir(at).expect("a directory") {
            let path = entry.expect("an entry").path();
            let facts = fs::symlink_metadata(&path).expect("it is there");
            let content = if facts.is_dir() {
                dirs.push(path.clone());
                Vec::new()
            } else if facts.is_symlink() {
                fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
            } else if facts.is_file() {
                fs::read(&path).expect("a file")
            } else {
                b"a pipe".to_vec()
            };
            found.push((path.strip_prefix(top).expect("below").to_owned(), facts.mode(), content));
        }
    }
    found.sort();
    found
}
