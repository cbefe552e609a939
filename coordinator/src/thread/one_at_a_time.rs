//! Lets one request at a time begin or reopen a thread, so that a request that is repeated while the first still works waits for it.

use capstan_types::id::ThreadId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

type Lock = tokio::sync::Mutex<()>;

/// A lock for each thread that somebody begins. Clones share them; one that nobody holds any more is forgotten.
#[derive(Debug, Clone, Default)]
pub struct OneAtATime(Arc<Mutex<HashMap<ThreadId, Weak<Lock>>>>);

impl OneAtATime {
    /// Waits until nobody else begins this thread. Dropping the guard lets the next one in.
    pub async fn enter(&self, thread: ThreadId) -> OwnedMutexGuard<()> {
        self.lock_of(thread).lock_owned().await
    }

    fn lock_of(&self, thread: ThreadId) -> Arc<Lock> {
        // Each change is one insert, so a panic in the holder leaves nothing half done.
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&thread).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(Lock::default());
        locks.insert(thread, Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_another_thread_for_nobody() {
        let (locks, [a, b]) = (OneAtATime::default(), [1, 2].map(ThreadId::from_u128));
        let first = locks.enter(a).await;
        assert!(locks.clone().enter(a).now_or_never().is_none());
        assert!(locks.enter(b).now_or_never().is_some());
        drop(first);
        assert!(locks.enter(a).now_or_never().is_some());
        assert_eq!(locks.0.lock().unwrap().len(), 1, "locks that nobody holds are forgotten");
    }
}
