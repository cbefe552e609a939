//! Those who listen to a thread now.
//!
//! A listener that falls too far behind is cut off and must subscribe again after the last number it has; it never slows the thread.

use super::ownership::Ownership;
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{EventSeq, TurnId};
use capstan_types::time::UnixMillis;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Events that may wait for the slowest listener. Full: that listener is cut off.
const BACKLOG: usize = 4096;

/// The listeners of one thread.
#[derive(Debug)]
pub struct Live {
    last: EventSeq,
    ownership: Ownership,
    // The backlog takes 200 KiB: a thread that nobody listens to has none.
    listeners: Option<broadcast::Sender<Arc<Event>>>,
}

/// A listener's place.
#[derive(Debug)]
pub struct Subscription {
    /// The number of the last event before it; older ones are in the store.
    pub after: EventSeq,
    /// What is told from then on.
    pub events: broadcast::Receiver<Arc<Event>>,
    /// Says why, if the end of the events is that of the ownership.
    pub ownership: Ownership,
}

impl Live {
    /// No listeners yet; `last` is the number of the last stored event.
    #[must_use]
    pub const fn new(last: EventSeq, ownership: Ownership) -> Self {
        Self { last, ownership, listeners: None }
    }

    /// The number of the last event that was told.
    #[must_use]
    pub const fn last(&self) -> EventSeq {
        self.last
    }

    /// Tells a stored event.
    pub fn tell(&mut self, event: Event) {
        self.last = event.seq;
        self.send(event);
    }

    /// Tells something that has no number of its own.
    pub fn tell_unnumbered(&mut self, at: UnixMillis, turn: Option<TurnId>, body: EventBody) {
        self.send(Event { seq: self.last, at, turn, body });
    }

    fn send(&mut self, event: Event) {
        let Some(listeners) = &self.listeners else { return };
        // It fails only when nobody listens any more.
        if listeners.send(Arc::new(event)).is_err() {
            self.listeners = None;
        }
    }

    /// A new listener.
    #[must_use]
    pub fn subscribe(&mut self) -> Subscription {
        let listeners = self.listeners.get_or_insert_with(|| broadcast::Sender::new(BACKLOG));
        Subscription { after: self.last, events: listeners.subscribe(), ownership: self.ownership.clone() }
    }
}
