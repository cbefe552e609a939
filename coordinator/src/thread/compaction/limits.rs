//! How much a model may be shown, in tokens. Pure.

use capstan_model::catalog;
use capstan_types::thread::ThreadSettings;

/// The most tokens of what the user said that stay as they are.
const MOST_SAID: u64 = 20_000;

/// The most tokens of the last steps that stay as they are.
const MOST_RECENT: u64 = 8_000;

/// How much a model may be shown, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From here on a prompt is shortened before it is sent.
    pub full: u64,
    /// What the user said, at most.
    pub said: u64,
    /// The last steps, at most.
    pub recent: u64,
}

impl Limits {
    /// Those of `model`, which is the thread's own or one that answers instead. What is configured counts for the thread's own.
    #[must_use]
    pub fn of(settings: &ThreadSettings, model: &str) -> Self {
        let own = (model == settings.model).then_some(settings.window);
        let window = own.and_then(|own| own.context).unwrap_or_else(|| catalog::lookup(model).context_window);
        // A tenth is left for the answer, and for what estimates are wrong by.
        let most = window / 10 * 9;
        let full = own.and_then(|own| own.compact_at).map_or(most, |at| at.min(most));
        Self { full, said: MOST_SAID.min(full / 4), recent: MOST_RECENT.min(full / 8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::fixture::settings;
    use capstan_types::window::WindowSettings;

    #[test]
    fn what_is_configured_counts_for_the_threads_own_model_and_never_beyond_its_window() {
        let of = |context, compact_at, model: &str| {
            let window = WindowSettings { context, compact_at };
            Limits::of(&ThreadSettings { model: "gpt-5".into(), window, ..settings() }, model).full
        };
        assert_eq!(of(None, None, "gpt-5"), 244_800);
        assert_eq!(of(Some(100_000), None, "gpt-5"), 90_000);
        assert_eq!(of(None, Some(50_000), "gpt-5"), 50_000);
        assert_eq!(of(Some(10_000), Some(50_000), "gpt-5"), 9_000);
        assert_eq!(of(Some(10_000), Some(5_000), "gpt-4o"), 115_200);
    }

    #[test]
    fn what_stays_leaves_most_of_the_window_free() {
        let small = ThreadSettings { window: WindowSettings { context: Some(8_000), compact_at: None }, ..settings() };
        assert_eq!(Limits::of(&small, "m"), Limits { full: 7_200, said: 1_800, recent: 900 });
        assert_eq!(Limits::of(&settings(), "m"), Limits { full: 115_200, said: 20_000, recent: 8_000 });
    }
}
