//! Sessions that run on: looked at, written to, interrupted, and ended with the run at the latest.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::capstan::Run;
use capstan_tests::process::mentioning;
use capstan_tests::responses_server::{Answer, RecordedRequest, Reply, Script, Step};
use serde_json::{Value, json};

/// The most looks after which a session that ends by itself must have been seen to end.
const LOOKS: usize = 4;

/// What the latest call returned.
fn latest(request: &RecordedRequest) -> &str {
    let outputs = request.input().iter().filter(|item| item["type"] == "function_call_output");
    outputs.filter_map(|item| item["output"].as_str()).next_back().expect("a call was answered")
}

/// The session that a call left running, if the latest did.
fn session(request: &RecordedRequest) -> Option<u32> {
    let number = latest(request).split("Process running with session ID ").nth(1)?;
    number.lines().next()?.parse().ok()
}

/// Writes to the session that the latest call left running.
fn writing(call_id: &'static str, chars: &'static str) -> Step {
    Step::decided(move |request| {
        let Some(session) = session(request) else { return Answer::saying(&format!("no session: {}", latest(request))) };
        Answer::calling(call_id, "write_stdin", &json!({"session_id": session, "chars": chars, "yield_time_ms": 10_000}))
    })
}

/// Looks until the session is over, then says so.
fn looking_until_over(script: Script) -> Script {
    let look = |number: usize| {
        Step::decided(move |request| match session(request) {
            Some(session) => {
                let arguments = json!({"session_id": session, "yield_time_ms": 30_000});
                Answer::calling(&format!("look_{number}"), "write_stdin", &arguments)
            }
            None => Answer::saying("It is over."),
        })
    };
    (0..LOOKS).map(look).fold(script, Script::then)
}

/// A command that is left to run on after a moment.
fn leaving(cmd: &str, tty: &Value) -> Reply {
    Answer::calling("c1", "exec_command", &json!({"cmd": cmd, "login": false, "tty": tty, "yield_time_ms": 250}))
}

fn ended(stage: &Stage, run: &Run, turn: Turn) {
    let answers = stage.server.requests().len() as u64;
    assert_eq!(told(run), turn.message("It is over.").completed_after(answers), "{run}");
    run.assert_code(0);
}

/// All that the model was shown of a session's output, call by call.
fn shown(stage: &Stage) -> String {
    let requests = stage.server.requests();
    let last = requests.last().expect("there were requests");
    let outputs = last.input().iter().filter(|item| item["type"] == "function_call_output");
    outputs.filter_map(|item| item["output"].as_str()?.split_once("Output:\n").map(|(_, output)| output)).collect()
}

#[test]
fn a_session_with_a_terminal_is_written_to_until_it_ends() {
    let cmd = "read -p 'name? ' x; echo hello $x; read y; exit 3";
    let script = Script::new().then(leaving(cmd, &json!(true))).then(writing("w1", "bob\n")).then(writing("w2", "\n"));
    let stage = Stage::playing(looking_until_over(script));
    let run = stage.run(stage.exec());
    let command = "/bin/bash -c 'read -p '\\''name? '\\'' x; echo hello $x; read y; exit 3'";
    let output = "name? bob\r\nhello bob\r\n\r\n";
    ended(&stage, &run, Turn::begun().command(command, output, 3));
    assert_eq!(shown(&stage), output.replace('\r', ""), "the model reads lines");
}

#[test]
fn a_terminal_is_a_terminal() {
    let cmd = "test -t 0 && test -t 1 && test -t 2 && stty size && tty && echo yes";
    let arguments = json!({"cmd": cmd, "login": false, "tty": true});
    let stage =
        Stage::playing(Script::new().then(Answer::calling("c1", "exec_command", &arguments)).then(Answer::saying("done")));
    let run = stage.run(stage.exec());
    let output = &run.items_of("command_execution")[0]["aggregated_output"];
    assert!(
        output.as_str().is_some_and(|output| output.starts_with("24 80\r\n/dev/pts/") && output.ends_with("\r\nyes\r\n")),
        "{run}"
    );
}

#[test]
fn a_session_without_a_terminal_has_no_input_and_can_be_interrupted() {
    let cmd = "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.1; done";
    let refused = Step::decided(|request| {
        let number = session(request).expect("it runs");
        Answer::calling("w1", "write_stdin", &json!({"session_id": number, "chars": "y\n"}))
    });
    let interrupted = Step::decided(|request| {
        let first = request.output_of("c1").expect("it was started");
        let number: u32 = first.split("session ID ").nth(1).and_then(|text| text.lines().next()?.parse().ok()).expect("it runs");
        Answer::calling("w2", "write_stdin", &json!({"session_id": number, "chars": "\u{3}", "yield_time_ms": 10_000}))
    });
    let script = Script::new().then(leaving(cmd, &json!(false))).then(refused).then(interrupted);
    let stage = Stage::playing(looking_until_over(script));
    let run = stage.run(stage.exec());
    let command = "/bin/bash -c 'trap '\\''echo caught; exit 7'\\'' INT; echo ready; while :; do sleep 0.1; done'";
    ended(&stage, &run, Turn::begun().command(command, "ready\ncaught\n", 7));
    assert_eq!(
        stage.output_of("w1"),
        "write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true or stdin=true to keep stdin open"
    );
}

#[test]
fn a_session_that_is_over_is_no_longer_known() {
    let script = Script::new().then(leaving("read x", &json!(true))).then(writing("w1", "\n"));
    let script = looking_until_over(script);
    let stage = Stage::playing(script);
    let run = stage.run(stage.exec());
    ended(&stage, &run, Turn::begun().command("/bin/bash -c 'read x'", "\r\n", 0));
}

