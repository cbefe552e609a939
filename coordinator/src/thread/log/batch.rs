//! What goes to the disk together.

use super::{Draft, LogError};
use std::ops::Range;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

type Reply = oneshot::Sender<Result<(), LogError>>;

/// Drafts in their order, and those who wait until they are stored.
#[derive(Debug, Default)]
pub(super) struct Batch {
    drafts: Vec<Draft>,
    /// Those of the drafts that nobody waits for.
    noted: Vec<Range<usize>>,
    replies: Vec<Reply>,
    /// When it is to be stored at the latest.
    due: Option<Instant>,
}

impl Batch {
    /// Adds what may gather for `patience` from the first of it on, unless somebody waits.
    pub(super) fn add(&mut self, drafts: Vec<Draft>, reply: Option<Reply>, patience: Duration) {
        self.due = self.due.or_else(|| Some(Instant::now() + patience));
        if reply.is_none() {
            self.noted.push(self.drafts.len()..self.drafts.len() + drafts.len());
        }
        self.drafts.extend(drafts);
        self.replies.extend(reply);
    }

    /// When it is to be stored, if there is anything to be stored.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether there is nothing to be stored, and nobody to be answered.
    pub(super) const fn is_empty(&self) -> bool {
        self.drafts.is_empty() && self.replies.is_empty()
    }

    /// Whether it need not be stored at `now`: nobody waits for it, and it holds fewer than `most` drafts.
    pub(super) fn may_gather(&self, most: usize, now: Instant) -> bool {
        self.replies.is_empty() && self.drafts.len() < most && self.due.is_none_or(|due| now < due)
    }

    /// Whether a turn's end is among them.
    pub(super) fn ends_a_turn(&self) -> bool {
        self.drafts.iter().any(|draft| matches!(draft, Draft::Event(_, body) if body.ends_turn()))
    }

    /// Puts what nobody waits for before all of it.
    pub(super) fn follow(&mut self, mut noted: Vec<Draft>) {
        let before = noted.len();
        noted.append(&mut self.drafts);
        self.drafts = noted;
        self.noted.iter_mut().for_each(|range| *range = range.start + before..range.end + before);
        self.noted.insert(0, 0..before);
    }

    /// A copy of what nobody waits for.
    pub(super) fn noted(&self) -> Vec<Draft> {
        self.noted.iter().flat_map(|range| self.drafts.get(range.clone()).unwrap_or_default()).cloned().collect()
    }

    /// The drafts, and who waits for them.
    pub(super) fn into_parts(self) -> (Vec<Draft>, Vec<Reply>) {
        (self.drafts, self.replies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_gathers_until_the_first_of_it_is_due() {
        let mut batch = Batch::default();
        assert!(batch.is_empty() && batch.may_gather(9, Instant::now()) && batch.due().is_none());
        let began = Instant::now();
        batch.add(vec![Draft::Preview("a".into())], None, PATIENCE);
        tokio::time::advance(Duration::from_millis(6)).await;
        batch.add(vec![Draft::Preview("b".into())], None, PATIENCE);
        assert_eq!(batch.due(), Some(began + PATIENCE));
        assert!(batch.may_gather(9, Instant::now()), "nobody waits");
        assert!(!batch.may_gather(2, Instant::now()), "it is full");
        assert!(!batch.may_gather(9, began + PATIENCE), "it is due");
    }

    #[tokio::test]
    async fn what_somebody_waits_for_does_not_gather_and_takes_the_rest_along() {
        let mut batch = Batch::default();
        batch.add(vec![Draft::Preview("a".into())], None, PATIENCE);
        batch.add(Vec::new(), Some(oneshot::channel().0), PATIENCE);
        assert!(!batch.may_gather(9, Instant::now()) && !batch.is_empty());
        let (drafts, replies) = batch.into_parts();
        assert_eq!((drafts.len(), replies.len()), (1, 1));
    }
}
