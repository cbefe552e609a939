//! The right to act on a node for a thread: what its owner signs for each request, and what a node looks at before it obeys.
//!
//! A grant says everything that makes it useless elsewhere: for which node's which life, which thread and epoch, which one act under which
//! policy, until when, and in whose hands.

use crate::id::{Attempt, CallId, Epoch, Generation, NodeId, SessionId, ThreadId};
use crate::limits::SessionLimits;
use crate::output::digest::Digest;
use crate::policy::SandboxPolicy;
use crate::principal::Thumbprint;
use crate::session::Authority;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The longest that a grant is good for, in milliseconds.
pub const LONGEST_MS: u64 = 5 * 60 * 1000;

/// How far the clocks of a coordinator and a node may differ, in milliseconds.
pub const SKEW_MS: u64 = 60 * 1000;

/// What a grant lets its holder do: one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Start this attempt of a call.
    Start(CallId, Attempt),
    /// Apply the patch of this attempt of a call.
    Patch(CallId, Attempt),
    /// Say something to a session, or read what it writes.
    Session(SessionId, Said),
    /// Do something with the thread's workspace.
    Workspace(Work),
}

/// What is said to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// Its output is read.
    Attach,
    /// It is sent input.
    Write,
    /// It is sent a signal.
    Signal,
    /// Its terminal gets another size.
    Resize,
    /// It is ended.
    Kill,
    /// It is forgotten.
    Release,
}

/// What is done with a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A directory is looked at, to be one.
    Open,
    /// Files are read.
    ReadFiles,
    /// Its state is noted.
    Checkpoint,
    /// Its states are compared.
    Diff,
    /// What changed between two of them is given out as a patch.
    Patch,
    /// An earlier state is brought back.
    Undo,
    /// All its states are forgotten.
    Forget,
    /// A file is read, files are listed, searched or watched.
    LookAtFiles,
    /// A file is written.
    WriteFile,
    /// It is saved as a checkpoint that travels.
    Save,
    /// Such a checkpoint is brought back.
    Restore,
    /// Two of them are compared.
    Compare,
    /// It is asked which packs of one are missing.
    LacksPacks,
    /// Packs are brought.
    GivePacks,
    /// Packs of one are given out.
    TakePacks,
    /// It is made of its source.
    Make,
}

/// The right to one act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// For which thread.
    pub thread: ThreadId,
    /// On which node.
    pub node: NodeId,
    /// In which of its lives.
    pub generation: Generation,
    /// The fencing number of the thread's owner.
    pub epoch: Epoch,
    /// To do what.
    pub act: Act,
    /// Under which policy and limits; none for acts that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
    /// The last moment, in milliseconds since 1970.
    pub not_after_ms: u64,
    /// The certificate of the only one who may use it.
    pub holder: Thumbprint,
}

/// What is asked of a node, as far as a grant speaks of it.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Who asks.
    pub authority: &'a Authority,
    /// To do what.
    pub act: Act,
    /// Under which policy and limits; none for acts that have none.
    pub policy: Option<Digest>,
}

/// Where and when something is asked.
#[derive(Debug, Clone, Copy)]
pub struct Here<'a> {
    /// The node.
    pub node: &'a NodeId,
    /// Its life.
    pub generation: Generation,
    /// The certificate of whoever asks.
    pub peer: Thumbprint,
    /// The time by the node's clock, in milliseconds since 1970.
    pub now_ms: u64,
}

/// Why a grant does not cover what is asked. For the coordinator's operator, and the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// There is none.
    #[error("the request carries no grant; a node obeys only the owner of a thread, who signs one for each request")]
    Missing,
    /// It is not one, or not signed by whoever sent it.
    #[error("the request's grant is not signed by the coordinator that sent it")]
    Signature,
    /// It is another's.
    #[error("the request's grant was given to another coordinator than the one that sent it")]
    Holder,
    /// It is for another node, or an earlier life of this one.
    #[error("the request's grant is for another node, or an earlier life of this one")]
    Node,
    /// It is for another thread.
    #[error("the request's grant is for another thread")]
    Thread,
    /// It is of another owner's time.
    #[error("the request's grant is of another epoch than the request")]
    Epoch,
    /// It is for another act.
    #[error("the request's grant is for another call or another act")]
    Act,
    /// It is for another policy.
    #[error("the request's grant is for another policy or other limits")]
    Policy,
    /// Its time is over, or is longer than any may be.
    #[error("the request's grant has expired, or is good for longer than {} s; compare the clocks of the coordinator and this node", LONGEST_MS / 1000)]
    Time,
}

impl Grant {
    /// Whether this grant covers what is asked. Its signature is another question.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn covers(&self, asked: &Asked<'_>, here: &Here<'_>) -> Result<(), GrantRefusal> {
        let fits = |right: bool, refusal| if right { Ok(()) } else { Err(refusal) };
        fits(self.holder == here.peer, GrantRefusal::Holder)?;
        fits(self.node == *here.node && self.generation == here.generation, GrantRefusal::Node)?;
        fits(self.thread == asked.authority.thread, GrantRefusal::Thread)?;
        fits(self.epoch == asked.authority.epoch, GrantRefusal::Epoch)?;
        fits(self.act == asked.act, GrantRefusal::Act)?;
        fits(self.policy == asked.policy, GrantRefusal::Policy)?;
        let latest = here.now_ms.saturating_add(LONGEST_MS + SKEW_MS);
        let in_time = self.not_after_ms.saturating_add(SKEW_MS) > here.now_ms && self.not_after_ms <= latest;
        fits(in_time, GrantRefusal::Time)
    }
}

impl Act {
    /// Whether it changes something: for the world, for a session, or of what a node keeps of a thread's files. What is read, what is noted for
    /// later, and that an end is stored, changes nothing.
    #[must_use]
    pub const fn changes(&self) -> bool {
        match self {
            Self::Start(..) | Self::Patch(..) => true,
            Self::Session(_, said) => match said {
                Said::Write | Said::Signal | Said::Resize | Said::Kill => true,
                Said::Attach | Said::Release => false,
            },
            Self::Workspace(work) => match work {
                Work::Undo | Work::Forget | Work::Restore | Work::GivePacks | Work::Make | Work::WriteFile => true,
                Work::Open
                | Work::ReadFiles
                | Work::LookAtFiles
                | Work::Checkpoint
                | Work::Diff
                | Work::Patch
                | Work::Save
                | Work::Compare
                | Work::LacksPacks
                | Work::TakePacks => false,
            },
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(call, attempt) => write!(f, "start {call}/{attempt}"),
            Self::Patch(call, attempt) => write!(f, "patch {call}/{attempt}"),
            Self::Session(session, said) => write!(f, "{said:?} {session}"),
            Self::Workspace(work) => write!(f, "{work:?}"),
        }
    }
}

/// The digest of a policy, and of limits where there are some.
#[must_use]
pub fn policy_digest(policy: &SandboxPolicy, limits: Option<&SessionLimits>) -> Digest {
    // Values of our own, with no map whose keys are not text: there is nothing that could fail.
    let text = serde_json::to_vec(&(policy, limits)).unwrap_or_default();
    Digest(Sha256::digest(text).into())
}

#[cfg(test)]
mod tests;
