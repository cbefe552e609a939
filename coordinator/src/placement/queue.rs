//! Who waits for room on a node, and who is next. Pure: it is told the time.
//!
//! Owners take turns: of those who wait, the one who has been served least is next, as stride scheduling counts it, and an owner who was away does not
//! save up turns. Of one owner's needs the one of the highest priority is next, the oldest among equals. A need that has waited long rises, one
//! priority for each [`RISES_EVERY`], so that none waits for ever behind newer ones. Bounded: a full queue refuses.

use capstan_types::id::ThreadId;
use capstan_types::placement::Priority;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a need waits before it counts as one of the next higher priority. One of the lowest priority is thus before all that come 100 s later.
pub const RISES_EVERY: Duration = Duration::from_secs(10);

/// The most needs that wait. Full: the next is refused, and its caller told.
pub const LONGEST: usize = 10_000;

/// The most that wait of one owner, so that none can fill the queue alone.
pub const LONGEST_OF_ONE: usize = 1_000;

/// What one turn costs an owner of the usual share.
const STRIDE: u64 = 1 << 16;

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The workspace's thread.
    pub workspace: ThreadId,
    /// Whose it is: those of one owner share one share.
    pub owner: String,
    /// How far before others of the same owner.
    pub priority: Priority,
    /// When it came.
    pub since: Duration,
    /// When it has waited long enough.
    pub until: Duration,
}

/// Why a need may not wait. For the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// Too many wait.
    #[error("{LONGEST} threads wait for room on a node already; try again later")]
    Full,
    /// Too many of this owner wait.
    #[error("{LONGEST_OF_ONE} threads of this owner wait for room on a node already; try again when some of them have begun")]
    FullOfOne,
}

/// The queue.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    waiting: BTreeMap<ThreadId, Waiting>,
    /// How much each owner who waits has been served.
    passes: BTreeMap<String, u64>,
    /// How much whoever was served last had been served.
    now: u64,
}

impl Queue {
    /// Takes somebody in. Whoever waits already keeps the place.
    ///
    /// # Errors
    /// The queue is full; nothing changes then.
    pub fn join(&mut self, waiting: Waiting) -> Result<(), QueueError> {
        if self.waiting.contains_key(&waiting.workspace) {
            return Ok(());
        }
        if self.waiting.len() >= LONGEST {
            return Err(QueueError::Full);
        }
        if self.of(&waiting.owner).count() >= LONGEST_OF_ONE {
            return Err(QueueError::FullOfOne);
        }
        // Who was away comes in where the others are, with no turns saved up.
        let pass = self.passes.entry(waiting.owner.clone()).or_insert(self.now);
        *pass = (*pass).max(self.now);
        self.waiting.insert(waiting.workspace, waiting);
        Ok(())
    }

    /// Takes somebody out who was not served.
    pub fn leave(&mut self, workspace: ThreadId) -> Option<Waiting> {
        let left = self.waiting.remove(&workspace)?;
        if self.of(&left.owner).next().is_none() && self.passes.get(&left.owner).is_none_or(|pass| *pass <= self.now) {
            self.passes.remove(&left.owner);
        }
        Some(left)
    }

    /// Takes somebody out who got a node.
    pub fn served(&mut self, workspace: ThreadId) -> Option<Waiting> {
        let owner = self.waiting.get(&workspace)?.owner.clone();
        if let Some(pass) = self.passes.get_mut(&owner) {
            self.now = self.now.max(*pass);
            *pass += STRIDE;
        }
        let served = self.leave(workspace);
        let waiting = &self.waiting;
        // An owner who does not wait any more is remembered until the others have caught up.
        let now = self.now;
        self.passes.retain(|owner, pass| *pass > now || waiting.values().any(|one| one.owner == *owner));
        served
    }

    /// Those whose time is over, who are out.
    pub fn expired(&mut self, now: Duration) -> Vec<Waiting> {
        let over: Vec<ThreadId> = self.waiting.values().filter(|one| one.until <= now).map(|one| one.workspace).collect();
        over.into_iter().filter_map(|workspace| self.leave(workspace)).collect()
    }

    /// All in the order in which they are served, if nobody comes or goes.
    #[must_use]
    pub fn order(&self, now: Duration) -> Vec<ThreadId> {
        let mut lines: BTreeMap<&str, Vec<&Waiting>> = BTreeMap::new();
        self.waiting.values().for_each(|one| lines.entry(&one.owner).or_default().push(one));
        let mut turns: Vec<(u64, u64, ThreadId)> = Vec::with_capacity(self.waiting.len());
        for (owner, line) in &mut lines {
            // Last first, and by id among equals, since ids grow with time.
            line.sort_by_key(|one| (std::cmp::Reverse(rank(one, now)), one.since, one.workspace));
            let pass = self.passes.get(*owner).copied().unwrap_or(self.now);
            let seats = (0_u64..).zip(line.iter());
            turns.extend(seats.map(|(seat, one)| (pass + seat * STRIDE, u64::MAX - rank(one, now), one.workspace)));
        }
        turns.sort_unstable();
        turns.into_iter().map(|(_, _, workspace)| workspace).collect()
    }

    /// How many are served before this one, and how many wait at all.
    #[must_use]
    pub fn position(&self, workspace: ThreadId, now: Duration) -> Option<(usize, usize)> {
        let order = self.order(now);
        order.iter().position(|other| *other == workspace).map(|before| (before, order.len()))
    }

    /// How long one has waited.
    #[must_use]
    pub fn waited(&self, workspace: ThreadId, now: Duration) -> Duration {
        self.waiting.get(&workspace).map_or(Duration::ZERO, |one| now.saturating_sub(one.since))
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn of(&self, owner: &str) -> impl Iterator<Item = &Waiting> {
        self.waiting.values().filter(move |one| one.owner == owner)
    }
}

/// The priority, grown with the time that one has waited. Higher is sooner.
fn rank(one: &Waiting, now: Duration) -> u64 {
    let waited = now.saturating_sub(one.since).as_secs() / RISES_EVERY.as_secs();
    u64::from(u8::from(one.priority)) + waited
}

#[cfg(test)]
mod tests;
