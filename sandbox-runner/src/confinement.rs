//! A policy turned into what the kernel will hold: a Landlock ruleset and seccomp programs, with the proof of what they are.
//!
//! Invariant: an error here means that nothing is started. Nothing is ever made weaker to fit the kernel.

use crate::bounds::Bounds;
use crate::kernel::process::user;
use crate::ruleset::{self, Ruleset};
use crate::seccomp;
use capstan_types::launch::{Enforced, Refusal};
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use seccompiler::BpfProgram;
use std::os::fd::{BorrowedFd, OwnedFd};

/// What a program is confined by from before its first instruction. Empty for a policy without a sandbox.
#[derive(Debug)]
pub(crate) struct Confinement(Option<Sandbox>);

#[derive(Debug)]
struct Sandbox {
    ruleset: Ruleset,
    filters: Vec<BpfProgram>,
    network_closed: bool,
}

impl Confinement {
    /// What `policy` asks for. `terminal` is the session's own, which it may use however little else it may.
    pub(crate) fn prepare(policy: &SandboxPolicy, terminal: Option<BorrowedFd<'_>>) -> Result<Self, Refusal> {
        match policy.mode {
            SandboxMode::DangerFullAccess => Ok(Self(None)),
            SandboxMode::ReadOnly | SandboxMode::WorkspaceWrite => Ok(Self(Some(Sandbox {
                ruleset: ruleset::build(policy, terminal)?,
                filters: seccomp::programs(policy)?,
                network_closed: !policy.network.is_full(),
            }))),
        }
    }

    /// Whether there is a sandbox at all.
    pub(crate) const fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// The ruleset to restrict the program by.
    pub(crate) fn ruleset(&self) -> Option<&OwnedFd> {
        self.0.as_ref().map(|sandbox| sandbox.ruleset.fd())
    }

    /// The filters to attach, in this order.
    pub(crate) fn filters(&self) -> &[BpfProgram] {
        self.0.as_ref().map_or(&[], |sandbox| &sandbox.filters)
    }

    /// The proof. It is true once the program runs, for every part is set before exec or the launch fails.
    pub(crate) fn enforced(&self, bounds: &Bounds) -> Enforced {
        let sandbox = self.0.as_ref();
        Enforced {
            landlock_abi: sandbox.map(|sandbox| sandbox.ruleset.abi()),
            seccomp_sha256: sandbox.map(|sandbox| seccomp::sha256(&sandbox.filters)),
            no_new_privs: sandbox.is_some(),
            capabilities_dropped: sandbox.is_some(),
            network_closed: sandbox.is_some_and(|sandbox| sandbox.network_closed),
            uid: user(),
            limits: bounds.described(),
            missing: bounds.missing(),
            ..Enforced::default()
        }
    }
}
