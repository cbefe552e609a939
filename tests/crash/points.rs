//! Where a coordinator is killed.

use capstan_tests::seeded::Numbers;

/// Each point's name, and how often a turn of [`crate::script`] comes to it at least.
const POINTS: [(&str, u64); 33] = [
    ("turn.beginning", 1),
    ("turn.begun", 1),
    ("log.append", 12),
    ("log.stored", 12),
    ("log.told", 12),
    ("model.asking", 5),
    ("model.delta", 2),
    ("model.answered", 5),
    ("answer.storing", 5),
    ("answer.stored", 5),
    ("checkpoint.taking", 3),
    ("checkpoint.taken", 3),
    ("call.trying", 6),
    ("call.tried", 6),
    ("item.started", 4),
    ("node.starting", 3),
    ("node.started", 3),
    ("session.opened", 3),
    ("session.output", 3),
    ("item.completing", 4),
    ("item.completed", 4),
    ("call.ending", 6),
    ("call.ended", 6),
    ("session.releasing", 3),
    ("outputs.telling", 4),
    ("outputs.told", 4),
    ("patch.sending", 1),
    ("patch.applied", 1),
    ("input.sending", 1),
    ("input.sent", 1),
    ("turn.diffing", 1),
    ("turn.ending", 1),
    ("turn.ended", 1),
];

/// The points of one round, each at an occurrence that the numbers choose.
pub(crate) fn draw(numbers: &mut Numbers) -> Vec<String> {
    POINTS.iter().map(|(name, times)| format!("{name}:{}", 1 + numbers.below(*times))).collect()
}
