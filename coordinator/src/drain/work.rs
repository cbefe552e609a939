//! The drain of one node, from the order to its end.

use super::Hands;
use super::count::Count;
use crate::clock;
use crate::nodes::operate::OperatorHands;
use capstan_types::node_status::{DrainProgress, DrainStage, RunningSession};
use capstan_types::operator::{Operator, SessionPlace};
use capstan_types::orders::{AtDeadline, Change, Closed, Drain, Given};
use capstan_types::session::{Listed, ListedState};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

/// How often what runs is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// So many looks in a row that find nothing are needed: what was about to begin when the drain was ordered is seen by the second.
const QUIET: u32 = 2;

/// How many sessions are named to those who look.
const NAMED: usize = 20;

/// How many sessions are ended at once.
const AT_ONCE: usize = 16;

/// Carries a drain out, and tells how far it is.
pub(super) async fn drain(hands: Hands, told: watch::Sender<Option<DrainProgress>>) {
    let Closed::Draining(drain) = hands.order.what.clone() else { return };
    let mut work = Work { hands, drain, told, count: Count::default(), quiet: 0 };
    loop {
        if work.is_called_off().await {
            return;
        }
        if work.look().await {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

struct Work {
    hands: Hands,
    drain: Drain,
    told: watch::Sender<Option<DrainProgress>>,
    count: Count,
    quiet: u32,
}

/// What runs on the node.
#[derive(Debug, Default)]
struct Found {
    sessions: Vec<Listed>,
    turns: u32,
    unknown: Option<String>,
}

impl Work {
    async fn is_called_off(&self) -> bool {
        let orders = self.hands.registry.orders().await;
        let closed = orders.borrow().get(&self.hands.node).and_then(|orders| orders.closed.clone());
        let goes_on = closed.as_ref() == Some(&self.hands.order);
        if !goes_on {
            let drained = closed.is_some_and(|closed| closed.what == Closed::Drained);
            self.tell(if drained { DrainStage::Drained } else { DrainStage::CalledOff }, &Found::default());
        }
        !goes_on
    }

    /// Looks once; whether the drain is over.
    async fn look(&mut self) -> bool {
        let found = self.found().await;
        let is_over = self.drain.deadline.is_some_and(|deadline| clock::now() >= deadline);
        let empty = found.unknown.is_none() && found.sessions.is_empty() && found.turns == 0;
        self.quiet = if empty { self.quiet + 1 } else { 0 };
        if self.quiet >= QUIET {
            return self.leads().await && self.finish(&found).await;
        }
        let stage = match (is_over && !empty, self.drain.then) {
            (false, _) => DrainStage::Waiting,
            (true, AtDeadline::Cancel) => DrainStage::Cancelling,
            (true, AtDeadline::Tell | AtDeadline::Wait) => DrainStage::Overdue,
        };
        self.tell(stage, &found);
        if stage == DrainStage::Cancelling {
            self.cancel(&found).await;
        }
        false
    }

    async fn finish(&self, found: &Found) -> bool {
        let (ended, cancelled) = (self.count.ended(), self.count.cancelled());
        let how = format!("{ended} sessions ended, {cancelled} were cancelled");
        let given = Given { by: self.hands.order.by.clone(), at: clock::now(), reason: None };
        match self.hands.registry.order(&self.hands.node, &Change::Drained(how), &given).await {
            Ok(_) | Err(capstan_registry::RegistryError::Unchanged(_)) => {
                self.tell(DrainStage::Drained, found);
                true
            }
            // The registry is away; the order stands until it is back.
            Err(error) => {
                tracing::debug!(node = %self.hands.node, %error, "the end of a drain could not be noted");
                false
            }
        }
    }

    async fn found(&mut self) -> Found {
        let Some(link) = self.hands.link().await else {
            let unknown = Some("the node is not registered now".to_owned());
            return Found { unknown, ..Found::default() };
        };
        let sessions = match link.all_sessions().await {
            Ok(listed) => listed,
            Err(status) => {
                let unknown = Some(format!("the node does not tell: {}", status.message()));
                return Found { unknown, ..Found::default() };
            }
        };
        let sessions: Vec<Listed> = sessions.into_iter().filter(|one| !matches!(one.state, ListedState::Ended(_))).collect();
        self.count.see(sessions.iter().map(|listed| listed.session).collect::<BTreeSet<_>>());
        let mut turns = link.doorway().turns();
        if turns == 0 && sessions.is_empty() {
            turns = self.hands.threads.turns_elsewhere(&self.hands.node, self.hands.registry.as_ref()).await;
        }
        Found { sessions, turns, unknown: None }
    }

    fn tell(&self, stage: DrainStage, found: &Found) {
        let running = found.sessions.iter().take(NAMED).map(|listed| RunningSession {
            session: listed.session,
            thread: listed.thread,
            command: listed.argv.join(" "),
            started_at_ms: listed.started_at_ms,
        });
        let progress = DrainProgress {
            stage,
            running: running.collect(),
            running_in_all: u32::try_from(found.sessions.len()).unwrap_or(u32::MAX),
            turns: found.turns,
            ended: self.count.ended(),
            cancelled: self.count.cancelled(),
            unknown: found.unknown.clone(),
        };
        self.told.send_replace(Some(progress));
    }

    /// Whether it is here that sessions are ended and the end is noted: where the order was taken, or anywhere when that coordinator is gone.
    async fn leads(&self) -> bool {
        let mine = self.drain.via == self.hands.threads.name;
        mine || match self.hands.registry.coordinators().await {
            Ok(alive) => alive.iter().all(|record| record.id != self.drain.via),
            Err(_) => false,
        }
    }

    /// Ends what runs: first the turns that are ours, which end their own sessions and say why; then what nobody's turn holds.
    async fn cancel(&mut self, found: &Found) {
        let by = self.hands.by();
        self.count.condemn(found.sessions.iter().map(|listed| listed.session));
        self.hands.threads.cancel_on(&self.hands.node, &by);
        if !self.leads().await {
            return;
        }
        let (Some(link), Ok(by)) = (self.hands.link().await, by.chars().take(200).collect::<String>().parse()) else { return };
        let who = Operator { by, via: self.hands.threads.name.parse().ok() };
        let kill = |listed: &Listed| {
            let place = SessionPlace { thread: listed.thread, session: listed.session };
            let hands = OperatorHands::new(&link, who.clone(), place);
            async move {
                if let Err(status) = hands.kill().await {
                    tracing::debug!(session = %place.session, %status, "a session was not ended; it is tried again");
                }
            }
        };
        for group in found.sessions.chunks(AT_ONCE) {
            futures::future::join_all(group.iter().map(kill)).await;
        }
    }
}
