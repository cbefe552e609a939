//! What a holder can have ready before it knows its session.

use super::streams::{self, Pair};
use crate::cgroup::{Cgroup, Places};
use crate::confinement::Ahead;
use crate::kernel::process;
use crate::kernel::signals::Signals;
use crate::launch::Embryo;
use crate::namespaces::Namespaces;
use crate::owners::User;
use crate::ruleset::{self, Common};
use crate::seccomp;
use capstan_types::launch::{LaunchSpec, TermSize};
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, SandboxMode, SandboxPolicy};
use std::path::Path;

/// Made by a holder of `serve` while it waits, so that it costs no session its time. What does not suit a session is made anew for it.
#[derive(Debug)]
pub(crate) struct Readiness {
    /// First, for it is in the groups and namespaces below.
    pub(super) embryo: Option<Embryo>,
    pub(super) ahead: Ahead,
    pub(super) places: Places,
    pub(super) cgroup: Cgroup,
    pub(super) signals: Option<Signals>,
    pub(super) terminal: Option<Pair>,
}

/// What whoever forked a holder has for it.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// Nothing, for nobody has: the holder alone looks after what others left behind.
    Nothing,
    /// Where groups are made.
    Places(Places),
    /// All of it.
    Ready(Box<Readiness>),
}

impl Prepared {
    /// It, with what is still to be begun for such a session.
    pub(super) fn into_readiness(self, spec: &LaunchSpec, level: Level) -> Readiness {
        match self {
            Self::Ready(ready) => *ready,
            Self::Places(places) => Readiness::begin(spec, level, || places),
            Self::Nothing => Readiness::begin(spec, level, Places::find),
        }
    }
}

impl Readiness {
    /// Makes what can be made ahead for sessions with a sandbox of this level, from which these paths are hidden, and whose home is the
    /// HOME of this process.
    pub(crate) fn make(level: Level, hidden: &[AbsPath], places: Places) -> Self {
        let cgroup = Cgroup::make(&places, &SessionLimits::default());
        let signals = Signals::open().ok();
        // What cannot be made now is tried again for the session, where it can be said why.
        let mut namespaces = (level >= Level::Namespaces).then(namespaces).flatten();
        let open = |ptmx| streams::open_terminal(TermSize::default(), ptmx).ok();
        let (embryo, terminal, rules, begun) = match (&mut namespaces, level) {
            (Some(namespaces), _) => {
                let terminal = open(namespaces.ptmx());
                let ready = namespaces.user() == User::Own && namespaces.await_root().is_ok();
                let ruleset = ready.then(|| ruleset::begin().ok()).flatten();
                let embryo = ruleset.as_ref().and_then(|ruleset| Embryo::inside(namespaces, ruleset, &cgroup).ok());
                (embryo, terminal, None, ruleset.map(|ruleset| (namespaces.init(), ruleset)))
            }
            (None, Level::None) => (None, open(None), None, None),
            (None, _) => {
                let (terminal, rules) = (open(None), Common::make(hidden));
                (filtered(&cgroup), terminal, rules, None)
            }
        };
        Self { embryo, ahead: Ahead { namespaces, rules, begun }, places, cgroup, signals, terminal }
    }

    /// Begins with what takes longest, so that init is at work while the rest is made.
    fn begin(spec: &LaunchSpec, level: Level, places: impl FnOnce() -> Places) -> Self {
        // What cannot be is said when it is needed.
        let begin = || Namespaces::begin(User::strongest(), spec.env.get("HOME").map(Path::new)).ok();
        let namespaces = (level >= Level::Namespaces).then(begin).flatten();
        let places = places();
        let cgroup = Cgroup::make(&places, &spec.limits);
        Self { embryo: None, ahead: Ahead { namespaces, ..Ahead::default() }, places, cgroup, signals: None, terminal: None }
    }
}

/// The level of the sandbox that a document asks for, as far as that decides what can be made ahead.
pub(super) fn level(spec: &LaunchSpec) -> Level {
    match spec.policy.mode {
        SandboxMode::DangerFullAccess => Level::None,
        SandboxMode::ReadOnly | SandboxMode::WorkspaceWrite => spec.strongest.unwrap_or(Level::Full),
    }
}

/// Has the groups bound what `limits` ask for. Where they must be made anew, whoever waits in them goes.
pub(super) fn fit(
    mut cgroup: Cgroup,
    mut embryo: Option<Embryo>,
    places: &Places,
    limits: &SessionLimits,
) -> (Cgroup, Option<Embryo>) {
    if cgroup.fit(limits).is_err() {
        embryo = None;
        // Its successor has its name.
        drop(cgroup);
        cgroup = Cgroup::make(places, limits);
    }
    (cgroup, embryo)
}

fn namespaces() -> Option<Namespaces> {
    let home = std::env::var_os("HOME");
    let mut namespaces = Namespaces::begin(User::strongest(), home.as_deref().map(Path::new)).ok()?;
    namespaces.complete().ok()?;
    // Most directories that a session is given are its node's, which is us.
    let _ = namespaces.owners().translate(process::owner());
    Some(namespaces)
}

/// With the filters of most sessions: they write in a workspace, and the host's network is not theirs.
fn filtered(cgroup: &Cgroup) -> Option<Embryo> {
    let policy = SandboxPolicy::workspace_write(Vec::new());
    let filters = seccomp::programs(&policy, seccomp::Surroundings::default()).ok()?;
    Embryo::filtered(filters, cgroup).ok()
}
