//! Sessions in the turns after the one that started them: announced, listed, signalled, ended; and a table that can be rebuilt.

use super::fake::{Bench, Played, release};
use crate::host::HostError;
use crate::invocation::CallResult;
use crate::sessions::{Announcement, SessionTable};
use capstan_types::call::Outcome;
use capstan_types::event::{Event, EventBody};
use capstan_types::id::EventSeq;
use capstan_types::launch::SessionEnd;
use capstan_types::session::known::{KnownSessions, SessionChange};
use capstan_types::time::UnixMillis;
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

async fn left(bench: &Bench, cmd: &str) -> Arc<Played> {
    let session = bench.host.will_start();
    let result = bench.call("exec_command", json!({"cmd": cmd, "login": false, "yield_time_ms": 250})).await;
    assert!(matches!(result.outcome, Outcome::Yielded { .. }), "{}", result.output);
    session
}

async fn seen() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn without_times(result: &CallResult) -> String {
    let lines = result.output.lines().filter(|line| !line.starts_with("Chunk ID") && !line.starts_with("Wall time"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_new_turn_is_told_what_runs_and_once_what_ended() {
    let mut bench = Bench::new();
    assert_eq!(bench.context.sessions.announce(), Announcement::default());
    let (server, build) = (left(&bench, "npm run dev").await, left(&bench, "make").await);
    server.write(b"listening\n");
    bench.next_turn();
    build.write(b"error: no rule\n");
    build.exit(2);
    seen().await;
    let said = bench.context.sessions.announce();
    insta::assert_snapshot!(said.text.unwrap(), @r"
    <sessions>
    Sessions of earlier turns that still run; write_stdin reads and writes them, `sessions` ends them:
      1000 (running): /bin/bash -c 'npm run dev' - 10 bytes of new output
    Sessions that ended since you last heard of them; in this turn write_stdin returns their new output:
      1001 (ended): /bin/bash -c make - Process exited with code 2 - 15 bytes of new output
    </sessions>
    ");
    assert_eq!((said.changes, said.releases), (vec![SessionChange::Announced { number: 1001 }], vec![]));
    let rest = bench.call("write_stdin", json!({"session_id": 1001})).await;
    assert!(rest.output.ends_with("code 2\nOriginal token count: 4\nOutput:\nerror: no rule\n"), "{}", rest.output);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_was_announced_is_kept_for_one_turn_and_only_for_output_that_is_left() {
    let mut bench = Bench::new();
    let (silent, chatty, running) = (left(&bench, "true").await, left(&bench, "make").await, left(&bench, "top").await);
    chatty.write(b"done\n");
    silent.exit(0);
    chatty.exit(0);
    seen().await;
    bench.next_turn();
    let first = bench.context.sessions.announce();
    assert_eq!(first.releases, [release(silent.id)]);
    let gone = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert_eq!(gone.output, "write_stdin failed: session 1000 is over, and you were told all of it: Process exited with code 0");
    bench.next_turn();
    let second = bench.context.sessions.announce();
    assert_eq!(second.releases, [release(chatty.id)]);
    assert!(!second.text.unwrap().contains("1001"));
    assert_eq!(bench.context.sessions.announce().releases, []);
    let known = bench.context.sessions.known();
    assert_eq!(known.open.into_values().map(|open| open.session).collect::<Vec<_>>(), [running.id]);
}

#[tokio::test(start_paused = true)]
async fn the_sessions_tool_lists_signals_and_ends() {
    let bench = Bench::new();
    let list = json!({"action": "list"});
    assert_eq!(bench.call("sessions", list.clone()).await.output, "No sessions.");
    let (server, other) = (left(&bench, "npm run dev").await, left(&bench, "top").await);
    server.write(b"listening\n");
    other.exit(0);
    seen().await;
    insta::assert_snapshot!(bench.call("sessions", list).await.output, @r"
    Sessions:
      1000 (running): /bin/bash -c 'npm run dev' - 10 bytes of new output
      1001 (ended): /bin/bash -c top
    ");
    let signal = async { bench.call("sessions", json!({"action": "signal", "session_id": 1000, "signal": "hup"})).await };
    let (signalled, ()) = tokio::join!(signal, async { server.write(b"reloaded\n") });
    insta::assert_snapshot!(without_times(&signalled), @r"
    Process running with session ID 1000
    Original token count: 5
    Output:
    listening
    reloaded
    ");
    assert_eq!(*bench.host.signals.lock().unwrap(), [1]);
    let ended = bench.call("sessions", json!({"action": "end", "session_id": 1000})).await;
    insta::assert_snapshot!(without_times(&ended), @r"
    Process ended by Capstan: killed by the model
    Original token count: 0
    Output:
    ");
    assert_eq!(ended.release, [release(server.id)]);
    let again = bench.call("sessions", json!({"action": "end", "session_id": 1000})).await;
    assert_eq!(again.output, "sessions failed: session 1000 is over: Process ended by Capstan: killed by the model");
}

#[tokio::test(start_paused = true)]
async fn what_the_sessions_tool_cannot_do_is_said() {
    let bench = Bench::new();
    for (arguments, told) in [
        (json!({"action": "end"}), "sessions failed: `session_id` is missing; list the sessions to see which there are"),
        (json!({"action": "end", "session_id": 7}), "sessions failed: there is no session 7"),
        (json!({"action": "signal", "session_id": 7}), "sessions failed: `signal` is missing; give a name such as SIGTERM"),
        (
            json!({"action": "signal", "session_id": 7, "signal": "SIGNOPE"}),
            "sessions failed: there is no such signal; give a name such as SIGTERM",
        ),
    ] {
        assert_eq!(bench.call("sessions", arguments).await.output, told);
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_call_leaves_its_session_and_tells_its_output() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    session.write(b"half\n");
    let call = bench.asked("exec_command", r#"{"cmd":"make"}"#);
    let waited = tokio::time::timeout(Duration::from_secs(1), bench.toolbox.invoke(&call, &bench.context)).await;
    assert!(waited.is_err());
    let left = bench.toolbox.leave(&call, &bench.context).await.unwrap().unwrap();
    insta::assert_snapshot!(without_times(&left), @r"
    Process running with session ID 1000
    The user interrupted the turn. The session was not ended.
    Original token count: 2
    Output:
    half
    ");
    assert!(bench.host.kills.lock().unwrap().is_empty());
    let other = bench.asked("exec_command", r#"{"cmd":"never started"}"#);
    assert_eq!(bench.toolbox.leave(&other, &bench.context).await.unwrap(), None);
}

/// What may happen to the sessions of a thread.
#[derive(Debug, Clone)]
enum Act {
    Open { tty: bool, raw: bool },
    Fail,
    Write(usize, Vec<u8>),
    Exit(usize),
    Lose(usize),
    Look(usize),
    Kill(usize),
    Interrupt(usize),
    NextTurn,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let bytes = proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(0xc3), Just(b'\n')], 0..12);
    let act = prop_oneof![
        3 => (any::<bool>(), any::<bool>()).prop_map(|(tty, raw)| Act::Open { tty, raw }),
        1 => Just(Act::Fail),
        4 => (0_usize..4, bytes).prop_map(|(which, bytes)| Act::Write(which, bytes)),
        1 => (0_usize..4).prop_map(Act::Exit),
        1 => (0_usize..4).prop_map(Act::Lose),
        4 => (0_usize..4).prop_map(Act::Look),
        1 => (0_usize..4).prop_map(Act::Kill),
        1 => (0_usize..4).prop_map(Act::Interrupt),
        2 => Just(Act::NextTurn),
    ];
    proptest::collection::vec(act, 0..25)
}

struct Story {
    bench: Bench,
    played: Vec<Arc<Played>>,
    stored: Vec<SessionChange>,
}

impl Story {
    fn store(&mut self, changes: Vec<SessionChange>) {
        // What a call tells of itself while it runs comes before what is stored with its end.
        self.stored.append(&mut self.bench.items.changes.lock().unwrap());
        self.stored.extend(changes);
    }

    async fn act(&mut self, act: Act) {
        let number = |which: usize| 1000 + u32::try_from(which).unwrap();
        let changes = match act {
            Act::Open { tty, raw } => {
                self.played.push(self.bench.host.will_start());
                let arguments = json!({"cmd": "x", "tty": tty, "raw_output": raw, "yield_time_ms": 250});
                self.bench.call("exec_command", arguments).await.changes
            }
            Act::Fail => {
                self.bench.host.starting.lock().unwrap().push_back(Err(HostError::NotStarted("no".into())));
                self.bench.call("exec_command", json!({"cmd": "x"})).await.changes
            }
            Act::Write(which, bytes) => return self.play(which, |played| played.write(&bytes)).await,
            Act::Exit(which) => return self.play(which, |played| played.end(SessionEnd::Exited { code: 1 })).await,
            Act::Lose(which) => return self.play(which, Played::lose).await,
            Act::Look(which) => self.bench.call("write_stdin", json!({"session_id": number(which)})).await.changes,
            Act::Kill(which) => self.bench.call("sessions", json!({"action": "end", "session_id": number(which)})).await.changes,
            Act::Interrupt(which) => match self.bench.context.sessions.get(number(which)) {
                Some(live) => {
                    let ended = self.bench.context.sessions.end_call(live.call(), "the user").await;
                    ended.into_iter().filter_map(|ended| ended.change).collect()
                }
                None => Vec::new(),
            },
            Act::NextTurn => {
                self.store(Vec::new());
                self.bench.next_turn();
                self.bench.context.sessions.announce().changes
            }
        };
        self.store(changes);
    }

    async fn play(&self, which: usize, act: impl FnOnce(&Played)) {
        if let Some(played) = self.played.get(which) {
            act(played);
            seen().await;
        }
    }

    /// As the store holds it.
    fn events(&self) -> Vec<Event> {
        let event = |(seq, change): (u64, &SessionChange)| {
            let body = EventBody::SessionChanged { change: change.clone() };
            let event = Event { seq: EventSeq(seq), at: UnixMillis(0), turn: None, body };
            serde_json::from_value(serde_json::to_value(event).unwrap()).unwrap()
        };
        (1..).zip(&self.stored).map(event).collect()
    }
}

/// A refused start takes a number that no session ever had, which only the live table knows.
fn comparable(table: &SessionTable) -> KnownSessions {
    let live = table.known();
    let last = live.open.keys().chain(live.closed.keys()).max().copied();
    KnownSessions { next_number: last.map_or(1000, |last| last + 1), ..live }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    #[test]
    fn the_stored_events_rebuild_the_table(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut story = Story { bench: Bench::new(), played: Vec::new(), stored: Vec::new() };
            for act in acts {
                story.act(act.clone()).await;
                let events = story.events();
                let rebuilt = KnownSessions::of_changes(events.iter().filter_map(|event| match &event.body {
        EventBody::SessionChanged { change } => Some(change),
        _ => None,
    }));
                prop_assert_eq!(rebuilt, comparable(&story.bench.context.sessions), "after {:?}", act);
            }
            Ok(())
        })?;
    }
}
