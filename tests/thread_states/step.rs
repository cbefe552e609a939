//! What happens to a thread in one step of a case.

use proptest::prelude::*;

/// One step. Numbers choose among what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A turn is started, and refused if one runs.
    Start,
    /// A turn is queued.
    Queue,
    /// The last request to queue a turn is repeated.
    Repeat,
    /// A turn that waits is taken back.
    Withdraw(u8),
    /// Something is said to the turn that runs.
    Steer,
    /// The turn that runs is interrupted, and with `true` those that wait are taken back.
    Interrupt(bool),
    /// The model answers with a message.
    Say,
    /// The model answers with a call of a tool that does nothing outside.
    Plan,
    /// The model answers with a command.
    Command,
    /// The coordinator dies, and another one opens the store.
    Crash,
    /// The same, and a client asks the other one to go on with the thread at once.
    CrashAndResume,
    /// A fork is made of the turns that have ended.
    Fork,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Start),
        5 => Just(Step::Queue),
        1 => Just(Step::Repeat),
        2 => any::<u8>().prop_map(Step::Withdraw),
        4 => Just(Step::Steer),
        2 => prop::bool::weighted(0.2).prop_map(Step::Interrupt),
        4 => Just(Step::Say),
        2 => Just(Step::Plan),
        2 => Just(Step::Command),
        3 => Just(Step::Crash),
        1 => Just(Step::CrashAndResume),
        1 => Just(Step::Fork),
    ];
    prop::collection::vec(step, 1..24)
}
