//! A node in a process of its own, that can be killed.

use crate::fixture::{Client, config, eventually, soon};
use capstan_agent_node::serve;
use capstan_proto::convert::listing;
use capstan_proto::transport::{Listen, channel};
use capstan_proto::wire::node as wire;
use capstan_registry::EmbeddedRegistry;
use capstan_types::id::{Attempt, CallId};
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::node::NodeAddress;
use capstan_types::output::Seq;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::{Listed, StartCall};
use capstan_types::time::Millis;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio as ProcessStdio};
use std::sync::Arc;
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
pub(crate) struct Mortal {
    pub(crate) dir: TempDir,
    pub(crate) workspace: AbsPath,
    pub(crate) process: Child,
}

pub(crate) fn spawn(dir: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let name = "killed::mortal::a_child_of_this_program_is_a_node";
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture"]).env(BE_A_NODE, dir).stdin(ProcessStdio::null()).stdout(ProcessStdio::null());
    command.spawn().unwrap()
}

impl Mortal {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("work");
        std::fs::create_dir(&workspace).unwrap();
        let workspace = AbsPath::new(workspace.canonicalize().unwrap()).unwrap();
        let process = spawn(dir.path());
        let node = Self { dir, workspace, process };
        node.serves().await;
        node
    }

    pub(crate) async fn serves(&self) {
        eventually("the node serves", async || self.client().node.describe(wire::DescribeRequest {}).await.is_ok()).await;
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::fs::remove_file(self.dir.path().join("n.sock")).unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(self.dir.path());
        self.serves().await;
    }

    pub(crate) async fn reborn(&mut self) {
        self.kill();
        self.start_again().await;
    }

    pub(crate) fn client(&self) -> Client {
        Client::over(channel(&NodeAddress::Unix(self.dir.path().join("n.sock").display().to_string())).unwrap(), None)
    }

    /// The same owner of the same thread, by a new connection.
    pub(crate) fn again(&self, client: &Client) -> Client {
        Client { authority: client.authority.clone(), ..self.client() }
    }

    pub(crate) fn call(&self, client: &Client, script: &str) -> StartCall {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.workspace.as_path().join(name)
    }

    pub(crate) fn session_dirs(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("state/sessions")).unwrap().count()
    }

    pub(crate) async fn list(&self) -> Vec<Listed> {
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

    pub(crate) async fn described(&self) -> wire::DescribeResponse {
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

pub(crate) fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

pub(crate) fn code<T>(result: Result<T, tonic::Status>) -> Code {
    result.err().map_or(Code::Ok, |status| status.code())
}
