//! Which workspaces go. Pure.

use capstan_types::id::ThreadId;
use capstan_types::kept::SweepQuery;

/// A workspace that could go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) thread: ThreadId,
    pub(super) bytes: u64,
    pub(super) used_at_ms: u64,
    /// Nobody uses it, and its record is whole.
    pub(super) is_free: bool,
}

/// Those that go, and why: all that nobody has used for too long, and then the longest unused ones until the rest fits into the budget.
pub(super) fn evict(held: &[Held], query: &SweepQuery, now_ms: u64) -> Vec<(ThreadId, &'static str)> {
    let mut free: Vec<&Held> = held.iter().filter(|held| held.is_free).collect();
    free.sort_by_key(|held| (held.used_at_ms, held.thread));
    let mut left: u64 = held.iter().map(|held| held.bytes).fold(0, u64::saturating_add);
    let mut going = Vec::new();
    for held in free {
        let idle = now_ms.saturating_sub(held.used_at_ms);
        let reason = if query.idle_ms.is_some_and(|most| idle >= most) {
            "it was not used for long"
        } else if query.budget_bytes.is_some_and(|budget| left > budget) {
            "the workspaces take more than their budget, and this one was not used for longest"
        } else {
            // The others were used later.
            break;
        };
        left = left.saturating_sub(held.bytes);
        going.push((held.thread, reason));
    }
    going
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn held() -> impl Strategy<Value = Vec<Held>> {
        let one = (0..1000_u64, 0..100_u64, any::<bool>());
        prop::collection::vec(one, 0..20).prop_map(|all| {
            let of = |(number, (bytes, used_at_ms, is_free)): (usize, _)| Held {
                thread: ThreadId::from_u128(number as u128),
                bytes,
                used_at_ms,
                is_free,
            };
            all.into_iter().enumerate().map(of).collect()
        })
    }

    proptest! {
        #[test]
        fn what_is_in_use_stays_and_no_more_goes_than_must(
            held in held(),
            budget in prop::option::of(0..5000_u64),
            idle in prop::option::of(0..100_u64),
        ) {
            let query = SweepQuery { budget_bytes: budget, idle_ms: idle, dry_run: false };
            let going: Vec<ThreadId> = evict(&held, &query, 100).into_iter().map(|(thread, _)| thread).collect();
            let goes = |held: &Held| going.contains(&held.thread);
            prop_assert!(held.iter().all(|held| held.is_free || !goes(held)), "one in use goes");
            let is_idle = |held: &Held| idle.is_some_and(|most| 100 - held.used_at_ms >= most);
            prop_assert!(held.iter().all(|held| !(held.is_free && is_idle(held)) || goes(held)), "an idle one stays");
            let left: u64 = held.iter().filter(|held| !goes(held)).map(|held| held.bytes).sum();
            let has_free = held.iter().any(|held| held.is_free && !goes(held));
            prop_assert!(budget.is_none_or(|budget| left <= budget) || !has_free, "there is room to be made");
            // The last of those that go for the budget was needed for it.
            let last = going.last().and_then(|last| held.iter().find(|held| held.thread == *last));
            if let Some(last) = last.filter(|last| !is_idle(last)) {
                prop_assert!(budget.is_some_and(|budget| left + last.bytes > budget), "one goes for nothing");
            }
            let newest_gone = held.iter().filter(|held| goes(held)).map(|held| held.used_at_ms).max();
            let oldest_free = held.iter().filter(|held| held.is_free && !goes(held)).map(|held| held.used_at_ms).min();
            prop_assert!(newest_gone.zip(oldest_free).is_none_or(|(gone, stays)| gone <= stays), "a later used one goes first");
        }
    }
}
