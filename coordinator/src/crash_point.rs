//! Named points at which a test has the process killed, as `kill -9` would, to see what its next life makes of that.
//!
//! `CAPSTAN_CRASH_AT=call.ended:2` kills it when it comes to that point for the second time. Builds without debug assertions, such as those that are
//! released, have no such points: the function is empty there, and the variable means nothing.

/// Comes to a point.
#[cfg(debug_assertions)]
pub(crate) fn reached(point: &'static str) {
    plan::reached(point);
}

/// Comes to a point.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) const fn reached(_: &'static str) {}

#[cfg(debug_assertions)]
mod plan {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    const VARIABLE: &str = "CAPSTAN_CRASH_AT";

    struct Plan {
        point: String,
        left: AtomicU32,
    }

    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

    pub(super) fn reached(point: &'static str) {
        let Some(plan) = PLAN.get_or_init(read) else { return };
        if plan.point == point && plan.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            // Nothing of the process runs after this, no destructor and no other thread.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }

    fn read() -> Option<Plan> {
        let text = std::env::var(VARIABLE).ok()?;
        let (point, times) = text.split_once(':').unwrap_or((&text, "1"));
        let left = AtomicU32::new(times.parse().ok()?);
        Some(Plan { point: point.to_owned(), left })
    }
}
