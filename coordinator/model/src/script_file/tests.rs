//! Scripts, good and malformed.

use super::*;
use proptest::prelude::*;

fn refused(text: &str) -> String {
    Script::parse(text, "s.json").unwrap_err().to_string()
}

const CALL: &str = r#"{"answer": [{"type": "call", "id": "c", "tool": "t", "arguments": {"b": 1, "a": "x"}}]}"#;

fn two_steps(second: &str) -> String {
    format!("{{\"version\": 1, \"steps\": [{CALL}, {second}]}}")
}

#[test]
fn a_script_is_read_in_both_forms() {
    let second = r#"{"expect": [{"output_of": "c", "matches": "^ok"}], "answer": [{"type": "message", "text": "done"}], "usage": {"output_tokens": 3}, "delay_ms": 5}"#;
    let json = Script::parse(&two_steps(second), "s.json").unwrap();
    let lines = Script::parse(&format!("{{\"version\": 1}}\n{CALL}\n\n{second}\n"), "s.jsonl").unwrap();
    assert_eq!(json, lines);
    let [first, last] = json.steps() else { panic!("{json:?}") };
    assert_eq!(
        first.entries(),
        [Entry::Call { model_call_id: "c".into(), tool: "t".into(), arguments: r#"{"b":1,"a":"x"}"#.into() }]
    );
    assert!(last.expect[0].matcher.accepts("ok then") && !last.expect[0].matcher.accepts("not ok"));
    assert_eq!((last.usage.output_tokens, last.usage.input_tokens, last.delay_ms), (3, 0, 5));
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let said = refused("{\n  \"version\": 1,\n  \"steps\": [{\"answer\": [}]\n}");
    assert!(said.starts_with("the script s.json is malformed at line 3, column 25: "), "{said}");
    assert!(said.ends_with("expected {\"version\": 1, \"steps\": [{\"answer\": [...]}, ...]}"), "{said}");
    let said = Script::parse(&format!("{{\"version\": 1}}\n{CALL}\n{{\"answr\": []}}"), "s.jsonl").unwrap_err().to_string();
    assert!(said.contains("line 3, column 8: unknown field `answr`"), "{said}");
    assert!(refused("").contains("line 1, column 1: it ends before it is complete;"), "{}", refused(""));
    assert!(refused("[]").contains("is malformed at line 1"), "{}", refused("[]"));
    assert!(refused("{\"version\": 2}").contains("only version 1 is understood"));
}

#[test]
fn an_expectation_that_cannot_be_is_refused() {
    let with = |expectation: &str| refused(&two_steps(&format!("{{\"expect\": [{expectation}], \"answer\": []}}")));
    assert!(with(r#"{"output_of": "c", "matches": "("}"#).contains("`matches` is not a regular expression"));
    assert!(with(r#"{"output_of": "c", "equals": "", "contains": ""}"#).contains("one of `equals`, `contains` and `matches`"));
    assert!(with(r#"{"output_of": "c", "is": ""}"#).contains("unknown field `is`"));
}

#[test]
fn steps_that_do_not_fit_together_are_refused() {
    assert_eq!(
        refused(&two_steps(CALL)),
        "the script s.json is malformed in step 2: the call id `c` is used twice; give each call its own"
    );
    assert!(refused(&two_steps(r#"{"answer": []}"#)).contains("in step 2: its `answer` is empty"));
    let unknown = r#"{"expect": [{"output_of": "d"}], "answer": [{"type": "message", "text": ""}]}"#;
    assert!(refused(&two_steps(unknown)).contains("expects the output of `d`, but no earlier step makes that call"));
    let slow = r#"{"answer": [{"type": "message", "text": ""}], "delay_ms": 600001}"#;
    assert!(refused(&two_steps(slow)).contains("`delay_ms` is longer"));
    assert!(refused("{\"version\": 1, \"steps\": []}").contains("there are no steps"));
    assert!(refused("{\"version\": 1}").contains("there are no steps"));
}

#[test]
fn arguments_are_an_object_or_raw_text() {
    let with = |arguments: &str| {
        let step = CALL.replace(r#"{"b": 1, "a": "x"}"#, arguments);
        Script::parse(&format!("{{\"version\": 1, \"steps\": [{step}]}}"), "s.json")
    };
    let raw = with(r#""{broken""#).unwrap();
    assert_eq!(raw.steps()[0].answer, [Part::Call { id: "c".into(), tool: "t".into(), arguments: "{broken".into() }]);
    assert!(with("7").unwrap_err().to_string().contains("`arguments` must be an object, or text"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = Script::open(Path::new("/nowhere/s.json")).unwrap_err().to_string();
    assert!(said.starts_with("cannot read the script /nowhere/s.json: "), "{said}");
}

fn any_part(id: String) -> impl Strategy<Value = Part> {
    prop_oneof![
        ".{0,20}".prop_map(|text| Part::Message { text }),
        ".{0,20}".prop_map(|text| Part::Reasoning { text }),
        (Just(id), "[a-z]{1,8}", prop_oneof![".{0,20}", Just(r#"{"b":1,"a":[]}"#.to_owned()), Just("{ }".to_owned())])
            .prop_map(|(id, tool, arguments)| Part::Call { id, tool, arguments }),
    ]
}

proptest! {
    #[test]
    fn a_script_survives_its_file(parts in proptest::collection::vec(Just(()), 1..5).prop_flat_map(|parts| {
        parts.iter().enumerate().map(|(number, ())| any_part(format!("call_{number}"))).collect::<Vec<_>>()
    }), delay_ms in 0_u64..1000, output_tokens in 0_u64..9) {
        let usage = Usage { output_tokens, ..Usage::default() };
        let steps = parts.into_iter().map(|part| ScriptStep { answer: vec![part], delay_ms, usage, ..ScriptStep::default() });
        let script = Script::of(steps.collect());
        prop_assert_eq!(Script::parse(&script.to_text().unwrap(), "s.json").unwrap(), script);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = Script::parse(&text, "s.json");
    }
}
