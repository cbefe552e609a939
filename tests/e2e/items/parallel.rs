//! Calls of one answer run at the same time, and their results go back in the order in which they were asked for.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Script};
use serde_json::{Value, json};

const CALLS: usize = 10;

/// A command that makes its own file and ends only once its neighbour has made its own.
fn waiting_for_its_neighbour(number: usize) -> String {
    let neighbour = (number + 1) % CALLS;
    format!("touch made_{number}; until [ -e made_{neighbour} ]; do sleep 0.01; done; echo call {number}")
}

#[test]
fn ten_calls_of_one_answer_run_at_the_same_time_and_are_answered_in_order() {
    let call = |answer: Answer, number: usize| {
        let arguments = json!({"cmd": waiting_for_its_neighbour(number), "login": false, "yield_time_ms": 30_000});
        answer.call(&format!("c{number}"), "exec_command", &arguments)
    };
    let asked = (0..CALLS).fold(Answer::new(), call).completed();
    let stage = Stage::playing(Script::new().then(asked).then(Answer::saying("All met.")));
    let run = stage.run(stage.exec());
    run.assert_code(0);

    let lines = told(&run);
    assert_eq!(lines[..2], Turn::begun().completed_after(0)[..2]);
    assert_eq!(
        lines[22],
        json!({"type": "item.completed", "item": {"id": "item_10", "type": "agent_message", "text": "All met."}})
    );
    let (started, completed): (Vec<&Value>, Vec<&Value>) = lines[2..22].iter().partition(|line| line["type"] == "item.started");
    assert_eq!((started.len(), completed.len()), (CALLS, CALLS), "{run}");
    for number in 0..CALLS {
        let shown = format!("/bin/bash -c '{}'", waiting_for_its_neighbour(number));
        let of = |lines: &[&Value]| {
            lines.iter().filter(|line| line["item"]["command"] == shown).map(|line| line["item"].clone()).collect::<Vec<_>>()
        };
        let (began, ended) = (of(&started), of(&completed));
        assert_eq!((began.len(), ended.len()), (1, 1), "{shown}");
        assert_eq!(began[0]["id"], ended[0]["id"]);
        assert_eq!((&ended[0]["aggregated_output"], &ended[0]["exit_code"]), (&json!(format!("call {number}\n")), &json!(0)));
    }

    let requests = stage.server.requests();
    let outputs: Vec<&Value> = requests[1].input().iter().filter(|item| item["type"] == "function_call_output").collect();
    let ids: Vec<String> = outputs.iter().filter_map(|output| output["call_id"].as_str()).map(str::to_owned).collect();
    assert_eq!(ids, (0..CALLS).map(|number| format!("c{number}")).collect::<Vec<_>>());
    for (number, output) in outputs.iter().enumerate() {
        let text = output["output"].as_str().unwrap();
        assert!(text.contains("Process exited with code 0\n") && text.ends_with(&format!("Output:\ncall {number}\n")), "{text}");
    }
}
