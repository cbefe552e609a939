//! The node's own limit of descriptors: raised to what its sessions need, and kept from them.

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use std::sync::OnceLock;

/// What a session takes of the node: a connection for commands, one for each of two readers, and its holder.
const FOR_A_SESSION: u64 = 4;

/// What the node takes without any.
const FOR_ITSELF: u64 = 256;

/// The limit that this process was started with, once it has been raised.
static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Raises the soft limit of this process so that it can keep so many sessions, as far as the hard one allows.
pub(crate) fn raise_for(sessions: u32) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = u64::from(sessions) * FOR_A_SESSION + FOR_ITSELF;
    let reached = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if limit.current.is_none_or(|current| current >= reached) {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(reached), ..limit }) {
        Ok(()) => drop(BEFORE.set(limit)),
        Err(error) => {
            tracing::warn!(%error, "the limit of descriptors cannot be raised; fewer sessions fit than the node has places")
        }
    }
}

/// Gives a child the limit that this process was started with: programs that use `select` trust it.
pub(crate) fn lower_for(child: Option<u32>) {
    if let (Some(before), Some(child)) = (BEFORE.get(), child)
        && let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw)
    {
        // One that has ended needs no limit.
        let _ = prlimit(Some(pid), Resource::Nofile, *before);
    }
}
