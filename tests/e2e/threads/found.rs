//! Lists, searches, archives, exports, and the end of threads.

use super::{done, exec, listed, thread_of, threads};
use crate::stage::Stage;
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::responses_server::{Answer, Script};
use capstan_tests::wait;
use serde_json::{Value, json};
use std::fs;

fn stage(turns: usize) -> Stage {
    Stage::playing(Script::new().then_times(turns, &Answer::saying("done")))
}

fn list(stage: &Stage, words: &[&str]) -> Vec<String> {
    listed(&threads(&stage.home, &[&["list", "--json"], words].concat()))
}

#[test]
fn what_is_put_away_is_hidden_until_it_is_asked_for_and_taken_back() {
    let stage = stage(2);
    let (old, new) = (thread_of(&done(&stage, &["Old."])), thread_of(&done(&stage, &["New."])));
    assert_eq!(list(&stage, &[]), [new.clone(), old.clone()]);
    threads(&stage.home, &["archive", &old]).assert_code(0);
    assert_eq!(list(&stage, &[]), std::slice::from_ref(&new));
    assert_eq!(list(&stage, &["--archived"]), std::slice::from_ref(&old));
    assert_eq!(list(&stage, &["--all"]), [new.clone(), old.clone()]);
    threads(&stage.home, &["unarchive", &old]).assert_code(0);
    assert_eq!(list(&stage, &[]), [new, old]);
}

#[test]
fn a_search_finds_the_words_that_were_said_and_the_name() {
    let stage = stage(3);
    let parser = thread_of(&done(&stage, &["Mend the parser of dates."]));
    let other = thread_of(&done(&stage, &["Write a README."]));
    done(&stage, &["resume", &other, "And mention the Zeppelin."]);
    let found = |words: &[&str]| listed(&threads(&stage.home, &[&["search", "--json"], words].concat()));
    assert_eq!(found(&["PARSER", "mend"]), std::slice::from_ref(&parser));
    assert_eq!(found(&["zeppelin"]), [other]);
    assert!(found(&["zeppelin", "parser"]).is_empty());
    threads(&stage.home, &["name", &parser, "Kalender"]).assert_code(0);
    assert_eq!(found(&["kalender"]), [parser]);
    assert_eq!(found(&["the"]).len(), 2);
}

#[test]
fn a_list_goes_on_where_the_page_before_ended() {
    let stage = stage(3);
    let mut all: Vec<String> = ["a", "b", "c"].iter().map(|word| thread_of(&done(&stage, &[word]))).collect();
    all.reverse();
    let first = threads(&stage.home, &["list", "--json", "--limit", "2"]);
    let page: Value = serde_json::from_str(&first.stdout).expect("JSON");
    assert_eq!(listed(&first), all[..2]);
    let cursor = page["next_cursor"].as_str().expect("there is more");
    assert_eq!(list(&stage, &["--limit", "2", "--cursor", cursor]), all[2..]);
    let table = threads(&stage.home, &["list", "--limit", "2"]);
    assert!(table.stderr.contains(&format!("there are more: --cursor {cursor}")), "{table}");
    assert_eq!(table.stdout.lines().count(), 3, "{table}");
    threads(&stage.home, &["list", "--cursor", "x"]).assert_code(2);
}

#[test]
fn a_thread_is_deleted_only_when_that_is_said_and_is_gone_then() {
    let stage = stage(2);
    let (gone, left) = (thread_of(&done(&stage, &["One."])), thread_of(&done(&stage, &["Two."])));
    let asked = threads(&stage.home, &["delete", &gone]);
    asked.assert_code(2);
    assert!(asked.stderr.contains("there is nobody to ask") && asked.stderr.contains("--yes"), "{asked}");
    // Nothing is done unless all that is named is there.
    threads(&stage.home, &["delete", "--yes", &gone, "nobody"]).assert_code(2);
    assert_eq!(list(&stage, &["--all"]).len(), 2);
    threads(&stage.home, &["delete", "--yes", &gone]).assert_code(0);
    assert_eq!(list(&stage, &["--all"]), [left]);
    stage.run(exec(&stage, &["resume", &gone, "x"])).assert_code(2);
}

