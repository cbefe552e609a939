//! The way in which Codex's TypeScript SDK starts its program: the order of its arguments, the prompt on standard input, and what it
//! reads of the output. Scripts that use it must find nothing different here.

use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::git::Repository;
use capstan_tests::responses_server::{Answer, Reply, ResponsesServer, Script};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// A server, a home that knows it, and a repository.
struct Scene {
    server: ResponsesServer,
    home: Home,
    work: PathBuf,
}

impl Scene {
    fn new(script: Script) -> Self {
        let server = ResponsesServer::start(script);
        let home = Home::using(&server);
        let work = home.root().join("work");
        let _ = Repository::with_files(&work, &[("a.txt", "one\n")]);
        Self { server, home, work }
    }

    /// As the SDK does, with every option that it has.
    fn run(&self, prompt: &str, more: &[&str]) -> Run {
        let schema = self.home.root().join("schema.json");
        fs::write(&schema, json!({ "type": "object" }).to_string()).expect("the schema can be written");
        let extra = self.home.root().join("extra");
        fs::create_dir_all(&extra).expect("a directory can be made");
        let (work, extra, schema) = (self.work.display().to_string(), extra.display().to_string(), schema.display().to_string());
        let base_url = format!("model_providers.scripted.base_url=\"{}\"", self.server.base_url());
        let first = ["exec", "--experimental-json", "--config", "show_raw_agent_reasoning=true", "--config", &base_url];
        let flags = ["--model", "scripted-model", "--thread-source", "user", "--sandbox", "workspace-write", "--cd", &work];
        let places = ["--add-dir", &extra, "--skip-git-repo-check", "--output-schema", &schema, "--cyber-access-program", "none"];
        let settings = [
            "model_reasoning_effort=\"high\"",
            "sandbox_workspace_write.network_access=false",
            "web_search=\"disabled\"",
            "approval_policy=\"never\"",
        ];
        let settings = settings.iter().flat_map(|setting| ["--config", setting]);
        let arguments = first.into_iter().chain(flags).chain(places).chain(settings).chain(more.iter().copied());
        let capstan = Capstan::new(&self.home).args(arguments).env(Home::KEY_VARIABLE, Home::KEY);
        capstan.env("CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "codex_sdk_ts").stdin(prompt).run()
    }
}

#[test]
fn the_sdks_way_of_starting_it_works() {
    let call = Answer::calling("call_1", "exec_command", &json!({ "cmd": "cat a.txt; pwd", "login": false }));
    let scene = Scene::new(Script::new().then(call).then(Answer::saying("{\"ok\": true}")));
    let run = scene.run("What is in it?\nSay so.", &[]);
    run.assert_code(0);
    let lines = run.lines();
    assert_eq!(lines[0]["type"], "thread.started", "{run}");
    assert!(lines[0]["thread_id"].as_str().is_some_and(|id| id.len() == 36), "{run}");
    let last = lines.last().expect("there are lines");
    assert_eq!(last["type"], "turn.completed", "{run}");
    for count in ["input_tokens", "cached_input_tokens", "output_tokens"] {
        assert!(last["usage"][count].is_u64(), "{count}: {last}");
    }
    assert_eq!(run.final_message().as_deref(), Some("{\"ok\": true}"));
    let command = run.items_of("command_execution").remove(0);
    assert_eq!(
        (&command["aggregated_output"], &command["exit_code"]),
        (&json!(format!("one\n{}\n", scene.work.display())), &json!(0))
    );
    scene.server.assert_played();
}

#[test]
fn what_the_sdk_asks_for_reaches_the_model() {
    let scene = Scene::new(Script::new().then(Answer::saying("{}")));
    scene.run("What is in it?\nSay so.", &[]).assert_code(0);
    let request = scene.server.requests().remove(0);
    let body = &request.body;
    assert_eq!((&body["model"], &body["reasoning"]["effort"]), (&json!("scripted-model"), &json!("high")), "{body:#}");
    assert_eq!(body["text"]["format"]["type"], "json_schema", "{body:#}");
    let input = body["input"].to_string();
    assert!(input.contains("What is in it?\\nSay so."), "{input}");
}

#[test]
fn pictures_stand_behind_everything_else() {
    let scene = Scene::new(Script::new().then(Answer::saying("{\"seen\": \"a dot\"}")));
    let picture = scene.home.root().join("dot.gif");
    fs::write(&picture, b"GIF89a\x01\x00\x01\x00\x00\x00\x00;").expect("the picture can be written");
    scene.run("What is this?", &["--image", &picture.display().to_string()]).assert_code(0);
    let body = scene.server.requests().remove(0).body;
    assert!(body["input"].to_string().contains("data:image/gif;base64,"), "{body:#}");
}

#[test]
fn a_failed_turn_is_lines_of_json_and_exit_code_1() {
    let scene = Scene::new(Script::new().then(Reply::refused(400, "bad", "no such thing")));
    let run = scene.run("Do it.", &[]);
    run.assert_code(1);
    assert!(run.failure().is_some_and(|said| !said.is_empty()), "{run}");
    assert_eq!(run.lines()[0]["type"], "thread.started");
    assert!(run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: "), "the SDK shows standard error: {run}");
}
