//! A policy turned into what the kernel will hold, as strong as this host allows, with the proof of what that is.
//!
//! Invariant: an error here means that nothing is started. A weaker level than the host's best is used only when the policy allows it, and
//! the proof says what is missing.

use crate::bounds::Bounds;
use crate::egress_process::EgressProcess;
use crate::kernel::process::user;
use crate::namespaces::{self, Namespaces};
use crate::owners::User;
use crate::root::view::{NoView, View};
use crate::ruleset::{self, Ruleset};
use crate::seccomp::{self, BpfProgram, Surroundings};
use capstan_types::launch::{Enforced, Refusal};
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, Network, SandboxMode, SandboxPolicy};
use std::ffi::OsString;
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

/// What was made before the session was known.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    pub(crate) namespaces: Option<Namespaces>,
    pub(crate) rules: Option<ruleset::Common>,
    /// The ruleset of a session inside the namespaces of this init, with the rules that all have.
    pub(crate) begun: Option<(libc::pid_t, Ruleset)>,
}

/// What a program is confined by from before its first instruction. Empty for a policy without a sandbox.
#[derive(Debug)]
pub(crate) struct Confinement {
    sandbox: Option<Sandbox>,
    missing: Vec<String>,
    network: Network,
}

/// Where the proxy of a session listens, inside.
const PROXY_PORT: u16 = 3128;
/// How programs are told of it, in both spellings that they look for.
const PROXY_VARIABLES: [(&str, &str); 8] = [
    ("HTTP_PROXY", "http://127.0.0.1:3128"),
    ("HTTPS_PROXY", "http://127.0.0.1:3128"),
    ("ALL_PROXY", "socks5h://127.0.0.1:3128"),
    ("NO_PROXY", "localhost,127.0.0.1,::1"),
    ("http_proxy", "http://127.0.0.1:3128"),
    ("https_proxy", "http://127.0.0.1:3128"),
    ("all_proxy", "socks5h://127.0.0.1:3128"),
    ("no_proxy", "localhost,127.0.0.1,::1"),
];

/// The variables that a session with this network needs besides its own.
pub(crate) fn network_variables(network: &Network) -> impl Iterator<Item = (OsString, OsString)> {
    let needed = matches!(network, Network::Hosts(_)).then_some(PROXY_VARIABLES);
    needed.into_iter().flatten().map(|(name, value)| (name.into(), value.into()))
}

/// What outlives a launch: the session's namespaces, what its root was made of, and its proxy.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) namespaces: Namespaces,
    pub(crate) view: View,
    pub(crate) proxy: Option<EgressProcess>,
}

#[derive(Debug)]
struct Sandbox {
    inside: Option<Inside>,
    ruleset: Ruleset,
    filters: Vec<BpfProgram>,
}

impl Confinement {
    /// What `wanted` asks for, with what was made ahead if there is any.
    pub(crate) fn prepare(wanted: &Wanted<'_>, ahead: Ahead) -> Result<Self, Refusal> {
        let mut this = Self { sandbox: None, missing: Vec::new(), network: wanted.policy.network.clone() };
        match wanted.policy.mode {
            SandboxMode::DangerFullAccess => {}
            SandboxMode::ReadOnly | SandboxMode::WorkspaceWrite => {
                let inside = this.strongest(wanted, ahead.namespaces)?.map(|inside| this.with_proxy(inside)).transpose()?;
                if inside.is_none() && matches!(this.network, Network::Hosts(_)) {
                    this.missing.push("network to listed hosts: it needs a network namespace, so there is none".to_owned());
                }
                let ruleset = match &inside {
                    // It may hold rules for another root.
                    Some(inside) => {
                        let begun = ahead.begun.filter(|(init, _)| *init == inside.namespaces.init());
                        begun.map_or_else(ruleset::begin, |(_, ruleset)| Ok(ruleset))?
                    }
                    None => ruleset::build(wanted.policy, ahead.rules)?,
                };
                let surroundings = match inside {
                    Some(_) => Surroundings { own_network: this.own_network(), own_ipc: true, own_mounts: true },
                    None => Surroundings::default(),
                };
                let filters = seccomp::programs(wanted.policy, surroundings)?;
                this.sandbox = Some(Sandbox { inside, ruleset, filters });
            }
        }
        let level = this.level();
        if level < wanted.policy.level {
            return Err(this.too_weak(level, wanted.policy.level, &[]));
        }
        Ok(this)
    }

    fn with_proxy(&self, (namespaces, view): (Namespaces, View)) -> Result<Inside, Refusal> {
        let Network::Hosts(rules) = &self.network else { return Ok(Inside { namespaces, view, proxy: None }) };
        let proxy = namespaces.listen(PROXY_PORT).and_then(|listener| EgressProcess::start(listener, rules.clone()));
        let failed =
            |error: std::io::Error| Refusal::Host { step: "start the session's proxy".to_owned(), reason: error.to_string() };
        Ok(Inside { namespaces, view, proxy: Some(proxy.map_err(failed)?) })
    }

    /// Namespaces with a root in them, or the reason why there are none among what is missing.
    fn strongest(&mut self, wanted: &Wanted<'_>, ahead: Option<Namespaces>) -> Result<Option<(Namespaces, View)>, Refusal> {
        if wanted.strongest < Level::Namespaces {
            if User::strongest() == User::Own && !wanted.root_allowed {
                return Err(own_user_needed(&format!("no more than {} was asked for", wanted.strongest)));
            }
            self.missing.push(format!("namespaces: no more than {} was asked for", wanted.strongest));
            return Ok(None);
        }
        match self.inside_as(User::strongest(), wanted, ahead)? {
            Ok(inside) => return Ok(inside),
            Err(reason) if !wanted.root_allowed => return Err(own_user_needed(&reason)),
            Err(reason) => self.missing.push(format!("own user: {reason}; the session runs as uid {}", User::Ours.kernel())),
        }
        Ok(self.inside_as(User::Ours, wanted, None)?.unwrap_or_default())
    }