#[test]
fn an_export_is_whole_and_can_be_read() {
    let call = json!({ "cmd": "echo made > file; cat file", "login": false });
    let stage =
        Stage::playing(Script::new().then(Answer::calling("c1", "exec_command", &call)).then(Answer::saying("It is made.")));
    let thread = thread_of(&done(&stage, &["Make it."]));
    let run = threads(&stage.home, &["export", &thread]);
    run.assert_code(0);
    let lines = run.lines();
    let ordinals: Vec<u64> = lines.iter().filter_map(|line| line["ordinal"].as_u64()).collect();
    assert_eq!(ordinals, (0..lines.len() as u64).collect::<Vec<_>>());
    assert_eq!((lines[0]["type"].as_str(), lines[0]["payload"]["id"].as_str()), (Some("session_meta"), Some(thread.as_str())));
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).map(|line| &line["payload"]).collect::<Vec<_>>();
    assert_eq!(of("turn_context").len(), 1);
    let stored = super::stored(&stage, &thread);
    assert_eq!((of("event_msg").len(), of("response_item").len()), (stored.events.len(), stored.entries.len()));
    let items: Vec<&str> = of("response_item").iter().filter_map(|item| item["type"].as_str()).collect();
    assert!(items.ends_with(&["function_call", "function_call_output", "message"]), "{items:?}");
    assert!(of("response_item").iter().any(|item| item["output"].as_str().is_some_and(|output| output.contains("made"))));
    let file = stage.home.root().join("thread.jsonl");
    threads(&stage.home, &["export", &thread, "-o", &file.display().to_string()]).assert_code(0);
    assert_eq!(fs::read_to_string(file).expect("it is there"), run.stdout);
}

#[test]
fn a_thread_is_shown_with_what_people_said_and_the_names_of_its_turns() {
    let stage = stage(2);
    let thread = thread_of(&done(&stage, &["First."]));
    done(&stage, &["resume", &thread, "Second."]);
    let shown = threads(&stage.home, &["show", &thread]);
    shown.assert_code(0);
    let turns = super::stored(&stage, &thread).events.into_iter().filter_map(|event| event.turn);
    for turn in turns {
        assert!(shown.stdout.contains(&format!("turn {turn}")), "{shown}");
    }
    assert!(shown.stdout.contains("> First.") && shown.stdout.contains("> Second."), "{shown}");
    assert!(!shown.stdout.contains('\u{1b}'), "{shown}");
    let json = threads(&stage.home, &["show", "--json", &thread]);
    assert_eq!(json.lines().len(), 7, "{json}");
}

#[test]
fn beside_a_coordinator_of_the_same_home_its_threads_are_asked_of_it() {
    let stage = stage(2);
    let coordinator = Capstan::new(&stage.home).arg("coordinator").env(Home::KEY_VARIABLE, Home::KEY).start();
    wait::until_true(super::SOON, "a coordinator that serves", || coordinator.stdout().contains("coordinator listens at "));
    let socket = format!("unix://{}", stage.home.path().join("coordinator.sock").display());
    let run = exec(&stage, &["--coordinator", &socket, "First."]).run();
    run.assert_code(0);
    let thread = thread_of(&run);
    threads(&stage.home, &["name", &thread, "mine"]).assert_code(0);
    assert_eq!(list(&stage, &[]), std::slice::from_ref(&thread));
    let refused = exec(&stage, &["resume", "mine", "x"]).run();
    refused.assert_code(2);
    assert!(refused.stderr.contains(&format!("use it: --coordinator {socket}")), "{refused}");
    let resumed = exec(&stage, &["--coordinator", &socket, "resume", "mine", "Second."]).run();
    resumed.assert_code(0);
    assert_eq!(thread_of(&resumed), thread);
    drop(coordinator.crash());
}
