//! `capstan exec` under a permission profile: what it refuses is told to the model as a fact, and to programs in the lines.

use crate::stage::Stage;
use capstan_tests::capstan::Home;
use capstan_tests::responses_server::{Answer, Script};
use serde_json::json;
use std::fs;

const PROFILES: &str = "\n[permissions.crates]\nextends = \":workspace\"\nnetwork = [\"crates.io\"]\nhidden = [\":workspace/.env\"]\n\
                        limits = { open_files = 64 }\n";

/// Asks the session's proxy for a host, as a program does that the environment tells of it.
const ASK: &str = "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n' >&3; head -1 <&3";

fn stage(cmd: &str) -> Stage {
    let call = Answer::calling("c1", "exec_command", &json!({"cmd": cmd, "login": false}));
    let stage = Stage::playing(Script::new().then(call).then(Answer::saying("done")));
    stage.home.configure(&format!("{}{PROFILES}", Home::configuration(&stage.server)));
    stage
}

#[test]
fn a_host_that_the_profile_does_not_list_is_a_fact_for_the_model_and_a_denial_in_the_lines() {
    let stage = stage(ASK);
    let run = stage.run(stage.exec_under("crates"));
    run.assert_code(0);
    let item = run.items_of("command_execution").remove(0);
    let denial = json!({"act": "connect to example.com:443", "reason": "not in the list of allowed hosts"});
    assert_eq!(
        (&item["capstan"]["denials"], &item["capstan"]["enforced"]["network"]),
        (&json!([denial]), &json!("hosts")),
        "{run}"
    );
    assert!(item["aggregated_output"].as_str().is_some_and(|output| output.starts_with("HTTP/1.1 403")), "{run}");
    let told = stage.output_of("c1");
    assert!(told.contains("The sandbox refused: connect to example.com:443: not in the list of allowed hosts"), "{told}");
    assert!(!told.contains("escalat"), "nothing offers to leave the sandbox: {told}");
}

#[test]
fn what_a_profile_hides_and_limits_holds_in_its_sessions() {
    let stage = stage("cat plain .env; ulimit -n");
    fs::write(stage.file("plain"), "plain\n").expect("a file can be written");
    fs::write(stage.file(".env"), "TOKEN=1\n").expect("a file can be written");
    let run = stage.run(stage.exec_under("crates"));
    let output = run.items_of("command_execution")[0]["aggregated_output"].as_str().unwrap_or_default().to_owned();
    assert!(output.starts_with("plain\n") && output.ends_with("64\n") && !output.contains("TOKEN"), "{run}");
}

#[test]
fn the_model_is_told_what_the_profile_allows() {
    let stage = stage("true");
    stage.run(stage.exec_under("crates")).assert_code(0);
    let first = stage.server.requests()[0].body.to_string();
    for fact in ["crates.io", "/.env", "64 open files"] {
        assert!(first.contains(fact), "{fact}: {first}");
    }
}
