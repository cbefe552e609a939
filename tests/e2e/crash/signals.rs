//! SIGINT, SIGTERM and SIGHUP in the middle of a call.

use super::Scene;
use capstan_tests::capstan::Run;
use capstan_tests::process::{Process, Signal};
use capstan_tests::wait;
use capstan_types::call::Outcome;
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::item::ItemBody;
use capstan_types::launch::SessionEnd;
use capstan_types::session::known::{KnownSessions, SessionChange};
use std::time::Duration;

/// What an interrupted turn may take to end, with room for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(8);

/// What holders of sessions that are gone may take to go as well.
const HOLDERS_GONE_WITHIN: Duration = Duration::from_secs(5);

fn stopped_by(scene: &Scene, signal: Signal) -> Run {
    let running = scene.endless().start();
    scene.until_it_grows();
    running.send(signal);
    let sent = std::time::Instant::now();
    let run = running.wait();
    assert!(sent.elapsed() < AT_ONCE, "{:?}\n{run}", sent.elapsed());
    // Not soon, but now: an orderly end waits for its sessions.
    let holds = |process: &Process| process.command.contains("capstan-sandbox serve");
    let (holders, others): (Vec<_>, Vec<_>) = scene.processes().into_iter().partition(holds);
    assert_eq!(others, [], "{run}");
    // They give their namespaces back to the kernel, which takes a moment.
    wait::until_true(HOLDERS_GONE_WITHIN, &format!("no holder left; now {holders:#?}"), || scene.processes().is_empty());
    let stored = scene.stored();
    let thread = stored.only();
    assert_eq!(thread.kinds().last().map(String::as_str), Some("turn interrupted"), "{thread:#?}");
    assert_eq!(thread.open_calls, [], "{thread:#?}");
    let outputs = thread.entries.iter().filter(|entry| matches!(entry, Entry::CallOutput { .. })).count();
    assert_eq!(outputs, 1, "a call without an output would be refused by every provider: {:#?}", thread.entries);
    run
}

#[test]
fn an_interrupt_ends_the_turn_and_its_sessions_with_exit_code_1() {
    let scene = Scene::new();
    let run = stopped_by(&scene, Signal::Interrupt);
    run.assert_code(1);
    assert_eq!(run.stderr, "error: the turn was interrupted\n");
    let items = run.items_of("command_execution");
    assert_eq!((items.len(), items[0]["status"].as_str()), (1, Some("failed")), "{run}");
    assert_eq!(run.kinds().last().map(String::as_str), Some("turn.failed"), "{run}");
    assert_eq!(run.failure().as_deref(), Some("the turn was interrupted"));
}

#[test]
fn a_termination_ends_the_turn_and_its_sessions_with_exit_code_143() {
    let scene = Scene::new();
    stopped_by(&scene, Signal::Terminate).assert_code(143);
}

#[test]
fn a_closed_terminal_ends_the_turn_and_its_sessions_with_exit_code_129() {
    let scene = Scene::new();
    stopped_by(&scene, Signal::HangUp).assert_code(129);
}

#[test]
fn a_run_that_is_to_outlive_its_terminal_is_not_ended_by_its_closing() {
    let scene = Scene::new();
    let running = scene.endless().through(&["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""]).start();
    scene.until_it_grows();
    running.send(Signal::HangUp);
    running.send(Signal::Interrupt);
    // Had the first been obeyed, its code would be told.
    running.wait().assert_code(1);
}

#[test]
fn a_cancelled_call_is_stored_as_cancelled() {
    let scene = Scene::new();
    stopped_by(&scene, Signal::Interrupt);
    let outcomes = crate::stored::outcomes(&scene.home);
    assert_eq!(outcomes, [("grow".to_owned(), Some(Outcome::Cancelled))]);
}

#[test]
fn what_an_interrupt_ends_is_known_to_be_ended_before_its_turn_is() {
    let scene = Scene::new();
    stopped_by(&scene, Signal::Interrupt);
    let stored = scene.stored();
    let events = &stored.only().events;
    let closed = |body: &EventBody| match body {
        EventBody::SessionChanged { change: SessionChange::Closed { how, .. } } => how.contains("by interrupting the turn"),
        _ => false,
    };
    let place = |wanted: &dyn Fn(&EventBody) -> bool| events.iter().position(|event| wanted(&event.body)).expect("it happened");
    let opened = place(&|body| matches!(body, EventBody::SessionChanged { change: SessionChange::Opened(_) }));
    let completed = place(&|body| {
        matches!(body, EventBody::ItemCompleted { item } if matches!(&item.body, ItemBody::CommandExecution(command)
            if matches!(command.end, Some(SessionEnd::Killed { .. }))))
    });
    let interrupted = place(&|body| matches!(body, EventBody::TurnInterrupted));
    assert!(opened < completed && completed < place(&closed) && place(&closed) < interrupted, "{events:#?}");
    let changes = events.iter().filter_map(|event| match &event.body {
        EventBody::SessionChanged { change } => Some(change),
        _ => None,
    });
    assert!(KnownSessions::of_changes(changes).open.is_empty(), "{events:#?}");
}
