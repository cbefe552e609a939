//! The way to a node that is another member: its connections are made, and its grants signed, by the same credentials.
//!
//! When this process has new credentials, what is asked from then on goes over a new connection; streams on the old one run to their end.

use capstan_identity::credentials::Credentials;
use capstan_identity::grant;
use capstan_identity::membership::Membership;
use capstan_identity::time_now::now_ms;
use capstan_identity::tls::Expected;
use capstan_proto::transport::tls::secured_channel;
use capstan_types::grant::{Asked, Grant};
use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;
use capstan_types::principal::Role;
use std::sync::{Arc, Mutex, PoisonError};
use tonic::metadata::{Binary, MetadataValue};
use tonic::transport::Channel;

/// How long a grant is good for, in milliseconds: longer than any deadline of a request that is sent once.
const GOOD_FOR_MS: u64 = 4 * 60 * 1000;

/// The way to one member.
#[derive(Debug)]
pub(super) struct MemberWay {
    host: String,
    expected: Expected,
    membership: Membership,
    newest: Mutex<(Channel, Arc<Credentials>)>,
}

impl MemberWay {
    /// The way to the node at `host`, which must be called `id` if that is said.
    pub(super) fn new(host: &str, id: Option<&NodeId>, membership: &Membership) -> Self {
        // A node's id is spelt as a part of a name is.
        let id = id.and_then(|id| id.as_str().parse().ok());
        let expected = Expected { role: Role::Node, id };
        let credentials = membership.live.credentials();
        let channel = channel(host, &expected, membership, &credentials);
        Self { host: host.to_owned(), expected, membership: membership.clone(), newest: Mutex::new((channel, credentials)) }
    }

    /// The channel of the newest credentials, and those.
    pub(super) fn newest(&self) -> (Channel, Arc<Credentials>) {
        let credentials = self.membership.live.credentials();
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&newest.1, &credentials) {
            *newest = (channel(&self.host, &self.expected, &self.membership, &credentials), credentials);
        }
        newest.clone()
    }
}

/// The grant of what is asked of the node of this record, signed by these credentials.
pub(super) fn grant_for(
    asked: Option<&Asked<'_>>,
    record: &NodeRecord,
    credentials: &Credentials,
) -> Option<MetadataValue<Binary>> {
    match grant::sign(&granted(asked?, record, credentials), credentials) {
        Ok(signed) => Some(MetadataValue::from_bytes(&signed)),
        // The node refuses it, and says so.
        Err(error) => {
            tracing::error!(%error, "no grant was signed");
            None
        }
    }
}

fn channel(host: &str, expected: &Expected, membership: &Membership, credentials: &Arc<Credentials>) -> Channel {
    secured_channel(host, &membership.live, credentials, expected.clone(), Some(membership.audit.clone()))
}

fn granted(asked: &Asked<'_>, record: &NodeRecord, credentials: &Credentials) -> Grant {
    Grant {
        thread: asked.authority.thread,
        node: record.id.clone(),
        generation: record.generation,
        epoch: asked.authority.epoch,
        act: asked.act.clone(),
        policy: asked.policy,
        not_after_ms: now_ms().saturating_add(GOOD_FOR_MS),
        holder: credentials.own().thumbprint,
    }
}
