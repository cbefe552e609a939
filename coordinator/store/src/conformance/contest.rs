//! Two owners of one thread, each stopped and resumed while the other goes on.

use super::fixtures::{entry, event, log_of, thread, thread_id};
use crate::store::{Record, Store, StoreError};
use capstan_types::history::Entry;
use capstan_types::id::{Epoch, EventSeq, TurnId};

/// How often the thread changes hands.
const ROUNDS: u64 = 200;

/// An owner's view of the thread; old when it was stopped meanwhile.
struct Owner<'a, S> {
    name: &'static str,
    store: &'a S,
    epoch: Epoch,
    last: u64,
    /// What it was told is stored.
    told: Vec<String>,
}

impl<S: Store> Owner<'_, S> {
    async fn take_over(&mut self) {
        let row = self.store.thread(thread_id(1)).await.unwrap().unwrap();
        self.epoch = self.store.take_over(thread_id(1), row.epoch, self.name).await.unwrap();
        self.last = log_of(self.store, thread_id(1)).await.last().copied().unwrap_or(0);
    }

    /// Appends an event and what says by whom, and in which epoch.
    async fn append(&mut self) -> Result<(), StoreError> {
        let seq = self.last + 1;
        let text = format!("{seq} {} {}", self.epoch.0, self.name);
        let said = Record::Entry { turn: TurnId::from_u128(1), entry: entry(&text) };
        self.store.append(thread_id(1), self.epoch, vec![Record::Event(event(seq)), said]).await?;
        self.last = seq;
        self.told.push(text);
        Ok(())
    }
}

/// `one` and `other` are two doors to one store, as two coordinators have them.
pub(crate) async fn no_stale_owner_adds_anything(one: &impl Store, other: &impl Store) {
    one.create_thread(&thread(1)).await.unwrap();
    let mut a = Owner { name: "a", store: one, epoch: Epoch(1), last: 0, told: vec![] };
    let mut b = Owner { name: "b", store: other, epoch: Epoch(0), last: 0, told: vec![] };
    let mut refused = 0;
    for round in 0..ROUNDS {
        if round % 2 == 0 { hand_over(&mut a, &mut b, &mut refused).await } else { hand_over(&mut b, &mut a, &mut refused).await }
    }
    assert!(refused >= ROUNDS, "the stale owner was refused only {refused} times");
    assert_eq!(one.thread(thread_id(1)).await.unwrap().unwrap().epoch, Epoch(1 + ROUNDS));

    // What was acknowledged is there, once and in its order; nothing of a stale owner is.
    let mut told: Vec<String> = a.told.into_iter().chain(b.told).collect();
    told.sort_by_key(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap());
    let kept: Vec<String> = one.entries(thread_id(1)).await.unwrap().into_iter().map(text_of).collect();
    assert_eq!(kept, told);
    let log = one.events(thread_id(1), EventSeq(0), u32::MAX).await.unwrap();
    assert_eq!(log.len(), told.len());
    let epochs: Vec<u64> = kept.iter().map(|text| text.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    assert!(epochs.is_sorted(), "an older epoch wrote after a newer one");
}

/// `from` runs the thread and is stopped; `to` takes it over while `from` wakes and goes on as if it were the owner.
async fn hand_over<S: Store, T: Store>(from: &mut Owner<'_, S>, to: &mut Owner<'_, T>, refused: &mut u64) {
    from.append().await.unwrap();
    let stale = from.epoch;
    // Both at once: whoever the store sees first, the outcome is lawful.
    let ((), late) = tokio::join!(to.take_over(), from.append());
    // If it came before, the new owner may have read the log before or after it.
    if late.is_ok() {
        to.last = log_of(to.store, thread_id(1)).await.last().copied().unwrap_or(0);
    }
    to.append().await.unwrap();
    for fence in [stale, stale.next().next()] {
        from.epoch = fence;
        let append = from.append().await;
        assert!(matches!(append, Err(StoreError::Fenced { .. })), "a stale append was answered with {append:?}");
        *refused += 1;
    }
    assert!(from.store.rename(thread_id(1), stale, Some("stale")).await.is_err());
    assert!(from.store.take_over(thread_id(1), stale, "stale").await.is_err());
}

fn text_of(entry: Entry) -> String {
    let Entry::User { text, .. } = entry else { panic!("{entry:?}") };
    text
}
