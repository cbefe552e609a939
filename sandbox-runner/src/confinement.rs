//! A policy turned into what the kernel will hold, as strong as this host allows, with the proof of what that is.
//!
//! Invariant: an error here means that nothing is started. A weaker level than the host's best is used only when the policy allows it, and
//! the proof says what is missing.

use crate::kernel::process::user;
use crate::namespaces::{self, Namespaces, User};
use crate::rlimits::described;
use crate::root::view::{NoView, View};
use crate::ruleset::{self, Ruleset};
use crate::seccomp;
use capstan_types::launch::{Enforced, Refusal};
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, Network, SandboxMode, SandboxPolicy};
use seccompiler::BpfProgram;
use std::os::fd::OwnedFd;
use std::path::Path;

/// What a confinement is made for.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// What may be touched.
    pub(crate) policy: &'a SandboxPolicy,
    /// The home of the session's environment.
    pub(crate) home: Option<&'a Path>,
    /// The places in the depth of writable directories that are to be read-only, if they are known.
    pub(crate) protected: Option<&'a [AbsPath]>,
    /// The strongest level to use.
    pub(crate) strongest: Level,
    /// Whether a session may run as our own user when that is root.
    pub(crate) root_allowed: bool,
}

/// What a program is confined by from before its first instruction. Empty for a policy without a sandbox.
#[derive(Debug)]
pub(crate) struct Confinement {
    sandbox: Option<Sandbox>,
    missing: Vec<String>,
    network: Network,
}

#[derive(Debug)]
struct Sandbox {
    inside: Option<(Namespaces, View)>,
    ruleset: Ruleset,
    filters: Vec<BpfProgram>,
}

impl Confinement {
    /// What `wanted` asks for, with namespaces that were made ahead if there are any.
    pub(crate) fn prepare(wanted: &Wanted<'_>, ahead: Option<Namespaces>) -> Result<Self, Refusal> {
        let mut this = Self { sandbox: None, missing: Vec::new(), network: wanted.policy.network.clone() };
        match wanted.policy.mode {
            SandboxMode::DangerFullAccess => {}
            SandboxMode::ReadOnly | SandboxMode::WorkspaceWrite => {
                let inside = this.strongest(wanted, ahead)?;
                let ruleset = if inside.is_some() { ruleset::begin(wanted.policy)? } else { ruleset::build(wanted.policy)? };
                let filters = seccomp::programs(wanted.policy)?;
                this.sandbox = Some(Sandbox { inside, ruleset, filters });
            }
        }
        let level = this.level();
        if level < wanted.policy.level {
            return Err(this.too_weak(level, wanted.policy.level));
        }
        Ok(this)
    }

    /// Namespaces with a root in them, or the reason why there are none among what is missing.
    fn strongest(&mut self, wanted: &Wanted<'_>, ahead: Option<Namespaces>) -> Result<Option<(Namespaces, View)>, Refusal> {
        if wanted.strongest < Level::Namespaces {
            self.missing.push(format!("namespaces: no more than {} was asked for", wanted.strongest));
            return Ok(None);
        }
        let user = User::strongest();
        match self.inside_as(user, wanted, ahead)? {
            Ok(inside) => return Ok(inside),
            Err(reason) if !wanted.root_allowed => {
                let missing = format!("a user of its own for the session ({reason})");
                let remedy =
                    "use a file system with idmapped mounts (ext4, xfs, btrfs, tmpfs; not a container's overlay), or run the \
                              node as an ordinary user"
                        .to_owned();
                return Err(Refusal::CannotEnforce { missing, remedy });
            }
            Err(reason) => self.missing.push(format!("own user: {reason}; the session runs as uid {}", User::Ours.kernel())),
        }
        Ok(self.inside_as(User::Ours, wanted, None)?.unwrap_or_default())
    }

