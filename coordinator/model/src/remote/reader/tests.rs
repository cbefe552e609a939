//! Readers by themselves, with events good and strange.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const WIRES: [WireApi; 5] = [WireApi::Responses, WireApi::Chat, WireApi::Anthropic, WireApi::Gemini, WireApi::Ollama];

fn read_all(wire: WireApi, events: &[Value]) -> Result<Whole, Fault> {
    let mut reader = reader(wire, Sealer::new(wire, "p"));
    events.iter().try_for_each(|event| reader.read(event))?;
    reader.finish(Heard::default())
}

fn responses() -> Vec<Value> {
    let call = |index: u64| {
        let item = json!({"type": "function_call", "call_id": format!("c{index}"), "name": "t", "arguments": "{}"});
        json!({"type": "response.output_item.done", "output_index": index, "item": item})
    };
    vec![call(0), call(1), call(2), json!({"type": "response.completed", "response": {"id": "r"}})]
}

fn chat() -> Vec<Value> {
    let piece = |index: u64, arguments: &str| {
        let call = json!({"index": index, "id": format!("c{index}"), "function": {"name": "t", "arguments": arguments}});
        json!({"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": null}]})
    };
    vec![piece(0, "{"), piece(0, "}"), piece(1, "{}"), json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})]
}

#[test]
fn no_beginning_of_an_answer_is_an_answer() {
    for (wire, events) in [(WireApi::Responses, responses()), (WireApi::Chat, chat())] {
        for end in 0..events.len() {
            assert!(matches!(read_all(wire, &events[..end]), Err(Fault::Failure(Failure::Cut(_)))), "{wire} {end}");
        }
        assert!(read_all(wire, &events).unwrap().entries.len() >= 2);
    }
}

#[test]
fn a_reason_to_stop_tells_whether_the_model_had_finished() {
    for reason in ["stop", "tool_calls", "end_turn", "STOP", "stop_sequence", "unheard_of"] {
        assert_eq!(check_finish(reason), Ok(()), "{reason}");
    }
    for reason in ["length", "max_tokens", "MAX_TOKENS", "content_filter", "SAFETY", "refusal"] {
        assert!(matches!(check_finish(reason), Err(Fault::Failure(Failure::Incomplete(_)))), "{reason}");
    }
    assert!(matches!(check_finish("MALFORMED_FUNCTION_CALL"), Err(Fault::Failure(Failure::Cut(_)))));
    assert!(matches!(check_finish("model_context_window_exceeded"), Err(Fault::Reported(_))));
}

#[test]
fn a_call_without_a_tool_is_no_call() {
    let nameless =
        json!({"type": "response.output_item.done", "item": {"type": "function_call", "call_id": "c", "arguments": "{}"}});
    let events = [nameless, json!({"type": "response.completed", "response": {}})];
    assert!(matches!(read_all(WireApi::Responses, &events), Err(Fault::Failure(Failure::Cut(_)))));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    let words = prop_oneof![
        "type|error|message|code|response|item|output|output_index|choices|delta|tool_calls|function|index|id|usage|finish_reason",
        "response\\.(completed|failed|incomplete|output_item\\.done)|error|function_call|reasoning",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((words.clone(), prop_oneof![inner, words.clone().prop_map(Value::from)]), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_is_too_strange(events in proptest::collection::vec(any_json(), 0..6), wire in proptest::sample::select(&WIRES[..])) {
        let _ = read_all(wire, &events);
    }

    #[test]
    fn repeated_parts_are_taken_once(order in proptest::collection::vec(0_usize..3, 0..12)) {
        let good = responses();
        let mut events = good[..3].to_vec();
        events.extend(order.into_iter().map(|place| good[place].clone()));
        events.push(good[3].clone());
        prop_assert_eq!(read_all(WireApi::Responses, &events), read_all(WireApi::Responses, &good));
    }
}
