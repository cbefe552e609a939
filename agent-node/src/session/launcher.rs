//! From what a coordinator asks for to a launch document: the node adds its environment, its hidden paths and its ceiling here, and
//! nowhere else.

use crate::config::NodeConfig;
use crate::node::load::disk_reserve;
use crate::session::admission::Admission;
use crate::session::dir::{NewDir, SessionDir};
use crate::session::holder::Holder;
use crate::session::own_places::OwnPlaces;
use crate::session::programs::Programs;
use crate::session::protected::{Known, Protected, Writes};
use crate::session::runner::{Answered, LaunchError, Runner};
use crate::state::State;
use crate::workspace::layers::Layers;
use crate::workspace::repository;
use capstan_types::control;
use capstan_types::id::{SessionId, ThreadId};
use capstan_types::launch::{Enforced, LaunchSpec, Refusal, Stdio};
use capstan_types::limits::SessionLimits;
use capstan_types::path::{AbsPath, PathError};
use capstan_types::policy::{Level, SandboxMode, SandboxPolicy};
use capstan_types::session::StartCall;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::UnixStream;
use tracing::Instrument;

/// How the runner begins to say that a session could not have a user of its own.
const OWN_USER: &str = "own user";

/// What is common to all sessions of a node.
#[derive(Debug)]
pub(crate) struct Launcher {
    pub(crate) runner: Runner,
    /// The made workspaces that are mounted.
    pub(crate) layers: Layers,
    pub(crate) own: OwnPlaces,
    sessions: PathBuf,
    base_env: BTreeMap<String, String>,
    hidden: Vec<AbsPath>,
    pub(crate) admission: Admission,
    pub(crate) protected: Protected,
    /// How many bytes of the disk are not for output that is kept whole.
    disk_reserve: u64,
    programs: Programs,
    /// Whether it has been said that sessions run as root.
    warned_of_root: AtomicBool,
    /// What sessions reach here, once one has.
    level: OnceLock<Level>,
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

/// A session that can be started: its directory and its launch document.
#[derive(Debug)]
pub(crate) struct Ready {
    dir: NewDir,
    spec: LaunchSpec,
    /// What of the protected names is not known, in words.
    gap: Option<String>,
}

/// A session that runs.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) session: SessionId,
    pub(crate) dir: SessionDir,
    pub(crate) holder: Holder,
    /// See [`Answered::control`].
    pub(crate) control: Option<UnixStream>,
    pub(crate) enforced: Enforced,
    pub(crate) writes: Writes,
}

impl From<StartCall> for Program {
    fn from(call: StartCall) -> Self {
        Self { argv: call.argv, cwd: call.cwd, env: call.env, stdio: call.stdio, policy: call.policy, limits: call.limits }
    }
}

impl Launcher {
    pub(crate) fn new(config: &NodeConfig, state: &State) -> Self {
        let own: Vec<_> =
            [&state.root, &state.checkpoints, &state.saved, &state.workspaces, &state.mirrors].map(Clone::clone).into();
        let hidden = outermost(config.hidden.iter().chain(&own).cloned().collect());
        let layers = Layers::new(state.workspaces.clone());
        let runner = Runner::new(config.runner.clone())
            .with_fork_server(state.root.as_path().to_owned(), config.prepared, hidden.clone())
            .with_scanner()
            .with_home(config.base_env.get("HOME").cloned());
        Self {
            protected: Protected::new(runner.clone(), state.root.clone(), state.workspaces.clone()),
            programs: Programs::make(&state.root, &config.runner.program),
            runner,
            own: OwnPlaces::new(own, layers.clone()),
            layers,
            sessions: state.sessions(),
            base_env: config.base_env.clone(),
            hidden,
            admission: Admission::new(config),
            disk_reserve: disk_reserve(&config.watermarks, state.root.as_path()),
            warned_of_root: AtomicBool::new(false),
            level: OnceLock::new(),
        }
    }

    /// Makes ready what a coordinator asks for a thread, if it is within the node's ceiling and none of the node's own. Nothing of it runs, and a directory that is dropped is
    /// gone.
    pub(crate) async fn prepare_admitted(
        &self,
        (thread, session): (ThreadId, SessionId),
        program: Program,
    ) -> Result<Ready, LaunchError> {
        self.own.keep_out(thread, &program.cwd, &program.policy).map_err(LaunchError::Refused)?;
        let policy = self.admission.admit(program.policy).map_err(LaunchError::Refused)?;
        let mut program = Program { policy, ..program };
        self.programs.offer(self.base_variable("PATH"), &mut program.env, &mut program.policy);
        self.prepare(session, program).await
    }

    /// The directory of a session, whether it is there or not.
    pub(crate) fn dir(&self, session: SessionId) -> Result<SessionDir, PathError> {
        SessionDir::of(&self.sessions, session)
    }

    /// Takes note of what sessions reach here.
    pub(crate) fn found_level(&self, level: Level) {
        let _ = self.level.set(level);
    }