    /// The inner error says that there can be namespaces, but not for this user.
    fn inside_as(
        &mut self,
        user: User,
        wanted: &Wanted<'_>,
        ahead: Option<Namespaces>,
    ) -> Result<Result<Option<(Namespaces, View)>, String>, Refusal> {
        let made = match ahead.filter(|ahead| ahead.user() == user) {
            Some(ahead) => Ok(ahead),
            None => Namespaces::make(user, wanted.home),
        };
        let mut namespaces = match made {
            Ok(namespaces) => namespaces,
            Err(unavailable) => {
                self.missing.push(format!(
                    "namespaces: {unavailable}; allow user namespaces (user.max_user_namespaces, \
                     kernel.apparmor_restrict_unprivileged_userns, the container's seccomp profile)"
                ));
                return Ok(Ok(None));
            }
        };
        match View::of(wanted.policy, wanted.home, wanted.protected, &mut namespaces) {
            Ok(view) => {
                self.missing.extend(view.gaps());
                Ok(Ok(Some((namespaces, view))))
            }
            Err(NoView::Refused(refusal)) => Err(refusal),
            Err(NoView::Owner(place, error)) if user == User::Own => {
                Ok(Err(format!("`{}` cannot be given to another user: {error}", place.display())))
            }
            Err(NoView::Owner(place, error)) => {
                Err(Refusal::Policy { reason: format!("`{}` cannot be shown to the session: {error}", place.display()) })
            }
        }
    }

    fn too_weak(&self, level: Level, least: Level) -> Refusal {
        let missing = format!("the sandbox level {least} (this session would have {level}: {})", self.missing.join("; "));
        Refusal::CannotEnforce { missing, remedy: "`capstan doctor` says what to change on this host".to_owned() }
    }

    /// How strong it is as a whole.
    pub(crate) fn level(&self) -> Level {
        match self.sandbox.as_ref().map(|sandbox| sandbox.inside.as_ref()) {
            None => Level::None,
            Some(None) => Level::Landlock,
            Some(Some((namespaces, _))) if namespaces.user() == User::Own => Level::Full,
            Some(Some(_)) => Level::Namespaces,
        }
    }

    /// Whether there is a sandbox at all.
    pub(crate) const fn is_some(&self) -> bool {
        self.sandbox.is_some()
    }

    /// The namespaces and the root that the program is to enter.
    pub(crate) fn inside(&self) -> Option<(&Namespaces, &View)> {
        self.sandbox.as_ref()?.inside.as_ref().map(|(namespaces, view)| (namespaces, view))
    }

    /// The ruleset to restrict the program by.
    pub(crate) fn ruleset(&self) -> Option<&Ruleset> {
        self.sandbox.as_ref().map(|sandbox| &sandbox.ruleset)
    }

    /// The terminal multiplexer of the session's own devpts.
    pub(crate) fn ptmx(&self) -> Option<&OwnedFd> {
        self.inside().map(|(namespaces, _)| namespaces.ptmx())
    }

    /// Whether the session's network is not the host's.
    pub(crate) const fn own_network(&self) -> bool {
        !self.network.is_full()
    }

    /// The filters to attach, in this order.
    pub(crate) fn filters(&self) -> &[BpfProgram] {
        self.sandbox.as_ref().map_or(&[], |sandbox| &sandbox.filters)
    }

    /// What outlives the launch: the session's namespaces, and what must be taken back after it.
    pub(crate) fn into_inside(self) -> Option<(Namespaces, View)> {
        self.sandbox?.inside
    }

    /// The proof. It is true once the program runs, for every part is set before exec or the launch fails.
    pub(crate) fn enforced(&self, limits: &SessionLimits) -> Enforced {
        let sandbox = self.sandbox.as_ref();
        let inside = self.inside().map(|(namespaces, _)| namespaces);
        let own = |name: &&&str| **name != "net" || self.own_network();
        Enforced {
            landlock_abi: sandbox.map(|sandbox| sandbox.ruleset.abi()),
            seccomp_sha256: sandbox.map(|sandbox| seccomp::sha256(&sandbox.filters)),
            no_new_privs: sandbox.is_some(),
            capabilities_dropped: sandbox.is_some(),
            network_closed: sandbox.is_some() && self.own_network(),
            uid: inside.map_or_else(user, |namespaces| namespaces.user().kernel()),
            limits: described(limits),
            level: self.level(),
            landlock_rights: sandbox.map(|sandbox| sandbox.ruleset.handled()).unwrap_or_default(),
            namespaces: inside.iter().flat_map(|_| namespaces::NAMES.iter().filter(own)).map(|name| (*name).to_owned()).collect(),
            network: self.network.as_str().to_owned(),
            missing: self.missing.clone(),
        }
    }
}
