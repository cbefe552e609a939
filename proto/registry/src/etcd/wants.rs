//! What this process wants to have in etcd, and what is known of each. The keeper makes it so, over and over.
//!
//! Invariant: nothing here waits. A registration that is dropped only says so; bounded by the registrations that a process makes.

use super::value::Value;
use crate::error::EtcdError;
use capstan_types::id::Generation;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// What became of a want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// It is worked at; what stood in the way last.
    Waiting(Option<EtcdError>),
    /// It is there.
    Held,
    /// A life as new or newer has the key.
    Refused(Generation),
    /// It cannot be.
    Failed(EtcdError),
    /// It is gone again, as was asked for.
    Gone,
}

/// What the keeper is to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// Put it.
    Put(Wanted),
    /// Remove it.
    Remove(Wanted),
}

/// One key that is wanted, or not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) number: u64,
    pub(super) key: String,
    pub(super) generation: Generation,
    pub(super) value: Arc<Value>,
    /// Whether it was there before.
    pub(super) again: bool,
}

#[derive(Debug)]
struct Want {
    wanted: Wanted,
    given_up: bool,
    /// The lease under which it is there.
    under: Option<i64>,
    said: watch::Sender<Said>,
}

/// All wants of a process.
#[derive(Debug, Default)]
pub(super) struct Wants {
    all: Mutex<BTreeMap<u64, Want>>,
    /// Counts wants: a number that came again would give up somebody else's.
    count: AtomicU64,
    /// Something is to be done.
    pub(super) changed: Notify,
}

impl Wants {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Want>> {
        // Every change below is one insert, remove or assignment.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a want. One of an older life under the same key is forgotten: the new one replaces what it put.
    ///
    /// # Errors
    /// The generation of a life as new or newer that this process holds the key for.
    pub(super) fn add(
        &self,
        key: String,
        generation: Generation,
        value: Value,
    ) -> Result<(u64, watch::Receiver<Said>), Generation> {
        let mut all = self.lock();
        let same = |want: &&Want| want.wanted.key == key && !want.given_up;
        if let Some(present) =
            all.values().filter(same).map(|want| want.wanted.generation).max().filter(|there| *there >= generation)
        {
            return Err(present);
        }
        all.retain(|_, want| want.given_up || want.wanted.key != key);
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let (said, hears) = watch::channel(Said::Waiting(None));
        let wanted = Wanted { number, key, generation, value: Arc::new(value), again: false };
        all.insert(number, Want { wanted, given_up: false, under: None, said });
        self.changed.notify_one();
        Ok((number, hears))
    }

    /// It is not wanted any more.
    pub(super) fn give_up(&self, number: u64) {
        if let Some(want) = self.lock().get_mut(&number) {
            want.given_up = true;
            self.changed.notify_one();
        }
    }

    /// Whether nothing is wanted, and nothing is left to be removed.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// What is to be done first, under this lease. In the order in which it was wanted, so that what was given up goes before what
    /// takes its place.
    pub(super) fn next(&self, lease: i64) -> Option<Work> {
        self.lock().values().find_map(|want| match (want.given_up, want.under) {
            (true, _) => Some(Work::Remove(want.wanted.clone())),
            (false, Some(under)) if under == lease => None,
            (false, _) => Some(Work::Put(want.wanted.clone())),
        })
    }

    /// It is there, under this lease.
    pub(super) fn held(&self, number: u64, lease: i64) {
        if let Some(want) = self.lock().get_mut(&number) {
            (want.under, want.wanted.again) = (Some(lease), true);
            want.said.send_replace(Said::Held);
        }
    }

    /// There is nothing more to be done for it.
    pub(super) fn over(&self, number: u64, said: Said) {
        if let Some(want) = self.lock().remove(&number) {
            want.said.send_replace(said);
        }
    }

    /// The lease is gone, and everything under it.
    pub(super) fn lost(&self) {
        self.lock().values_mut().for_each(|want| want.under = None);
    }

    /// Tells those who wait what stands in the way.
    pub(super) fn hindered(&self, error: &EtcdError) {
        for want in self.lock().values() {
            want.said.send_if_modified(|said| {
                let waits = matches!(said, Said::Waiting(_));
                if waits {
                    *said = Said::Waiting(Some(error.clone()));
                }
                waits
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::record;

    fn add(wants: &Wants, generation: u64) -> Result<(u64, watch::Receiver<Said>), Generation> {
        wants.add("k".to_owned(), Generation(generation), Value::of_node(&record("k", generation)).unwrap())
    }

    fn put(work: Option<Work>) -> u64 {
        let Some(Work::Put(wanted)) = work else { panic!("{work:?}") };
        wanted.number
    }

    #[test]
    fn what_was_lost_is_put_again_and_what_was_given_up_is_removed_first() {
        let wants = Wants::default();
        let (first, hears) = add(&wants, 1).unwrap();
        assert_eq!(put(wants.next(7)), first);
        wants.held(first, 7);
        assert_eq!((wants.next(7), hears.borrow().clone()), (None, Said::Held));
        wants.lost();
        assert_eq!(put(wants.next(8)), first);
        wants.give_up(first);
        let (second, _) = add(&wants, 1).unwrap();
        assert!(matches!(wants.next(8), Some(Work::Remove(wanted)) if wanted.number == first && wanted.again));
        wants.over(first, Said::Gone);
        assert_eq!(put(wants.next(8)), second);
        assert_eq!(*hears.borrow(), Said::Gone);
    }

    #[test]
    fn a_newer_life_takes_the_place_of_an_older_one_and_never_the_other_way() {
        let wants = Wants::default();
        let (first, _) = add(&wants, 2).unwrap();
        assert_eq!(add(&wants, 2).unwrap_err(), Generation(2));
        assert_eq!(add(&wants, 1).unwrap_err(), Generation(2));
        let (second, hears) = add(&wants, 3).unwrap();
        wants.give_up(first);
        assert_eq!(put(wants.next(7)), second, "the older one's goodbye does nothing");
        wants.hindered(&EtcdError::Refused("no".to_owned()));
        assert_eq!(*hears.borrow(), Said::Waiting(Some(EtcdError::Refused("no".to_owned()))));
    }
}
