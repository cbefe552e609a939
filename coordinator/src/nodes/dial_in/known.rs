//! The nodes that have called, and whose records are kept here. No waiting and no clock: what happens comes in, what is to be done goes out.

use super::greet::Arrived;
use crate::nodes::dialed::DialedWay;
use crate::nodes::pool::PoolMsg;
use capstan_registry::{EtcdError, Registration, RegistryError};
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::NodeRecord;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long a node may be without a connection before it is given up: it calls again within this time if it lives.
const GRACE: Duration = Duration::from_secs(15);

/// The time between two tries to put a record that another coordinator keeps, at most. A read of the registry each.
const AGAIN: Duration = Duration::from_secs(3);

/// What came of a try to put a record.
#[derive(Debug)]
pub(super) enum Kept {
    /// It is kept here.
    Here(Box<Registration>),
    /// Another coordinator keeps it.
    Elsewhere,
    /// A newer life of the node is registered.
    Outdated(Generation),
    /// The registry is away, or refuses it.
    Not,
}

impl Kept {
    pub(super) fn of(tried: Result<Registration, RegistryError>) -> Self {
        match tried {
            Ok(registration) => Self::Here(Box::new(registration)),
            Err(RegistryError::NotNewer { present, offered, .. }) if present > offered => Self::Outdated(present),
            Err(RegistryError::NotNewer { .. }) => Self::Elsewhere,
            Err(error @ RegistryError::Etcd(EtcdError::Denied(_))) => {
                tracing::warn!(%error, "the record of a node that dialed in is not kept; where nodes dial out, coordinators write below nodes/");
                Self::Not
            }
            Err(error) => {
                tracing::debug!(%error, "the record of a node that dialed in is not put now");
                Self::Not
            }
        }
    }
}

/// They all.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<NodeId, One>);

#[derive(Debug)]
struct One {
    record: NodeRecord,
    way: DialedWay,
    open: usize,
    lost: Option<Instant>,
    registration: Option<Registration>,
    trying: bool,
    not_before: Option<Instant>,
}

impl Known {
    /// A node has called. What the pool is to be told; none for one whose newer life has called before.
    pub(super) fn arrived(&mut self, arrived: Arrived) -> Option<Vec<PoolMsg>> {
        let Arrived { record, channel, shown, open: _ } = arrived;
        if let Some(one) = self.0.get_mut(&record.id) {
            if one.record.generation > record.generation {
                tracing::warn!(node = %record.id, generation = %record.generation, "an older life of a node has dialed in, and is let go");
                return None;
            }
            if one.record == record {
                one.way.renewed(channel, shown);
                (one.open, one.lost) = (one.open + 1, None);
                return Some(Vec::new());
            }
        }
        let way = DialedWay::over(channel, shown);
        let told = PoolMsg::Dialed(Box::new(record.clone()), way.clone());
        let one = One { record, way, open: 1, lost: None, registration: None, trying: false, not_before: None };
        // With the one before goes its registration; the newer life would replace it in any case.
        self.0.insert(one.record.id.clone(), one);
        Some(vec![told])
    }

    /// A connection has ended.
    pub(super) fn closed(&mut self, id: &NodeId, generation: Generation, now: Instant) {
        if let Some(one) = self.0.get_mut(id).filter(|one| one.record.generation == generation) {
            one.open = one.open.saturating_sub(1);
            if one.open == 0 {
                one.lost = Some(now);
            }
        }
    }

    /// Those who have not come back in time go, with their records. What the pool is to be told.
    pub(super) fn gone(&mut self, now: Instant) -> Vec<PoolMsg> {
        let over = |one: &One| one.lost.is_some_and(|lost| now.saturating_duration_since(lost) >= GRACE);
        let gone: Vec<_> = self.0.extract_if(.., |_, one| over(one)).collect();
        gone.into_iter()
            .map(|(id, one)| {
                tracing::warn!(node = %id, "a node that had dialed in is gone");
                PoolMsg::Undialed(id, one.record.generation)
            })
            .collect()
    }

    /// At most so many of those whose records should be tried to be put now.
    pub(super) fn unkept(&mut self, most: usize, now: Instant) -> Vec<NodeRecord> {
        let due = |one: &One| {
            one.registration.is_none() && !one.trying && one.open > 0 && one.not_before.is_none_or(|before| now >= before)
        };
        let due = self.0.values_mut().filter(|one| due(one)).take(most);
        due.map(|one| {
            one.trying = true;
            one.record.clone()
        })
        .collect()
    }

    /// A try has ended.
    pub(super) fn kept(&mut self, id: &NodeId, generation: Generation, kept: Kept, now: Instant) {
        // A registration of a life that is not known any more is dropped, which takes its record away.
        let Some(one) = self.0.get_mut(id).filter(|one| one.record.generation == generation) else { return };
        one.trying = false;
        // Not all at once, when the coordinator that keeps them dies.
        one.not_before = Some(now + AGAIN.mul_f64(0.5 + fastrand::f64() / 2.0));
        match kept {
            Kept::Here(registration) => one.registration = Some(*registration),
            Kept::Elsewhere => {}
            Kept::Not => one.not_before = Some(now + AGAIN.mul_f64(2.0 + fastrand::f64())),
            Kept::Outdated(present) => {
                tracing::warn!(node = %id, %generation, %present, "a newer life of a node that has dialed in is registered; nothing new goes to this one");
                one.not_before = Some(now + Duration::from_secs(60));
            }
        }
    }
}

#[cfg(test)]
mod tests;
