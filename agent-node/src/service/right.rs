//! By what right somebody acts: over TLS, a grant that the caller signed for this one request. What comes by a pipe, by a Unix socket of this
//! user, or on loopback with this node's token, needs none: it is this process, or this user.

use crate::node::handle::NodeHandle;
use capstan_identity::audit::{Entry, Kind};
use capstan_identity::grant;
use capstan_identity::time_now::now_ms;
use capstan_proto::grant_header::GRANT;
use capstan_proto::transport::tls::Caller;
use capstan_types::grant::{Asked, GrantRefusal, Here};
use tonic::{Request, Status};

/// What a request brought to show its right.
#[derive(Debug)]
pub(crate) struct Right {
    method: &'static str,
    /// Who sent it, if it came from another member.
    caller: Option<Caller>,
    grant: Option<Vec<u8>>,
}

impl Right {
    /// What this request, to the method of this path, brought.
    pub(crate) fn of<T>(method: &'static str, request: &Request<T>) -> Self {
        let grant = request.metadata().get_bin(GRANT).and_then(|value| value.to_bytes().ok());
        Self { method, caller: request.extensions().get::<Caller>().cloned(), grant: grant.map(|bytes| bytes.to_vec()) }
    }

    /// Passes what the grant covers. What is granted and changes something is in the audit log before it is done, and every
    /// refusal.
    ///
    /// # Errors
    /// PERMISSION_DENIED, with what does not fit.
    pub(crate) fn covers(self, node: &NodeHandle, asked: &Asked<'_>) -> Result<(), Status> {
        let Some(caller) = &self.caller else { return Ok(()) };
        let judged = self.judge(node, caller, asked);
        let (kind, reason) = match &judged {
            Ok(()) if asked.act.changes() => (Kind::Granted, "the grant covers it".to_owned()),
            Ok(()) => return Ok(()),
            Err(refusal) => (Kind::Refused, refusal.to_string()),
        };
        if let Some(membership) = &node.membership {
            let mut entry = Entry::new(kind, caller.peer(), self.method, reason.clone());
            entry.from = caller.from();
            entry.thread = Some(asked.authority.thread.to_string());
            entry.act = Some(asked.act.to_string());
            entry.epoch = Some(asked.authority.epoch.0);
            membership.audit.write(entry);
        }
        judged.map_err(|_| Status::permission_denied(reason))
    }

    fn judge(&self, node: &NodeHandle, caller: &Caller, asked: &Asked<'_>) -> Result<(), GrantRefusal> {
        let (Some(peer), Some(leaf)) = (caller.peer(), caller.certificate()) else { return Err(GrantRefusal::Missing) };
        let grant = grant::open(self.grant.as_deref().ok_or(GrantRefusal::Missing)?, leaf)?;
        let record = &node.record;
        let here = Here { node: &record.id, generation: record.generation, peer: peer.thumbprint, now_ms: now_ms() };
        grant.covers(asked, &here)
    }
}
