//! Resume and fork: the next turn of a thread, in another process.

use super::{SOON, done, exec, said, stored, thread_of, threads, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Script};
use capstan_types::event::EventBody;
use serde_json::json;
use std::fs;

fn saying(texts: &[&str]) -> Stage {
    Stage::playing(texts.iter().fold(Script::new(), |script, text| script.then(Answer::saying(text))))
}

#[test]
fn a_resumed_thread_keeps_its_id_its_history_and_its_count() {
    let stage = saying(&["one", "two", "three"]);
    let first = done(&stage, &["First."]);
    let thread = thread_of(&first);
    let second = done(&stage, &["resume", &thread, "Second."]);
    assert_eq!(second.kinds(), ["thread.started", "turn.started", "item.completed agent_message", "turn.completed"], "{second}");
    assert_eq!((thread_of(&second), second.final_message().as_deref()), (thread.clone(), Some("two")));
    let used = |run: &capstan_tests::capstan::Run| run.lines().last().map(|line| line["usage"]["input_tokens"].clone());
    assert_eq!((used(&first), used(&second)), (Some(json!(100)), Some(json!(200))), "the count is the thread's");
    // The beginning of the id, flags before it, and the prompt on standard input, as Codex's SDK gives it.
    let third = stage.run(exec(&stage, &["resume", &thread[..20]]).stdin("Third."));
    third.assert_code(0);
    let requests = stage.server.requests();
    assert_eq!(said(&requests[2])[..], ["First.", "Second.", "Third."], "{third}");
    stage.server.assert_played();
}

#[test]
fn the_last_thread_is_that_of_this_directory_unless_all_are_asked_for() {
    let stage = saying(&["one", "two", "three", "four"]);
    fs::create_dir(stage.home.root().join("other")).expect("a directory can be made");
    let here = thread_of(&done(&stage, &["Here."]));
    let other = stage.home.root().join("other");
    let there = thread_of(&stage.run(exec(&stage, &["There."]).in_dir(&other)));
    assert_ne!(here, there);
    assert_eq!(thread_of(&done(&stage, &["resume", "--last", "Again."])), here);
    threads(&stage.home, &["archive", &here]).assert_code(0);
    let none = stage.run(exec(&stage, &["resume", "--last", "Again."]));
    none.assert_code(2);
    assert!(none.stderr.contains("there is no thread in ") && none.stderr.contains("--all looks at"), "{none}");
    assert_eq!(thread_of(&done(&stage, &["resume", "--last", "--all", "Again."])), there);
}

#[test]
fn a_name_names_a_thread_and_what_names_none_is_bad_input() {
    let stage = saying(&["one", "two"]);
    let thread = thread_of(&done(&stage, &["First."]));
    threads(&stage.home, &["name", &thread, "the parser"]).assert_code(0);
    assert_eq!(thread_of(&done(&stage, &["resume", "the parser", "Second."])), thread);
    for words in
        [&["resume", "nobody", "x"][..], &["resume", "00000000-0000-0000-0000-000000000001", "x"], &["fork", "nobody", "x"]]
    {
        let refused = stage.run(exec(&stage, words));
        refused.assert_code(2);
        assert!(refused.stderr.contains("there is no thread `") && refused.stdout.is_empty(), "{refused}");
    }
    threads(&stage.home, &["show", "nobody"]).assert_code(2);
}

#[test]
fn what_the_command_line_names_holds_from_there_on_and_what_was_configured_does_not() {
    let stage = saying(&["one", "two", "three"]);
    let thread = thread_of(&done(&stage, &["First."]));
    let bare = |words: &[&str]| {
        let all = ["exec", "--json"].iter().chain(words);
        stage.run(
            capstan_tests::capstan::Capstan::new(&stage.home)
                .args(all.copied())
                .env(capstan_tests::capstan::Home::KEY_VARIABLE, capstan_tests::capstan::Home::KEY)
                .in_dir(&stage.workspace()),
        )
    };
    bare(&["-m", "scripted-model-2", "-s", "read-only", "resume", &thread, "Second."]).assert_code(0);
    bare(&["resume", &thread, "Third."]).assert_code(0);
    let models: Vec<_> = stage.server.requests().iter().map(|request| request.body["model"].clone()).collect();
    assert_eq!(models, ["scripted-model", "scripted-model-2", "scripted-model-2"]);
    let record = stored(&stage, &thread).record;
    assert_eq!((record.settings.model.as_str(), record.settings.sandbox.to_string().as_str()), ("scripted-model-2", "read-only"));
}

