//! One at a time for each key: whoever comes later waits, and hears how far the first one is.

use crate::workspace::telling::Teller;
use capstan_types::source::MakeProgress;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{MutexGuard, watch};

/// What is under way, by key. What nobody waits for is forgotten.
#[derive(Debug)]
pub(crate) struct Flights<K>(Mutex<HashMap<K, Weak<Flight>>>);

/// What one does and others wait for.
#[derive(Debug)]
pub(crate) struct Flight {
    lock: tokio::sync::Mutex<()>,
    /// What it does now.
    now: watch::Sender<Option<MakeProgress>>,
}

impl<K> Default for Flights<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Flights<K> {
    /// The flight of a key.
    pub(crate) fn of(&self, key: K) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.strong_count() > 0);
        let found = flights.get(&key).and_then(Weak::upgrade);
        found.unwrap_or_else(|| {
            let flight = Arc::new(Flight { lock: tokio::sync::Mutex::default(), now: watch::Sender::new(None) });
            flights.insert(key, Arc::downgrade(&flight));
            flight
        })
    }
}

impl Flight {
    /// Waits until nobody else has it, and tells meanwhile what they do.
    pub(crate) async fn hold(&self, teller: &mut Teller) -> MutexGuard<'_, ()> {
        let mut now = self.now.subscribe();
        let held = self.lock.lock();
        tokio::pin!(held);
        loop {
            let told = now.borrow_and_update().clone();
            if let Some(progress) = told {
                teller.pass_on(progress);
            }
            tokio::select! {
                held = &mut held => return held,
                // The sender lives as long as this.
                _ = now.changed() => {}
            }
        }
    }

    /// Where whoever holds it says what is done.
    pub(crate) fn telling(&self) -> watch::Sender<Option<MakeProgress>> {
        self.now.clone()
    }
}
