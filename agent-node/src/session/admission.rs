//! What of a coordinator's request this node allows at all.
//!
//! Invariant: paths are compared with the ceiling, and handed on, as what they are after symbolic links: a session can make a link below
//! an allowed directory, and a name of it must not lead out.

use crate::config::NodeConfig;
use capstan_types::launch::Refusal;
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Ceiling, Level, SandboxMode, SandboxPolicy};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, PoisonError, RwLock};

/// The node's side of every policy.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Replaced as a whole, so that no request is judged by parts of two.
    ceiling: RwLock<Arc<Ceiling>>,
    root_allowed: bool,
    strongest: Level,
    /// Whether what is started without a sandbox would be root's.
    is_root: bool,
}

impl Admission {
    pub(crate) fn new(config: &NodeConfig) -> Self {
        let ceiling = RwLock::new(Arc::new(resolved(&config.ceiling)));
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        Self { ceiling, root_allowed: config.root_allowed, strongest: config.strongest, is_root }
    }

    /// Allows as much as this from now on. It blocks for a few file operations.
    pub(crate) fn allow(&self, ceiling: &Ceiling) {
        let ceiling = Arc::new(resolved(ceiling));
        *self.ceiling.write().unwrap_or_else(PoisonError::into_inner) = ceiling;
    }

    fn ceiling(&self) -> Arc<Ceiling> {
        Arc::clone(&self.ceiling.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The policy as it is to be applied: what the ceiling protects is added. It blocks for a few file operations.
    ///
    /// # Errors
    /// It is wider than the ceiling, or would make the session root.
    pub(crate) fn admit(&self, mut asked: SandboxPolicy) -> Result<SandboxPolicy, Refusal> {
        asked.writable.iter_mut().chain(&mut asked.readable).for_each(resolve);
        let ceiling = self.ceiling();
        if let Some(exceeded) = ceiling.exceeded_by(&asked) {
            return Err(Refusal::Policy { reason: exceeded.to_string() });
        }
        if asked.mode == SandboxMode::DangerFullAccess && self.must_not_be_root() {
            let reason = "this node is a daemon of root's, and without a sandbox its sessions would be root; use -s workspace-write, or \
                          run the node as an ordinary user";
            return Err(Refusal::Policy { reason: reason.to_owned() });
        }
        Ok(asked.narrow(&ceiling))
    }

    /// Whether the ceiling lets this place be read.
    pub(crate) fn shows(&self, place: &AbsPath) -> bool {
        let reading = SandboxPolicy { readable: vec![place.clone()], ..SandboxPolicy::read_only() };
        self.ceiling().exceeded_by(&reading).is_none()
    }

    /// Whether the ceiling lets this directory be written.
    pub(crate) fn lets_write(&self, place: &AbsPath) -> bool {
        let mut place = place.clone();
        resolve(&mut place);
        self.ceiling().exceeded_by(&SandboxPolicy::workspace_write(vec![place])).is_none()
    }

    /// The highest limits.
    pub(crate) fn limits(&self) -> SessionLimits {
        self.ceiling().limits
    }

    /// Whether what runs must have another user than the node, because that is root.
    pub(crate) const fn must_not_be_root(&self) -> bool {
        self.is_root && !self.root_allowed
    }

    /// Whether a session may run as root where it cannot have a user of its own.
    pub(crate) const fn root_allowed(&self) -> bool {
        self.root_allowed
    }

    /// The strongest level that sessions get.
    pub(crate) const fn strongest(&self) -> Level {
        self.strongest
    }
}

fn resolved(ceiling: &Ceiling) -> Ceiling {
    let mut ceiling = ceiling.clone();
    let lists = [&mut ceiling.writable, &mut ceiling.readable].into_iter().flatten().chain([&mut ceiling.hidden]);
    lists.flatten().for_each(resolve);
    ceiling
}

/// What does not exist keeps its name, and is refused by the runner.
fn resolve(path: &mut AbsPath) {
    if let Some(real) = path.as_path().canonicalize().ok().and_then(|real| AbsPath::new(real).ok()) {
        *path = real;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::default_ceiling;
    use std::path::Path;

    fn path(path: &Path) -> AbsPath {
        AbsPath::new(path).unwrap()
    }

    fn admission(ceiling: Ceiling) -> Admission {
        let ceiling = RwLock::new(Arc::new(ceiling));
        Admission { ceiling, root_allowed: false, strongest: Level::Full, is_root: true }
    }

    #[test]
    fn a_link_below_an_allowed_directory_does_not_lead_out_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        std::os::unix::fs::symlink(&inside, dir.path().join("alias")).unwrap();
        let allowed = path(&inside.canonicalize().unwrap());
        let admission = admission(Ceiling { writable: Some(vec![allowed.clone()]), ..default_ceiling() });
        let admit = |place: &Path| admission.admit(SandboxPolicy::workspace_write(vec![path(place)]));
        let Err(Refusal::Policy { reason }) = admit(&inside.join("link")) else { panic!("it was admitted") };
        assert!(reason.contains("to be writable (only below"), "{reason}");
        assert_eq!(admit(&dir.path().join("alias")).unwrap().writable, std::slice::from_ref(&allowed));
        assert!(admission.lets_write(&allowed) && !admission.lets_write(&path(&outside)));
    }

    #[test]
    fn a_daemon_of_roots_starts_nothing_without_a_sandbox() {
        let daemon = admission(default_ceiling());
        let Err(Refusal::Policy { reason }) = daemon.admit(SandboxPolicy::full_access()) else { panic!("it was admitted") };
        assert!(reason.contains("its sessions would be root; use -s workspace-write"), "{reason}");
        for allowed in [Admission { root_allowed: true, ..admission(default_ceiling()) }, Admission { is_root: false, ..daemon }]
        {
            assert_eq!(allowed.admit(SandboxPolicy::full_access()), Ok(SandboxPolicy::full_access()));
        }
    }
}
