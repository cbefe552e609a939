use super::*;
use capstan_types::call::ReplayClass;
use capstan_types::history::Usage;
use capstan_types::id::{Attempt, CallId};
use capstan_types::item::ItemStatus;
use capstan_types::money::{MicroDollars, Spent};

const TURN: TurnId = TurnId::from_u128(7);

fn recalled(bodies: Vec<EventBody>) -> Recalled {
    let mut recalled = Recalled::default();
    for (seq, body) in (1..).map(EventSeq).zip(bodies) {
        recalled.add(Event { seq, at: UnixMillis(1), turn: Some(TURN), body });
    }
    recalled
}

fn tool(id: u64, status: ItemStatus) -> Item {
    let call = CallId::from_u128(1);
    let body = ItemBody::ToolCall { call, tool: "t".into(), arguments: String::new(), output: String::new(), status };
    Item { id: ItemId(id), body }
}

fn call(model_call_id: &str) -> Call {
    Call {
        id: CallId::from_u128(1),
        turn: TURN,
        model_call_id: model_call_id.into(),
        tool: "t".into(),
        arguments: String::new(),
        attempt: Attempt(1),
        asked_at: UnixMillis(1),
        replay: ReplayClass::External,
    }
}

fn asked(model_call_id: &str) -> Entry {
    Entry::Call { model_call_id: model_call_id.into(), tool: "t".into(), arguments: String::new() }
}

fn output(model_call_id: &str) -> Entry {
    Entry::CallOutput { model_call_id: model_call_id.into(), output: String::new() }
}

#[test]
fn a_turn_with_an_end_is_left_alone() {
    let usage = Usage { output_tokens: 4, ..Usage::default() };
    let message = Item { id: ItemId(3), body: ItemBody::AgentMessage { text: "m".into() } };
    let bodies = vec![EventBody::TurnStarted, EventBody::ItemCompleted { item: message }, EventBody::TurnCompleted { usage }];
    let thread = recalled(bodies);
    assert_eq!((thread.last, thread.next_item, thread.tally.usage, thread.unfinished), (EventSeq(3), 4, usage, None));
    assert!(thread.turns.contains(&TURN));
    assert_eq!(thread.ending(vec![call("a")], &[asked("a")], vec![], "why", UnixMillis(9)), []);
}

#[test]
fn a_turn_that_was_cut_off_ends_with_its_items_and_its_calls() {
    let bodies = vec![
        EventBody::TurnStarted,
        EventBody::ItemStarted { item: tool(0, ItemStatus::InProgress) },
        EventBody::ItemCompleted { item: tool(0, ItemStatus::Completed) },
        EventBody::ItemStarted { item: tool(1, ItemStatus::InProgress) },
    ];
    let entries = [asked("a"), output("a"), asked("b"), asked("a")];
    let records = recalled(bodies).ending(vec![call("b")], &entries, vec![], "why", UnixMillis(9));
    let told = |model_call_id: &str| Record::Entry {
        turn: TURN,
        entry: Entry::CallOutput { model_call_id: model_call_id.into(), output: CALL_CUT_OFF.into() },
    };
    let event = |seq, body| Record::Event(Event { seq: EventSeq(seq), at: UnixMillis(9), turn: Some(TURN), body });
    assert!(matches!(&records[0], Record::CallEnded(end) if matches!(end.outcome, Outcome::Unknown { .. })));
    let rest = [
        told("b"),
        told("a"),
        event(5, EventBody::ItemCompleted { item: tool(1, ItemStatus::Failed) }),
        event(6, EventBody::TurnFailed { message: "why".into() }),
    ];
    assert_eq!(records[1..], rest);
}

#[test]
fn what_was_used_is_counted_however_a_turn_ends() {
    let spent = |output_tokens| EventBody::ModelAnswered {
        spent: Spent {
            provider: "p".into(),
            model: "m".into(),
            answers: 1,
            usage: Usage { output_tokens, ..Usage::default() },
            cost: Some(MicroDollars(output_tokens * 10)),
        },
    };
    let ends = [
        EventBody::TurnInterrupted,
        EventBody::TurnFailed { message: String::new() },
        EventBody::TurnPaused { message: String::new() },
    ];
    let turns = ends.into_iter().flat_map(|end| [EventBody::TurnStarted, spent(1), end]);
    // The last one is cut off: what it used stays with it.
    let mut thread = recalled(turns.chain([EventBody::TurnStarted, spent(5)]).collect());
    let (cut, _) = thread.cut();
    let all = thread.tally.plus(&cut.spent);
    assert_eq!(thread.tally.usage.output_tokens, 3);
    assert_eq!(all.usage.output_tokens, 8);
    assert_eq!((all.bill.cost(), all.bill.answers()), (MicroDollars(80), 4));
}

#[test]
fn a_turn_that_was_gone_on_with_keeps_what_it_was_given_and_the_time_in_which_it_ran() {
    let demands = EventBody::TurnDemands { output_schema: None, budgets: None, refused: Some("no".into()), compact: false };
    let mut thread = Recalled::default();
    let events = [
        (10, EventBody::TurnStarted),
        (10, demands),
        (30, EventBody::ItemStarted { item: tool(0, ItemStatus::InProgress) }),
        (900, EventBody::TurnContinued { times: 1 }),
        (905, EventBody::ItemCompleted { item: tool(0, ItemStatus::Completed) }),
    ];
    for (seq, (at, body)) in (1..).map(EventSeq).zip(events) {
        thread.add(Event { seq, at: UnixMillis(at), turn: Some(TURN), body });
    }
    assert_eq!(thread.unfinished, Some(TURN));
    let (cut, open) = thread.cut();
    assert_eq!((cut.times, cut.refused.as_deref(), cut.spent.time), (1, Some("no"), Millis(25)));
    assert_eq!((cut.items[&CallId::from_u128(1)], open.len()), (ItemId(0), 0));
}

#[test]
fn what_was_said_and_not_told_is_what_no_entry_of_the_turn_tells() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let user = |text: &&str| Entry::User { text: (*text).to_owned(), images: vec![] };
    let left = |told: &[&str]| unsaid(&texts(&["go", "and", "this", "and"]), told.iter().map(user).chain([output("a")]));
    assert_eq!(left(&["go"]), ["and", "this", "and"]);
    assert_eq!(left(&["go", "and"]), ["this", "and"], "what is said twice is told twice");
    assert_eq!(left(&["news", "go", "and", "this", "and"]), [""; 0]);
    let thread = recalled(vec![
        EventBody::TurnStarted,
        EventBody::ItemCompleted { item: Item { id: ItemId(0), body: ItemBody::UserMessage { text: "go".into(), images: 0 } } },
        EventBody::TurnInterrupted,
        EventBody::TurnStarted,
        EventBody::ItemCompleted { item: Item { id: ItemId(1), body: ItemBody::UserMessage { text: "on".into(), images: 0 } } },
    ]);
    assert_eq!(thread.cut.said, ["on"], "what was said to the turn before");
}
