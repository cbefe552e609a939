//! How many requests may be under way, and when the next may begin. Pure: time comes in as the span since the limiter began.
//!
//! Slots grow by half a slot for each answer until the provider first refuses; from then on by one slot in a round of answers, and past
//! the number at which it refused only after several rounds without a refusal. A refusal takes an eighth of them away at once, and up to
//! half when many requests that were sent together are refused.

use super::quota::Quotas;
use std::time::Duration;

/// Parts of a slot, so that growth needs no fractions.
const WHOLE: u64 = 1000;

/// Rounds of answers before the number at which the provider refused is tried again, at first and at most.
const FIRST_ROUNDS: u64 = 8;
const MOST_ROUNDS: u64 = 64;

/// The first pause of everybody when nothing but refusals comes; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause of everybody that a provider may ask for. A request that is asked to wait longer fails by itself.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Between what the slots stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// What there are at first.
    pub(crate) first: u32,
    /// The most there will be.
    pub(crate) most: u32,
}

/// A request that was let through; later ones have larger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Admission(u64);

/// What became of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A whole answer came.
    Answered,
    /// The provider said that it is too much.
    Refused {
        /// For how long it asks to be left alone.
        wait: Option<Duration>,
    },
    /// It tells nothing about the provider's limits: it failed otherwise, or was given up.
    #[default]
    Other,
}

/// When the next request may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Now.
    Now,
    /// Not before this moment.
    At(Duration),
    /// When one that is under way ends.
    AfterAnEnd,
}

/// How fast one provider is asked.
#[derive(Debug)]
pub(crate) struct Pace {
    bounds: Bounds,
    /// In parts of [`WHOLE`].
    slots: u64,
    under_way: u64,
    admitted: u64,
    answers: u64,
    /// The most requests that were under way unrefused when one was refused; `None` before that.
    ceiling: Option<u64>,
    /// Answers since the slots reached the ceiling, and rounds of them that are wanted.
    quiet: u64,
    rounds: u64,
    /// The first request that was let through after the last cut, and the least that the cut may leave.
    after_cut: u64,
    floor: u64,
    /// Cuts in a row without an answer between them.
    dry: u32,
    closed_until: Duration,
    quotas: Quotas,
}

impl Pace {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let most = bounds.most.max(1);
        let bounds = Bounds { first: bounds.first.clamp(1, most), most };
        Self {
            bounds,
            slots: u64::from(bounds.first) * WHOLE,
            under_way: 0,
            admitted: 0,
            answers: 0,
            ceiling: None,
            quiet: 0,
            rounds: FIRST_ROUNDS,
            after_cut: 0,
            floor: WHOLE,
            dry: 0,
            closed_until: Duration::ZERO,
            quotas: Quotas::default(),
        }
    }

    /// When a request of about so many tokens may begin.
    pub(crate) fn opening(&self, now: Duration, tokens: u64) -> Opening {
        if self.under_way >= self.slots() {
            return Opening::AfterAnEnd;
        }
        let at = self.closed_until.max(self.quotas.opening(now, tokens));
        if at > now { Opening::At(at) } else { Opening::Now }
    }

    /// Lets a request through.
    pub(crate) fn admit(&mut self, tokens: u64) -> Admission {
        let admission = Admission(self.admitted);
        self.admitted += 1;
        self.under_way += 1;
        self.quotas.take(tokens);
        admission
    }

    /// Takes note of a request's end. Each admission ends once.
    pub(crate) fn settle(&mut self, admission: Admission, outcome: Outcome, now: Duration) {
        let was_full = self.under_way >= self.slots();
        self.under_way = self.under_way.saturating_sub(1);
        match outcome {
            Outcome::Answered => {
                self.answers += 1;
                self.dry = 0;
                // Slots that nobody wanted have not been tried.
                if was_full {
                    self.grow();
                }
            }
            Outcome::Refused { wait } => self.shrink(admission, wait, now),
            Outcome::Other => {}
        }
    }

    /// Takes note of what the provider says of its quotas.
    pub(crate) fn hear(&mut self, quotas: Quotas, now: Duration) {
        self.quotas.hear(quotas, now);
    }

    /// Answers so far.
    pub(crate) const fn answers(&self) -> u64 {
        self.answers
    }

    /// How many requests may be under way.
    pub(crate) const fn slots(&self) -> u64 {
        self.slots / WHOLE
    }

    fn grow(&mut self) {
        let slots = match self.ceiling {
            None => self.slots + WHOLE / 2,
            Some(ceiling) if self.slots() < ceiling => (self.slots + WHOLE * WHOLE / self.slots).min(ceiling * WHOLE),
            Some(ceiling) => {
                self.quiet += 1;
                if self.quiet < self.rounds * self.slots() {
                    return;
                }
                // Each number that holds makes the next likelier.
                (self.quiet, self.rounds) = (0, (self.rounds / 2).max(1));
                self.ceiling = Some(ceiling + 1);
                self.slots + WHOLE
            }
        };
        self.slots = slots.min(u64::from(self.bounds.most) * WHOLE);
    }

    fn shrink(&mut self, admission: Admission, wait: Option<Duration>, now: Duration) {
        // What was sent before the last cut says nothing about the slots that it left, but it may say how deep the cut had to be.
        let anew = admission.0 >= self.after_cut;
        if anew {
            self.after_cut = self.admitted;
            self.floor = (self.slots / 2).max(WHOLE);
            self.rounds = if self.ceiling.is_some() { (self.rounds * 2).clamp(FIRST_ROUNDS, MOST_ROUNDS) } else { FIRST_ROUNDS };
            self.ceiling = None;
        }
        let unrefused = self.under_way.max(1);
        let ceiling = self.ceiling.map_or(unrefused, |ceiling| ceiling.min(unrefused)).max(self.floor / WHOLE);
        self.ceiling = Some(ceiling);
        self.quiet = 0;
        self.slots = self.slots.min(ceiling * WHOLE * 7 / 8).max(self.floor);
        let pause = match wait {
            Some(wait) => wait.min(LONGEST_WAIT),
            None if anew => self.pause(),
            None => Duration::ZERO,
        };
        self.closed_until = self.closed_until.max(now.saturating_add(pause));
        if anew {
            self.dry = self.dry.saturating_add(1);
        }
    }

    /// A single refusal is answered with fewer slots; refusals and nothing else with silence as well.
    fn pause(&self) -> Duration {
        match self.dry {
            0 => Duration::ZERO,
            dry => FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(dry - 1)).min(LONGEST_PAUSE),
        }
    }
}