    /// The inner error says that there are none for a user of the session's own; there may be some for ours.
    fn inside_as(
        &mut self,
        user: User,
        wanted: &Wanted<'_>,
        ahead: Option<Namespaces>,
    ) -> Result<Result<Option<(Namespaces, View)>, String>, Refusal> {
        let made = match ahead.filter(|ahead| ahead.user() == user) {
            Some(ahead) => Ok(ahead),
            None => Namespaces::begin(user, wanted.home),
        };
        let mut unavailable = |unavailable: namespaces::Unavailable| {
            if user == User::Own {
                return Ok(Err(unavailable.to_string()));
            }
            self.missing.push(format!(
                "namespaces: {unavailable}; allow user namespaces (user.max_user_namespaces, \
                     kernel.apparmor_restrict_unprivileged_userns, the container's seccomp profile)"
            ));
            Ok(Ok(None))
        };
        let mut namespaces = match made {
            Ok(namespaces) => namespaces,
            Err(error) => return unavailable(error),
        };
        // While init builds the root.
        let shown_home = namespaces.home().map(Path::to_owned);
        let owners = namespaces.owners();
        let view = View::of(wanted.policy, wanted.home, wanted.protected, shown_home.as_deref(), owners);
        if let Err(error) = namespaces.complete() {
            return unavailable(error);
        }
        match view {
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

    /// Refuses what is weaker than `least` once it is known what bounds the tree.
    pub(crate) fn demand(&self, least: Level, bounds: &Bounds) -> Result<(), Refusal> {
        let level = self.level_with(bounds);
        if level < least { Err(self.too_weak(level, least, &bounds.missing())) } else { Ok(()) }
    }

    /// Without bounds of the whole tree a user of its own is not all that the highest level promises.
    fn level_with(&self, bounds: &Bounds) -> Level {
        if bounds.missing().is_empty() { self.level() } else { self.level().min(Level::Namespaces) }
    }

    fn too_weak(&self, level: Level, least: Level, more: &[String]) -> Refusal {
        let reasons: Vec<&str> = self.missing.iter().chain(more).map(String::as_str).collect();
        let missing = format!("the sandbox level {least} (this session would have {level}: {})", reasons.join("; "));
        Refusal::CannotEnforce { missing, remedy: "`capstan doctor` says what to change on this host".to_owned() }
    }

    /// How strong it is as far as the program alone goes.
    fn level(&self) -> Level {
        match self.sandbox.as_ref().map(|sandbox| sandbox.inside.as_ref()) {
            None => Level::None,
            Some(None) => Level::Landlock,
            Some(Some(inside)) if inside.namespaces.user() == User::Own => Level::Full,
            Some(Some(_)) => Level::Namespaces,
        }
    }

    /// Whether there is a sandbox at all.
    pub(crate) const fn is_some(&self) -> bool {
        self.sandbox.is_some()
    }

    /// The namespaces and the root that the program is to enter.
    pub(crate) fn inside(&self) -> Option<(&Namespaces, &View)> {
        self.sandbox.as_ref()?.inside.as_ref().map(|inside| (&inside.namespaces, &inside.view))
    }

    /// The ruleset to restrict the program by.
    pub(crate) fn ruleset(&self) -> Option<&Ruleset> {
        self.sandbox.as_ref().map(|sandbox| &sandbox.ruleset)
    }

    /// The terminal multiplexer of the session's own devpts.
    pub(crate) fn ptmx(&self) -> Option<&OwnedFd> {
        self.inside().and_then(|(namespaces, _)| namespaces.ptmx())
    }

    /// Whether processes of the session's user are the session's alone, and can be counted as such.
    pub(crate) fn own_user(&self) -> bool {
        self.inside().is_some()
    }

    /// Whether the session's network is not the host's.
    pub(crate) const fn own_network(&self) -> bool {
        !self.network.is_full()
    }

    /// The filters to attach, in this order.
    pub(crate) fn filters(&self) -> &[BpfProgram] {
        self.sandbox.as_ref().map_or(&[], |sandbox| &sandbox.filters)
    }

    /// What outlives the launch.
    pub(crate) fn into_inside(self) -> Option<Inside> {
        self.sandbox?.inside
    }

    /// The proof. It is true once the program runs, for every part is set before exec or the launch fails.
    pub(crate) fn enforced(&self, bounds: &Bounds) -> Enforced {
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
            limits: bounds.described(),
            level: self.level_with(bounds),
            landlock_rights: sandbox.map(|sandbox| sandbox.ruleset.handled()).unwrap_or_default(),
            namespaces: inside.iter().flat_map(|_| namespaces::NAMES.iter().filter(own)).map(|name| (*name).to_owned()).collect(),
            network: self.network.as_str().to_owned(),
            missing: self.missing.iter().cloned().chain(bounds.missing()).collect(),
        }
    }
}

/// A node that runs as root starts nothing as root unless it is told that it may.
fn own_user_needed(reason: &str) -> Refusal {
    let remedy = "allow user namespaces, use a file system with idmapped mounts (ext4, xfs, btrfs, tmpfs; not a container's overlay), or \
                  run the node as an ordinary user";
    Refusal::CannotEnforce { missing: format!("a user of its own for the session ({reason})"), remedy: remedy.to_owned() }
}