#[test]
fn a_run_that_was_killed_is_resumed_and_its_model_told_what_became_of_it() {
    let wait = json!({ "cmd": "echo begun > began; sleep 600", "login": false, "yield_time_ms": 2_000 });
    let script = Script::new().then(Answer::calling("sleep", "exec_command", &wait)).then(Answer::saying("I see."));
    let stage = Stage::playing(script.then(Answer::saying("Going on.")));
    stage.home.configure(&format!("ownerless_timeout_ms = 1500\n{}", capstan_tests::capstan::Home::configuration(&stage.server)));
    let running = exec(&stage, &["First."]).start();
    capstan_tests::wait::until_true(SOON, "a command that runs", || stage.file("began").exists());
    let thread = running.until_line("the thread", |line| line["type"] == "thread.started")["thread_id"].clone();
    let thread = thread.as_str().expect("an id").to_owned();
    let _ = running.crash();
    let run = done(&stage, &["resume", &thread, "Go on."]);
    assert_eq!((thread_of(&run), run.final_message().as_deref()), (thread.clone(), Some("Going on.")));
    // The turn that was killed comes to its end first.
    let requests = stage.server.requests();
    assert!(requests[1].output_of("sleep").is_some(), "the call has an end: {:?}", requests[1].body);
    assert_eq!(said(&requests[1]).last().map(String::as_str), Some("First."));
    assert_eq!(said(&requests[2]).last().map(String::as_str), Some("Go on."));
    assert_eq!(stored(&stage, &thread).open_calls, []);
}

#[test]
fn a_thread_at_work_in_another_command_is_not_taken_from_it() {
    let wait =
        json!({ "cmd": "echo begun > began; until [ -e go ]; do sleep 0.05; done", "login": false, "yield_time_ms": 30_000 });
    let stage = Stage::playing(Script::new().then(Answer::calling("wait", "exec_command", &wait)).then(Answer::saying("one")));
    let running = exec(&stage, &["First."]).start();
    capstan_tests::wait::until_true(SOON, "a command that runs", || stage.file("began").exists());
    let refused = exec(&stage, &["resume", "--last", "x"]).run();
    refused.assert_code(2);
    assert!(refused.stderr.contains(&format!("is at work in process {}", running.pid())), "{refused}");
    fs::write(stage.file("go"), "").expect("a file can be written");
    running.wait().assert_code(0);
}

#[test]
fn a_fork_at_a_turn_goes_on_from_there_and_so_does_the_thread() {
    let stage = saying(&["one", "two", "forked", "three"]);
    let thread = thread_of(&done(&stage, &["First."]));
    let turn = stored(&stage, &thread).events.iter().find_map(|event| event.turn).expect("a turn").to_string();
    done(&stage, &["resume", &thread, "Second."]);
    let run = done(&stage, &["fork", &thread, "--at", &turn, "Instead."]);
    let fork = thread_of(&run);
    assert_ne!(fork, thread);
    assert_eq!(run.final_message().as_deref(), Some("forked"));
    done(&stage, &["resume", &thread, "Third."]);
    let requests = stage.server.requests();
    assert_eq!(said(&requests[2]), ["First.", "Instead."]);
    assert!(told(&requests[2]).contains(&format!("goes on from a turn of thread {thread}")), "{}", told(&requests[2]));
    assert_eq!(said(&requests[3]), ["First.", "Second.", "Third."]);
    assert!(!told(&requests[3]).contains("<fork>"));
    let parent = stored(&stage, &fork).record.parent.expect("a parent");
    assert_eq!(parent.thread.to_string(), thread);
    // Each goes on without the other.
    threads(&stage.home, &["delete", "--yes", &thread]).assert_code(0);
    assert_eq!(stored(&stage, &fork).entries.len(), stored(&stage, &fork).entries.len());
    threads(&stage.home, &["show", &fork]).assert_code(0);
}

#[test]
fn a_turn_that_there_is_not_cannot_be_forked_at() {
    let stage = saying(&["one"]);
    let thread = thread_of(&done(&stage, &["First."]));
    let refused = stage.run(exec(&stage, &["fork", &thread, "--at", "00000000-0000-0000-0000-000000000001", "x"]));
    refused.assert_code(2);
    assert!(refused.stderr.contains("has no turn 00000000-0000-0000-0000-000000000001 that has ended"), "{refused}");
    let ends = stored(&stage, &thread).events.iter().filter(|event| matches!(event.body, EventBody::TurnStarted)).count();
    assert_eq!(ends, 1);
}
