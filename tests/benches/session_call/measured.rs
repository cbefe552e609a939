//! What is run, and how times are told.

use capstan_types::launch::{Stdio, TermSize};
use std::time::Duration;

/// The program.
pub(crate) const PROGRAM: [&str; 1] = ["/bin/true"];

/// On a terminal of the usual size.
pub(crate) fn on_terminal() -> Stdio {
    Stdio::Terminal(TermSize::default())
}

pub(crate) fn quantile(times: &[Duration], share: f64) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a short list"
    )]
    let at = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
