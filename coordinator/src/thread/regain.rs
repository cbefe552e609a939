//! What becomes of the sessions of a thread that is taken over.
//!
//! Those that the model knows of are read on (`SessionTable::again`). What the node has beside them is decided here: the session of a command
//! that was cut off before its session was stored is taken in under a new number, because the model was told that it may have done its work, and
//! must be able to look; any other that still runs is ended, because nobody could ever speak to it.

use super::open::{CreateError, Threads};
use super::recall::{CutOff, Recalled};
use crate::clock;
use crate::nodes::host::NodeHost;
use capstan_tools::host::ExecHost as _;
use capstan_types::id::{NodeId, SessionId, ThreadId};
use capstan_types::item::ItemId;
use capstan_types::output::Seq;
use capstan_types::output::clean::Cleaning;
use capstan_types::session::known::KnownSession;
use capstan_types::session::{Listed, ListedState};
use capstan_types::thread::ThreadRecord;
use futures::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::timeout;
use tonic::Status;

/// How long a node may take to list its sessions.
const LISTS_WITHIN: Duration = Duration::from_secs(15);

/// How long a node may take to end and to forget what nobody knows.
const SWEEP: Duration = Duration::from_secs(5);

/// Who is said to have ended such a session.
const BY: &str = "the coordinator, since no call of its thread is known to have started it";

/// What is to be done about a node's sessions of one thread.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Taken in; the numbers are given later.
    take: Vec<KnownSession>,
    /// Ended.
    end: Vec<SessionId>,
    /// Forgotten: they ended, and the model was told, or is not to be.
    release: Vec<SessionId>,
    /// Sessions that the model knows of, or will, and that do not run any more.
    over: Vec<SessionId>,
}

/// Decides. Pure.
#[must_use]
pub fn plan(recalled: &Recalled, listed: &[Listed], node: &NodeId, cleaning: Cleaning) -> Plan {
    let mut plan = Plan::default();
    let here = recalled.sessions.open.values().filter(|session| session.node == *node);
    let open: BTreeSet<SessionId> = here.map(|session| session.session).collect();
    let mut running = BTreeSet::new();
    for found in listed {
        let ended = matches!(found.state, ListedState::Ended(_));
        if !ended {
            running.insert(found.session);
        }
        // A call that goes on finds its own.
        if open.contains(&found.session) || recalled.going_on.contains(&found.call) {
            continue;
        }
        let cut_off = recalled.cut_off.get(&found.call).filter(|_| !recalled.ever.contains(&found.session));
        match cut_off {
            Some(cut_off) => plan.take.push(known(cut_off, found, node, cleaning)),
            None if ended => plan.release.push(found.session),
            None => plan.end.push(found.session),
        }
    }
    let known = open.into_iter().chain(plan.take.iter().map(|session| session.session));
    plan.over = known.filter(|session| !running.contains(session)).collect();
    plan
}

fn known(cut_off: &CutOff, found: &Listed, node: &NodeId, cleaning: Cleaning) -> KnownSession {
    let item: ItemId = cut_off.item;
    KnownSession {
        number: 0,
        session: found.session,
        node: node.clone(),
        call: found.call,
        turn: cut_off.turn,
        item,
        command: cut_off.command.clone(),
        stdio: found.stdio,
        cleaning,
        next: Seq(0),
        announced: false,
    }
}

impl Threads {
    /// Looks for the sessions of a thread on its hosts, and gives what is known of them now and which of them do not run any more.
    pub(super) async fn find_sessions(
        &self,
        record: &ThreadRecord,
        hosts: &[NodeHost],
        mut recalled: Recalled,
    ) -> Result<(Recalled, Vec<SessionId>), CreateError> {
        let asked = join_all(hosts.iter().map(|host| async move { (host, timeout(LISTS_WITHIN, host.sessions()).await) })).await;
        let mut over = Vec::new();
        for (host, listed) in asked {
            let listed = listed.unwrap_or_else(|_| Err(Status::deadline_exceeded("it did not answer in time")));
            let listed = match listed {
                Ok(listed) => listed,
                // What is known is read on all the same; the rest has no owner, and ends by the node's own clock.
                Err(status) => {
                    tracing::warn!(thread = %record.id, node = %host.node(), %status, "a node could not say which sessions it has");
                    continue;
                }
            };
            recalled.on_node.extend(listed.iter().map(|session| session.call));
            let plan = plan(&recalled, &listed, &host.node(), record.settings.cleaning);
            let records = recalled.take_in(plan.take, clock::now());
            if !records.is_empty() {
                self.store.append(record.id, record.epoch, records).await?;
            }
            sweep(record.id, host, &plan.end, &plan.release).await;
            over.extend(plan.over);
        }
        Ok((recalled, over))
    }
}

pub(super) async fn sweep(thread: ThreadId, host: &NodeHost, end: &[SessionId], release: &[SessionId]) {
    let ends = join_all(end.iter().map(|session| host.kill(*session, BY)));
    let releases = join_all(release.iter().map(|session| host.release(*session)));
    let swept = timeout(SWEEP, async { tokio::join!(ends, releases) }).await;
    let failed = swept.map_or(end.len() + release.len(), |(ended, released)| {
        ended.iter().chain(&released).filter(|answer| answer.is_err()).count()
    });
    if failed > 0 {
        tracing::warn!(%thread, failed, "a node did not end or forget all sessions that nobody knows");
    }
}

#[cfg(test)]
mod tests;