#[test]
fn a_session_that_runs_on_at_the_end_is_ended_and_leaves_no_process() {
    let cmd = "echo begun; setsid sleep 71.0002312 & sleep 71.0002312";
    let stage = Stage::playing(Script::new().then(leaving(cmd, &json!(false))).then(Answer::saying("I leave it running.")));
    let run = stage.run(stage.exec());
    run.assert_code(0);
    assert!(mentioning("71.0002312").is_empty(), "{:#?}", mentioning("71.0002312"));
    let command = "/bin/bash -c 'echo begun; setsid sleep 71.0002312 & sleep 71.0002312'";
    let turn = Turn::begun().command_started(command).message("I leave it running.");
    let turn = turn.command_ended(0, command, "begun\n", &Value::Null, &Value::Null, "the turn ended before it did");
    assert_eq!(told(&run), turn.completed_after(2), "{run}");
}

#[test]
fn a_session_that_ignores_every_polite_signal_is_ended_too() {
    let cmd = "trap '' INT TERM HUP; echo begun; while :; do sleep 0.1; done # 71.0002313";
    let stage = Stage::playing(Script::new().then(leaving(cmd, &json!(true))).then(Answer::saying("I leave it running.")));
    let run = stage.run(stage.exec());
    run.assert_code(0);
    assert!(mentioning("71.0002313").is_empty(), "{:#?}", mentioning("71.0002313"));
}

#[test]
fn a_signal_ends_a_session_on_a_terminal_as_a_signal() {
    for (signal, told) in [("KILL", "signal 9 (SIGKILL)"), ("TERM", "signal 15 (SIGTERM)")] {
        let arguments = json!({"cmd": format!("kill -{signal} $$"), "login": false, "tty": true});
        let script = Script::new().then(Answer::calling("c1", "exec_command", &arguments)).then(Answer::saying("done"));
        let stage = Stage::playing(script);
        stage.run(stage.exec()).assert_code(0);
        let output = stage.output_of("c1");
        assert!(output.contains(&format!("\nProcess exited with {told}\n")), "{output}");
    }
}

#[test]
fn a_pipe_is_written_to_and_closed_by_the_end_of_input() {
    let begin = json!({"cmd": "sort", "login": false, "stdin": true, "yield_time_ms": 250});
    let script = Script::new().then(Answer::calling("c1", "exec_command", &begin)).then(writing("w1", "b\na\n"));
    let stage = Stage::playing(looking_until_over(script.then(writing("w2", "c\n\u{4}"))));
    let run = stage.run(stage.exec());
    ended(&stage, &run, Turn::begun().command("/bin/bash -c sort", "a\nb\nc\n", 0));
}

#[test]
fn a_write_to_a_session_that_ended_says_how() {
    let again = Step::decided(|request| {
        let first = request.output_of("c1").expect("it was started");
        let number: u32 = first.split("session ID ").nth(1).and_then(|text| text.lines().next()?.parse().ok()).expect("it runs");
        Answer::calling("w2", "write_stdin", &json!({"session_id": number, "chars": "more\n"}))
    });
    let script = Script::new().then(leaving("read x; exit 3", &json!(true))).then(writing("w1", "\n")).then(again);
    let stage = Stage::playing(script.then(Answer::saying("done")));
    stage.run(stage.exec()).assert_code(0);
    let told = "write_stdin failed: session 1000 is over, and you were told all of it: Process exited with code 3";
    assert_eq!(stage.output_of("w2"), told);
}

#[test]
fn a_session_is_listed_signalled_and_ended_by_the_model() {
    let cmd = "trap 'echo reloaded' HUP; echo ready; while :; do sleep 0.05; done # 71.0002315";
    let of = |action: Value| Answer::calling(action["action"].as_str().unwrap_or_default(), "sessions", &action);
    let script = Script::new()
        .then(leaving(cmd, &json!(false)))
        .then(of(json!({"action": "list"})))
        .then(of(json!({"action": "signal", "session_id": 1000, "signal": "SIGHUP"})))
        .then(of(json!({"action": "end", "session_id": 1000})))
        .then(Answer::saying("done"));
    let stage = Stage::playing(script);
    stage.run(stage.exec()).assert_code(0);
    assert!(
        stage.output_of("list").starts_with("Sessions:\n  1000 (running): /bin/bash -c 'trap "),
        "{}",
        stage.output_of("list")
    );
    assert!(stage.output_of("signal").contains("Process running with session ID 1000\n"), "{}", stage.output_of("signal"));
    assert!(stage.output_of("end").contains("Process ended by Capstan: killed by the model\n"), "{}", stage.output_of("end"));
    // The trap runs when the shell's `sleep` is over, which may be behind the first answer.
    assert!(shown(&stage).contains("reloaded\n"), "{}", shown(&stage));
}

#[test]
fn a_progress_bar_is_its_last_state_for_the_model_and_exact_in_the_item() {
    let cmd = r"for i in 1 2 3; do printf '\r\033[K\033[32m%s0%%\033[0m' $i; done; printf '\ndone\n'";
    let arguments = json!({"cmd": cmd, "login": false});
    let script = Script::new().then(Answer::calling("c1", "exec_command", &arguments)).then(Answer::saying("done"));
    let stage = Stage::playing(script);
    let run = stage.run(stage.exec());
    assert!(stage.output_of("c1").ends_with("Original token count: 3\nOutput:\n30%\ndone\n"), "{}", stage.output_of("c1"));
    let exact = &run.items_of("command_execution")[0]["aggregated_output"];
    assert!(exact.as_str().is_some_and(|output| output.starts_with("\r\u{1b}[K\u{1b}[32m10%")), "{run}");
}
