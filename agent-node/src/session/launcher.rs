//! From what a coordinator asks for to a launch document: the node adds its environment, its hidden paths and its ceilings here, and
//! nowhere else.

use crate::config::{Ceilings, NodeConfig};
use crate::session::dir::{NewDir, SessionDir};
use crate::session::holder::Holder;
use crate::session::runner::{LaunchError, Runner};
use crate::state::State;
use crate::workspace::repository;
use capstan_types::control;
use capstan_types::id::SessionId;
use capstan_types::launch::{Enforced, LaunchSpec, Refusal, Stdio};
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::StartCall;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use tracing::Instrument;

/// What is common to all sessions of a node.
#[derive(Debug)]
pub(crate) struct Launcher {
    pub(crate) runner: Runner,
    sessions: PathBuf,
    base_env: BTreeMap<String, String>,
    hidden: Vec<AbsPath>,
    ceilings: Ceilings,
}

/// A program to be run as a session.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: AbsPath,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) stdio: Stdio,
    pub(crate) policy: SandboxPolicy,
    pub(crate) limits: SessionLimits,
}

/// A session that runs.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) session: SessionId,
    pub(crate) dir: SessionDir,
    pub(crate) holder: Holder,
    pub(crate) enforced: Enforced,
}

impl From<StartCall> for Program {
    fn from(call: StartCall) -> Self {
        Self { argv: call.argv, cwd: call.cwd, env: call.env, stdio: call.stdio, policy: call.policy, limits: call.limits }
    }
}

impl Launcher {
    pub(crate) fn new(config: &NodeConfig, state: &State) -> Self {
        Self {
            runner: Runner::new(config.runner.clone())
                .with_fork_server(state.root.as_path().to_owned(), config.prepared)
                .with_home(config.base_env.get("HOME").cloned()),
            sessions: state.sessions(),
            base_env: config.base_env.clone(),
            hidden: outermost(config.hidden.iter().chain([&state.root]).cloned().collect()),
            ceilings: config.ceilings,
        }
    }

    /// A variable of the environment that sessions start from.
    pub(crate) fn base_variable(&self, name: &str) -> Option<&str> {
        self.base_env.get(name).map(String::as_str)
    }

    /// Starts a session, and returns when its program runs.
    pub(crate) async fn launch(&self, program: Program) -> Result<Launched, LaunchError> {
        let session = SessionId::generate();
        let span = tracing::info_span!("launch", %session);
        async {
            let dir = NewDir::make(&self.sessions, session).map_err(|error| no_dir(&error))?;
            let spec = self.document(session, &dir, program)?;
            let answered = self.runner.launch(&spec).await?;
            let dir = dir.keep().ok_or_else(|| no_dir(&io::ErrorKind::NotFound.into()))?;
            Ok(Launched { session, dir, holder: answered.holder, enforced: answered.enforced })
        }
        .instrument(span)
        .await
    }

    fn document(&self, session: SessionId, dir: &NewDir, program: Program) -> Result<LaunchSpec, LaunchError> {
        let mut policy = program.policy;
        policy.hidden.extend(self.hidden.iter().cloned());
        policy.hidden = outermost(policy.hidden);
        let mut env = self.base_env.clone();
        env.extend(program.env);
        // What lies in a writable directory is read there anyhow.
        let home = env.get("HOME").map(Path::new);
        policy.readable.extend(repository::places(program.cwd.as_path(), home));
        Ok(LaunchSpec {
            version: control::VERSION,
            session,
            dir: dir.path().cloned().ok_or_else(|| no_dir(&io::ErrorKind::NotFound.into()))?,
            argv: program.argv,
            cwd: program.cwd,
            env,
            stdio: program.stdio,
            policy,
            limits: self.ceilings.lower(program.limits),
            root_allowed: true,
            protected: None,
            strongest: None,
        })
    }
}

fn no_dir(error: &io::Error) -> LaunchError {
    LaunchError::Refused(Refusal::Host { step: "make the session's directory".to_owned(), reason: error.to_string() })
}

/// The paths that lie in no other one of them: each further one would cost the runner work at every launch, and hide nothing more.
fn outermost(mut paths: Vec<AbsPath>) -> Vec<AbsPath> {
    paths.sort();
    paths.dedup();
    let inner = |path: &AbsPath| paths.iter().any(|other| other != path && path.is_within(other));
    paths.iter().filter(|path| !inner(path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_hidden_paths_are_handed_on() {
        let paths = |texts: &[&str]| texts.iter().map(|text| AbsPath::new(text).unwrap()).collect::<Vec<_>>();
        assert_eq!(outermost(paths(&["/h/.c/node", "/h/.c", "/h/.c-x", "/k", "/h/.c"])), paths(&["/h/.c", "/h/.c-x", "/k"]));
    }
}
