//! A turn that is spoken to while it runs, and turns that wait for one another.

use super::{SOON, exec, said, stored, thread_of, threads};
use crate::stage::Stage;
use capstan_proto::transport::channel;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_proto::wire::client::{InterruptRequest, ListQueuedRequest, StartTurnRequest, SteerRequest, WithdrawRequest};
use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::responses_server::{Answer, Reply, Script};
use capstan_tests::wait;
use capstan_types::id::TurnId;
use capstan_types::node::NodeAddress;
use serde_json::json;
use std::fs;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// A coordinator on a stage, whose thread's first turn waits for a file.
pub(super) struct Scene {
    pub(super) stage: Stage,
    _coordinator: Running,
    first: Running,
    pub(super) thread: String,
}

/// A command that goes on when it is let.
pub(super) fn waits() -> Reply {
    let cmd = "echo begun > began; until [ -e go ]; do sleep 0.05; done";
    Answer::calling("wait", "exec_command", &json!({ "cmd": cmd, "login": false, "yield_time_ms": 30_000 }))
}

impl Scene {
    pub(super) fn playing(script: Script) -> Self {
        let stage = Stage::playing(script);
        let coordinator = Capstan::new(&stage.home).arg("coordinator").env(Home::KEY_VARIABLE, Home::KEY).start();
        wait::until_true(SOON, "a coordinator that serves", || coordinator.stdout().contains("coordinator listens at "));
        let socket = format!("unix://{}", socket(&stage));
        let first = exec(&stage, &["--coordinator", &socket, "First."]).start();
        wait::until_true(SOON, "a command that runs", || stage.file("began").exists());
        let thread = first.until_line("the thread", |line| line["type"] == "thread.started")["thread_id"].clone();
        let thread = thread.as_str().expect("an id").to_owned();
        Self { stage, _coordinator: coordinator, first, thread }
    }

    fn ask<T>(&self, ask: impl AsyncFnOnce(TurnsClient<Channel>, String) -> T) -> T {
        tokio::runtime::Runtime::new().expect("threads can be started").block_on(async {
            let turns = TurnsClient::new(channel(&NodeAddress::Unix(socket(&self.stage))).expect("an address"));
            ask(turns, self.thread.clone()).await
        })
    }

    fn steer(&self, turn_id: &str, text: &str) -> Result<String, Status> {
        let (turn_id, text) = (turn_id.to_owned(), text.to_owned());
        self.ask(async |mut turns, thread_id| {
            turns.steer(SteerRequest { thread_id, turn_id, text }).await.map(|told| told.into_inner().turn_id)
        })
    }

    fn queue(&self, text: &str) -> Result<(String, u32), Status> {
        let text = text.to_owned();
        let turn_id = TurnId::generate().to_string();
        self.ask(async |mut turns, thread_id| {
            let request = StartTurnRequest { thread_id, text, turn_id, queue: true, ..StartTurnRequest::default() };
            turns.start(request).await.map(|started| (started.get_ref().turn_id.clone(), started.get_ref().waits_for))
        })
    }

    pub(super) fn queued(&self) -> Vec<String> {
        let listed = self.ask(async |mut turns, thread_id| turns.list_queued(ListQueuedRequest { thread_id }).await);
        listed.expect("they are listed").into_inner().turns.into_iter().map(|turn| turn.preview).collect()
    }

    fn go(&self) {
        fs::write(self.stage.file("go"), "").expect("a file can be written");
    }

    /// The last thing that was said in each request.
    fn asked(&self) -> Vec<String> {
        self.stage.server.requests().iter().filter_map(|request| said(request).pop()).collect()
    }

    pub(super) fn until_ended(&self, turns: usize) -> Vec<String> {
        wait::until(SOON, "the ends of the turns", || {
            let kinds = stored(&self.stage, &self.thread).kinds();
            let ends: Vec<_> = kinds.into_iter().filter(|kind| kind.starts_with("turn ") && kind != "turn started").collect();
            (ends.len() == turns).then_some(ends)
        })
    }
}

fn socket(stage: &Stage) -> String {
    stage.home.path().join("coordinator.sock").display().to_string()
}