    /// Whether each session has temporary directories of its own, which go with it.
    pub(crate) fn has_private_temp(&self) -> bool {
        self.level.get().is_some_and(|level| *level >= Level::Namespaces)
    }

    /// What is hidden from every session, besides what its policy hides.
    pub(crate) fn hidden(&self) -> &[AbsPath] {
        &self.hidden
    }

    /// A variable of the environment that sessions start from.
    pub(crate) fn base_variable(&self, name: &str) -> Option<&str> {
        self.base_env.get(name).map(String::as_str)
    }

    /// Starts a session under a policy that is the node's own or has been admitted, and returns when its program runs.
    pub(crate) async fn launch(&self, program: Program) -> Result<Launched, LaunchError> {
        let ready = self.prepare(SessionId::generate(), program).await?;
        self.start(ready).await.map_err(|(error, _)| error)
    }

    async fn prepare(&self, session: SessionId, program: Program) -> Result<Ready, LaunchError> {
        self.mount(&program).await?;
        let dir = NewDir::make(&self.sessions, session).map_err(|error| no_dir(&error))?;
        let mut spec = self.document(session, &dir, program)?;
        let Known { places, gap } = self.protected.below(&spec.policy).await;
        spec.protected = places;
        Ok(Ready { dir, spec, gap })
    }

    /// Has the made workspaces mounted that a program works in. In the bare directory below it would write what nobody finds again.
    async fn mount(&self, Program { cwd, policy, .. }: &Program) -> Result<(), LaunchError> {
        let places = [cwd].into_iter().chain(&policy.writable).chain(&policy.readable);
        let threads: BTreeSet<_> = places.filter_map(|place| self.layers.thread_of(place.as_path())).collect();
        if threads.is_empty() {
            return Ok(());
        }
        let layers = self.layers.clone();
        let mounted = tokio::task::spawn_blocking(move || threads.into_iter().try_for_each(|thread| layers.ready(thread))).await;
        let said = mounted.unwrap_or_else(|error| Err(error.to_string()));
        said.map_err(|reason| LaunchError::Refused(Refusal::Host { step: "make the workspace ready".to_owned(), reason }))
    }

    /// Has the runner start it, and returns when its program runs.
    ///
    /// # Errors
    /// With the directory, where it is not known what happens in it.
    pub(crate) async fn start(&self, ready: Ready) -> Result<Launched, (LaunchError, Option<NewDir>)> {
        let Ready { dir, spec, gap } = ready;
        let span = tracing::info_span!("launch", session = %spec.session);
        async {
            // Before it runs, so that whatever it does is looked at once it has ended.
            let writes = self.protected.writes(&spec.policy);
            let Answered { holder, control, mut enforced } = match self.runner.launch(&spec).await {
                Ok(answered) => answered,
                Err(error) => return Err((error, Some(dir))),
            };
            enforced.missing.extend(gap);
            self.warn_of_root(&enforced);
            let dir = dir.keep().ok_or_else(|| (no_dir(&io::ErrorKind::NotFound.into()), None))?;
            Ok(Launched { session: spec.session, dir, holder, control, enforced, writes })
        }
        .instrument(span)
        .await
    }

    /// Says, once in the node's life, that sessions are root's.
    fn warn_of_root(&self, enforced: &Enforced) {
        let Some(missing) = enforced.missing.iter().find(|missing| missing.starts_with(OWN_USER)) else { return };
        if !self.warned_of_root.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                uid = enforced.uid,
                "sessions run as the node's own user, with all else of the sandbox in force: {missing}"
            );
        }
    }

    fn document(&self, session: SessionId, dir: &NewDir, program: Program) -> Result<LaunchSpec, LaunchError> {
        let mut policy = program.policy;
        policy.hidden.extend(self.hidden.iter().cloned());
        policy.hidden = outermost(policy.hidden);
        // Weaker levels have no users of their own.
        if self.admission.must_not_be_root() && policy.mode != SandboxMode::DangerFullAccess {
            policy.level = Level::Full;
        }
        let mut env = self.base_env.clone();
        env.extend(program.env);
        // What lies in a writable directory is read there anyhow.
        let home = env.get("HOME").map(Path::new);
        let places = repository::places(program.cwd.as_path(), home);
        policy.readable.extend(places.into_iter().filter(|place| self.admission.shows(place)));
        Ok(LaunchSpec {
            version: control::VERSION,
            session,
            dir: dir.path().cloned().ok_or_else(|| no_dir(&io::ErrorKind::NotFound.into()))?,
            argv: program.argv,
            cwd: program.cwd,
            env,
            stdio: program.stdio,
            policy,
            limits: program.limits.narrow(&self.admission.limits()),
            root_allowed: self.admission.root_allowed(),
            protected: None,
            strongest: Some(self.admission.strongest()),
            disk_reserve: self.disk_reserve,
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
