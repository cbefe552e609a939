//! What happened to nodes, as far as this coordinator has seen it: a ring, and places in it for those who follow.
//!
//! What operators did is kept with their orders as well, and comes back into the ring when a coordinator starts; all else is forgotten with it.

use capstan_types::id::NodeId;
use capstan_types::label::Labels;
use capstan_types::node_status::{ClusterEvent, EventKind, Told};
use capstan_types::selector::Selector;
use capstan_types::time::UnixMillis;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Events that are kept. Full: the oldest is forgotten, and whoever has not read it is told how many.
const KEPT: usize = 2048;

/// The events of one coordinator. Clones share them.
#[derive(Debug, Clone)]
pub struct Events(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<(ClusterEvent, Arc<Labels>)>,
    /// The number of the newest, 0 before the first.
    newest: u64,
}

/// What is to be told.
#[derive(Debug)]
pub struct Happened {
    /// When.
    pub at: UnixMillis,
    /// What.
    pub kind: EventKind,
    /// To which node.
    pub node: Option<NodeId>,
    /// Who did it.
    pub by: Option<String>,
    /// In a sentence.
    pub text: String,
    /// The node's labels, for those who want events of some nodes only.
    pub labels: Arc<Labels>,
}

/// Which events somebody wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only later ones.
    pub since: UnixMillis,
    /// Only of nodes with such labels.
    pub selector: Selector,
    /// Only of these; none means all.
    pub nodes: Vec<NodeId>,
}

impl Wanted {
    fn includes(&self, event: &ClusterEvent, labels: &Labels) -> bool {
        let named = self.nodes.is_empty() || event.node.as_ref().is_some_and(|node| self.nodes.contains(node));
        let labelled = self.selector.is_empty() || (event.node.is_some() && self.selector.matches(labels));
        named && labelled && event.at >= self.since
    }
}

/// Somebody's place among the events.
#[derive(Debug)]
pub struct Place {
    next: u64,
    wanted: Wanted,
    newest: watch::Receiver<u64>,
}

impl Default for Events {
    fn default() -> Self {
        Self(Arc::new(Inner { ring: Mutex::default(), newest: watch::Sender::new(0) }))
    }
}

impl Events {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one.
    pub fn tell(&self, happened: Happened) {
        let Happened { at, kind, node, by, text, labels } = happened;
        let mut ring = self.ring();
        ring.newest += 1;
        let seq = ring.newest;
        if ring.kept.len() == KEPT {
            ring.kept.pop_front();
        }
        ring.kept.push_back((ClusterEvent { seq, at, kind, node, by, text }, labels));
        drop(ring);
        self.0.newest.send_replace(seq);
    }

    /// A place before all that is kept.
    #[must_use]
    pub fn from_the_beginning(&self, wanted: Wanted) -> Place {
        Place { next: 1, wanted, newest: self.0.newest.subscribe() }
    }

    /// What is behind a place now, with what was forgotten on the way. The place is behind that then.
    pub fn read(&self, place: &mut Place) -> Vec<Told> {
        place.newest.mark_unchanged();
        let ring = self.ring();
        let oldest = ring.kept.front().map_or(ring.newest + 1, |(event, _)| event.seq);
        let dropped = oldest.saturating_sub(place.next);
        let from = usize::try_from(place.next.max(oldest) - oldest).unwrap_or(usize::MAX);
        let wanted = ring.kept.iter().skip(from).filter(|(event, labels)| place.wanted.includes(event, labels));
        let told = wanted.map(|(event, _)| Told::Event(event.clone()));
        let told = (dropped > 0).then_some(Told::Dropped(dropped)).into_iter().chain(told).collect();
        place.next = ring.newest + 1;
        told
    }
}

impl Place {
    /// Waits until there may be more.
    pub async fn more(&mut self) {
        // The sender is in the events, which whoever reads holds.
        let _ = self.newest.changed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(number: u64, node: &str, zone: &str) -> Happened {
        Happened {
            at: UnixMillis(number),
            kind: EventKind::JOINED,
            node: Some(node.parse().unwrap()),
            by: None,
            text: String::new(),
            labels: Arc::new([("zone".to_owned(), zone.to_owned())].into()),
        }
    }

    fn numbers(told: &[Told]) -> Vec<u64> {
        told.iter().filter_map(|told| if let Told::Event(event) = told { Some(event.seq) } else { None }).collect()
    }

    #[test]
    fn a_reader_gets_each_event_once_and_only_those_it_wants() {
        let events = Events::default();
        events.tell(happened(1, "a", "x"));
        events.tell(happened(2, "b", "y"));
        let mut all = events.from_the_beginning(Wanted::default());
        let mut of_y = events.from_the_beginning(Wanted { selector: "zone=y".parse().unwrap(), ..Wanted::default() });
        let mut late = events.from_the_beginning(Wanted { since: UnixMillis(3), ..Wanted::default() });
        assert_eq!((numbers(&events.read(&mut all)), numbers(&events.read(&mut of_y))), (vec![1, 2], vec![2]));
        events.tell(happened(3, "a", "x"));
        assert_eq!((numbers(&events.read(&mut all)), numbers(&events.read(&mut of_y))), (vec![3], vec![]));
        assert_eq!(numbers(&events.read(&mut late)), [3]);
        let mut of_b = events.from_the_beginning(Wanted { nodes: vec!["b".parse().unwrap()], ..Wanted::default() });
        assert_eq!(numbers(&events.read(&mut of_b)), [2]);
    }

    #[test]
    fn what_was_forgotten_is_told_as_a_number() {
        let events = Events::default();
        let mut place = events.from_the_beginning(Wanted::default());
        (0..KEPT as u64 + 5).for_each(|number| events.tell(happened(number, "a", "x")));
        let told = events.read(&mut place);
        assert_eq!((told.len(), &told[0]), (KEPT + 1, &Told::Dropped(5)));
        assert_eq!(events.read(&mut place), []);
    }
}
