use super::*;
use crate::thread::fixture::path;
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{Attempt, CallId, EventSeq, TurnId};
use capstan_types::item::{CommandExecution, Item, ItemBody, ItemStatus};
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::session::known::SessionChange;
use capstan_types::time::UnixMillis;

const TURN: TurnId = TurnId::from_u128(7);

fn node() -> NodeId {
    "n1".parse().unwrap()
}

fn command(call: u128) -> Item {
    let body = CommandExecution {
        call: CallId::from_u128(call),
        command: "make".into(),
        cwd: path("/w"),
        node: node(),
        session: None,
        output: String::new(),
        end: None,
        duration: None,
        status: ItemStatus::InProgress,
        reason: None,
        enforced: None,
        denials: Vec::new(),
    };
    Item { id: ItemId(u64::try_from(call).unwrap()), body: ItemBody::CommandExecution(body) }
}

fn listed(call: u128, state: ListedState) -> Listed {
    Listed {
        session: SessionId::from_u128(call),
        thread: ThreadId::from_u128(1),
        call: CallId::from_u128(call),
        attempt: Attempt(1),
        argv: vec!["/bin/bash".into()],
        cwd: path("/w"),
        stdio: Stdio::Pipes,
        started_at_ms: 1,
        state,
        output_bytes: 0,
        adopted: true,
        chain: None,
    }
}

fn opened(call: u128) -> EventBody {
    let cut_off = CutOff { turn: TURN, item: ItemId(1), command: "make".into() };
    let session = known(&cut_off, &listed(call, ListedState::Running), &node(), Cleaning::Clean);
    let number = 1000 + u32::try_from(call).unwrap();
    EventBody::SessionChanged { change: SessionChange::Opened(Box::new(KnownSession { number, ..session })) }
}

fn recalled(bodies: Vec<EventBody>) -> Recalled {
    let mut recalled = Recalled::default();
    for (seq, body) in (1..).map(EventSeq).zip(bodies) {
        recalled.add(Event { seq, at: UnixMillis(1), turn: Some(TURN), body });
    }
    recalled
}

/// A thread that knows session 1, was told the end of session 2, and was cut off while the commands of calls 3 and 4 were being started;
/// call 5 failed in a turn that ended.
fn cut_off() -> Recalled {
    let closed = SessionChange::Closed { number: 1002, how: "done".into() };
    recalled(vec![
        EventBody::TurnStarted,
        EventBody::ItemStarted { item: command(1) },
        opened(1),
        EventBody::ItemStarted { item: command(2) },
        opened(2),
        EventBody::SessionChanged { change: closed },
        EventBody::ItemStarted { item: command(5) },
        EventBody::ItemCompleted { item: command(5) },
        EventBody::ItemStarted { item: command(3) },
        EventBody::ItemStarted { item: command(4) },
    ])
}

fn sessions(numbers: &[u128]) -> Vec<SessionId> {
    numbers.iter().copied().map(SessionId::from_u128).collect()
}

#[test]
fn a_cut_off_command_is_taken_in_and_what_nobody_knows_is_ended() {
    let ended = || ListedState::Ended(SessionEnd::Exited { code: 0 });
    let on_node = [
        listed(1, ListedState::Running),
        listed(2, ended()),
        listed(3, ListedState::Running),
        listed(4, ended()),
        listed(5, ListedState::Running),
        listed(6, ended()),
    ];
    let plan = plan(&cut_off(), &on_node, &node(), Cleaning::Raw);
    let taken: Vec<_> = plan.take.iter().map(|session| (session.session, session.command.as_str(), session.cleaning)).collect();
    let (third, fourth) = (SessionId::from_u128(3), SessionId::from_u128(4));
    assert_eq!(taken, [(third, "make", Cleaning::Raw), (fourth, "make", Cleaning::Raw)]);
    assert_eq!((plan.end, plan.release, plan.over), (sessions(&[5]), sessions(&[2, 6]), sessions(&[4])));
}

#[test]
fn one_that_its_node_does_not_know_is_over() {
    let plan = plan(&cut_off(), &[], &node(), Cleaning::Raw);
    assert_eq!(plan, Plan { over: sessions(&[1]), ..Plan::default() });
}

#[test]
fn a_session_is_taken_in_under_a_new_number_and_once() {
    let mut thread = cut_off();
    let on_node = [listed(3, ListedState::Running)];
    // As it is after the turn was ended for the dead coordinator.
    let last = thread.last;
    for record in thread.ending(Vec::new(), &[], Vec::new(), "why", UnixMillis(9)) {
        if let capstan_store::store::Record::Event(event) = record {
            thread.add(event);
        }
    }
    assert!(thread.last > last);
    let before = thread.last;
    let taken = plan(&thread, &on_node, &node(), Cleaning::Clean).take;
    let records = thread.take_in(taken, UnixMillis(9));
    let [capstan_store::store::Record::Event(event)] = &records[..] else { panic!("{records:?}") };
    assert_eq!((event.seq, event.turn), (EventSeq(before.0 + 1), Some(TURN)));
    assert_eq!(thread.sessions.open[&1003].session, SessionId::from_u128(3));
    assert_eq!(plan(&thread, &on_node, &node(), Cleaning::Clean).take, []);
}
