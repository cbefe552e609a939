//! `capstan node` in one process and `capstan exec --node` in another: the same path, and what happens when one of them is wrong or gone.

mod lost_node;
mod refusals;
mod same_path;
mod side_by_side;

use crate::scripted;
use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a node may take until it serves.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// How long sessions live without an owner: on the node, which decides, and on a client that embeds one.
const OWNERLESS: &str = "ownerless_timeout_ms = 1500";

/// A node with a home of its own.
pub(crate) struct Node {
    pub(crate) home: Home,
    running: Running,
    /// Where it listens, as it says itself.
    pub(crate) address: String,
    token_file: Option<PathBuf>,
}

impl Node {
    /// A node called `far` that listens here.
    pub(crate) fn listening(at: &str) -> Self {
        let home = Home::new();
        home.configure(OWNERLESS);
        Self::start(home, at)
    }

    fn start(home: Home, at: &str) -> Self {
        let at = at.replace("[ROOT]", &home.root().display().to_string());
        let running =
            Capstan::new(&home).args(["node", "--name", "far", "--listen", &at]).deadline(Duration::from_secs(300)).start();
        let line = wait::until(SERVES_WITHIN, "a node that serves", || running.stdout().lines().next().map(str::to_owned));
        let said = line.strip_prefix("node far (generation ").unwrap_or_else(|| panic!("not what a node says: {line}"));
        let (_, place) = said.split_once(") listens at ").unwrap_or_else(|| panic!("not what a node says: {line}"));
        let (address, token) = place.split_once("; token file ").map_or((place, None), |(address, file)| (address, Some(file)));
        let (address, token_file) = (address.trim_start_matches("http://").to_owned(), token.map(PathBuf::from));
        Self { home, running, address, token_file }
    }

    /// `capstan exec --json --node` with this node's token.
    fn exec(&self, client: &Home, steps: &[Value]) -> Capstan {
        let exec = exec(client, steps).args(["--node", &self.address]);
        match &self.token_file {
            Some(file) => exec.arg("--node-token-file").arg(file),
            None => exec,
        }
    }
}

/// `capstan exec --json` with a script, in a workspace beside the home.
fn exec(client: &Home, steps: &[Value]) -> Capstan {
    let work = workspace(client);
    fs::create_dir_all(&work).expect("a directory can be made");
    let script = scripted::write(client.root(), steps);
    let exec = Capstan::exec(client, "Do it.").args(["-s", "workspace-write", "-c", OWNERLESS, "--script"]);
    exec.arg(script).in_dir(&work)
}

fn workspace(client: &Home) -> PathBuf {
    client.root().join("work")
}

/// The lines of a run without what differs from one run to the next.
pub(crate) fn settled(lines: Vec<Value>, root: &Path) -> Vec<Value> {
    let settle = |mut line: Value| {
        if let Some(id) = line.get_mut("thread_id") {
            *id = "THREAD".into();
        }
        if let Some(extras) = line.pointer_mut("/item/capstan").and_then(Value::as_object_mut) {
            for key in ["session", "duration_ms"] {
                extras.entry(key).and_modify(|value| *value = "SOME".into());
            }
            // Each session has a user of its own.
            extras.entry("enforced").and_modify(|enforced| enforced["uid"] = "SOME".into());
        }
        let text = line.to_string().replace(&root.display().to_string(), "[ROOT]");
        serde_json::from_str(&text).expect("it is JSON still")
    };
    lines.into_iter().map(settle).collect()
}