#[test]
fn what_is_said_to_a_running_turn_reaches_its_model_with_the_next_request() {
    let scene = Scene::playing(Script::new().then(waits()).then(Answer::saying("I heard.")));
    let turn = scene.steer("", "And be quick.").expect("the turn is told");
    let steered = threads(&scene.stage.home, &["steer", &scene.thread, "Also be careful."]);
    steered.assert_code(0);
    let another = scene.steer("00000000-0000-0000-0000-000000000001", "x").expect_err("it is another turn");
    assert_eq!(another.code(), Code::FailedPrecondition);
    assert_eq!(another.message(), format!("turn {turn} runs now, and not the one that was meant"));
    assert_eq!(scene.steer("", " ").expect_err("it is empty").code(), Code::InvalidArgument);
    scene.go();
    assert_eq!(scene.until_ended(1), ["turn completed"]);
    let request = &scene.stage.server.requests()[1];
    assert_eq!(said(request), ["First.", "And be quick.", "Also be careful."]);
    let output = request.input().iter().position(|item| item["type"] == "function_call_output").expect("an output");
    let heard = request.input().iter().position(|item| item.to_string().contains("And be quick.")).expect("it is told");
    assert!(output < heard, "a call and its output stay together");
    let thread = stored(&scene.stage, &scene.thread);
    assert_eq!(thread.kinds().iter().filter(|kind| *kind == "completed user message").count(), 3, "people see it");
    let nothing = scene.steer("", "too late").expect_err("no turn runs");
    assert_eq!((nothing.code(), nothing.message()), (Code::FailedPrecondition, "no turn runs in this thread; start one with it"));
    let listed = threads(&scene.stage.home, &["search", "careful"]);
    assert!(listed.stdout.lines().count() == 2, "{listed}");
    scene.first.wait().assert_code(0);
}

#[test]
fn turns_that_wait_run_in_their_order_unless_they_are_withdrawn() {
    let script = Script::new().then(waits()).then_times(3, &Answer::saying("done"));
    let scene = Scene::playing(script);
    assert_eq!(scene.queue("Second.").expect("it waits").1, 1);
    let (withdrawn, before) = scene.queue("Never.").expect("it waits");
    assert_eq!(before, 2);
    scene.queue("Third.").expect("it waits");
    assert_eq!(scene.queued(), ["Second.", "Never.", "Third."]);
    for _ in 0..2 {
        let turn_id = withdrawn.clone();
        scene
            .ask(async |mut turns, thread_id| turns.withdraw(WithdrawRequest { thread_id, turn_id }).await)
            .expect("it is taken back, and that again has no effect");
    }
    scene.go();
    assert_eq!(scene.until_ended(3), ["turn completed"; 3]);
    assert_eq!(scene.asked(), ["First.", "First.", "Second.", "Third."]);
    assert!(scene.queued().is_empty());
    scene.stage.server.assert_played();
    scene.first.wait().assert_code(0);
}

#[test]
fn an_interrupt_ends_the_running_turn_and_the_next_begins_unless_all_are_taken_back() {
    let scene = Scene::playing(Script::new().then(waits()).then(Answer::saying("done")).then(waits()));
    scene.queue("Second.").expect("it waits");
    let interrupt = |withdraw_queued: bool| {
        scene
            .ask(async |mut turns, thread_id| turns.interrupt(InterruptRequest { thread_id, sessions: 2, withdraw_queued }).await)
            .expect("it is interrupted");
    };
    interrupt(false);
    assert_eq!(scene.until_ended(2), ["turn interrupted", "turn completed"]);
    assert_eq!(scene.asked()[1], "Second.");
    fs::remove_file(scene.stage.file("began")).expect("it is there");
    assert_eq!(scene.queue("Third.").expect("it begins").1, 0);
    wait::until_true(SOON, "a command that runs", || scene.stage.file("began").exists());
    scene.queue("Fourth.").expect("it waits");
    interrupt(true);
    assert_eq!(scene.until_ended(3).last().map(String::as_str), Some("turn interrupted"));
    assert!(scene.queued().is_empty());
    assert_eq!(scene.stage.server.requests().len(), 3, "the fourth never began");
    let first = scene.first.wait();
    first.assert_code(1);
    assert_eq!(thread_of(&first), scene.thread);
}

#[test]
fn no_more_than_so_many_turns_wait() {
    let scene = Scene::playing(Script::new().then(waits()));
    (0..64).for_each(|number| drop(scene.queue(&format!("{number}")).expect("it waits")));
    let full = scene.queue("late").expect_err("there is no room");
    assert_eq!(full.code(), Code::ResourceExhausted);
    assert_eq!(full.message(), "64 turns wait in this thread already; try again when one of them has ended");
}
