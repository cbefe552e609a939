//! Turns that wait: each is stored before anybody is told that it will run, or that it will not.

use super::ThreadState;
use crate::thread::log::{Draft, Submitted};
use crate::thread::message::{ThreadMsg, TurnRefused};
use capstan_types::id::TurnId;
use capstan_types::thread::TurnInput;
use ractor::{ActorRef, RpcReplyPort};

/// Where the answer to a request goes.
type Reply<T> = RpcReplyPort<Result<T, TurnRefused>>;

impl ThreadState {
    /// Starts a turn, or puts it behind those that wait; says how many are before it once it is stored that it is to run.
    pub(super) fn enqueue(&mut self, id: TurnId, input: Box<TurnInput>, reply: Reply<usize>, me: &ActorRef<ThreadMsg>) {
        self.advance(me);
        let waits = self.queue.before(id).map(|before| before + 1);
        let submitted = match waits {
            None if self.begun.contains(&id) => {
                let _ = reply.send(Ok(0));
                return;
            }
            // Its place in the log is before that of all that the turn itself records, its beginning included. One that waits already is
            // stored again without effect, because the first request may not be answered yet.
            _ => self.may_wait(id, &input).and_then(|()| self.submit(vec![Draft::Queued(id, input.clone())])),
        };
        let submitted = match submitted {
            Ok(submitted) => submitted,
            Err(refused) => {
                let _ = reply.send(Err(refused));
                return;
            }
        };
        let before = waits.unwrap_or_else(|| self.put(id, input, me));
        let me = me.clone();
        self.turns.spawn(async move {
            let stored = submitted.stored().await;
            if stored.is_err() {
                let _ = me.cast(ThreadMsg::NotQueued(id));
            }
            let _ = reply.send(stored.map(|()| before).map_err(TurnRefused::from));
        });
    }

    fn may_wait(&self, id: TurnId, input: &TurnInput) -> Result<(), TurnRefused> {
        if self.queue.before(id).is_some() {
            return Ok(());
        }
        self.makes_sense(input)?;
        if self.queue.has_room() { Ok(()) } else { Err(TurnRefused::Full) }
    }

    /// Begins a turn if none runs, or has it wait; gives how many are before it.
    fn put(&mut self, id: TurnId, input: Box<TurnInput>, me: &ActorRef<ThreadMsg>) -> usize {
        if self.running.is_none() && !self.waits_for_node() {
            self.launch(id, *input, me);
            return 0;
        }
        self.begun.insert(id);
        let _ = self.queue.push(id, input);
        self.queue.len()
    }

    fn submit(&self, drafts: Vec<Draft>) -> Result<Submitted, TurnRefused> {
        self.context.log.try_submit(drafts)?.ok_or(TurnRefused::Crowded)
    }

    pub(super) fn withdraw(&mut self, turn: Option<TurnId>, reply: Reply<()>) {
        let meant = match turn {
            None => Ok(self.queue.turns().collect()),
            Some(turn) if self.begun.contains(&turn) && self.queue.before(turn).is_none() => Err(TurnRefused::Begun(turn)),
            // Also one that does not wait: it may be stored all the same, if it could not be stored before that it was taken back.
            Some(turn) => Ok(vec![turn]),
        };
        let submitted = meant.and_then(|turns: Vec<TurnId>| {
            let submitted = self.submit(turns.iter().copied().map(Draft::Unqueued).collect())?;
            for turn in turns {
                self.queue.withdraw(turn);
                self.begun.remove(&turn);
            }
            Ok(submitted)
        });
        match submitted {
            Ok(submitted) => {
                self.turns.spawn(async move { drop(reply.send(submitted.stored().await.map_err(TurnRefused::from))) });
            }
            Err(refused) => drop(reply.send(Err(refused))),
        }
    }

    /// It could not be stored that a turn is to run.
    pub(super) fn forget(&mut self, turn: TurnId) {
        if self.queue.withdraw(turn) {
            self.begun.remove(&turn);
        }
    }
}
