//! `capstan threads compact`.

use super::{SUMMARY, is_for_a_summary, saying, texts, using, wordy};
use crate::stored::Stored;
use capstan_proto::transport::channel;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::responses_server::{ResponsesServer, Script};
use capstan_tests::wait;
use capstan_types::node::NodeAddress;
use std::fs;
use std::time::Duration;

/// How long a coordinator may take until it serves, on a busy machine.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// A coordinator that asks a model's server, and its home.
pub(super) struct House {
    pub(super) server: ResponsesServer,
    pub(super) home: Home,
    pub(super) running: Running,
}

impl House {
    pub(super) fn playing(script: Script) -> Self {
        let server = ResponsesServer::start(script);
        let home = Home::using(&server);
        fs::create_dir(home.root().join("work")).expect("a directory can be made");
        let running = serve(&home);
        Self { server, home, running }
    }

    /// Kills the coordinator, and starts another on its home.
    pub(super) fn killed_and_started_again(self) -> Self {
        let Self { server, home, running } = self;
        let _ = running.crash();
        let running = serve(&home);
        Self { server, home, running }
    }

    pub(super) fn exec(&self) -> Capstan {
        let exec = Capstan::exec(&self.home, "Do it.").args(["-s", "workspace-write", "-m", "own-model"]);
        exec.arg("--coordinator").arg(socket(&self.home)).in_dir(&self.home.root().join("work"))
    }

    /// Starts another turn, and waits for its end.
    fn say(&self, thread: &str, text: &str) {
        let socket = self.home.path().join("coordinator.sock").display().to_string();
        let before = ends(&self.home);
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        runtime.block_on(async {
            let mut turns = TurnsClient::new(channel(&NodeAddress::Unix(socket)).expect("an address"));
            let request = wire::StartTurnRequest { thread_id: thread.to_owned(), text: text.to_owned(), ..Default::default() };
            turns.start(request).await.expect("a turn is started");
        });
        wait::until_true(SERVES_WITHIN, "the end of the turn", || ends(&self.home) > before);
    }

    pub(super) fn compact(&self, thread: &str) -> Run {
        Capstan::new(&self.home).args(["threads", "compact", thread]).run()
    }
}

fn serve(home: &Home) -> Running {
    let running =
        Capstan::new(home).arg("coordinator").env(Home::KEY_VARIABLE, Home::KEY).deadline(Duration::from_secs(300)).start();
    wait::until_true(SERVES_WITHIN, "a coordinator that serves", || running.stdout().contains("coordinator listens at "));
    running
}

fn socket(home: &Home) -> String {
    format!("unix://{}", home.path().join("coordinator.sock").display())
}

/// How many turns of the only thread have ended well.
fn ends(home: &Home) -> usize {
    Stored::read(home).only().kinds().iter().filter(|kind| *kind == "turn completed").count()
}

pub(super) fn thread_of(run: &Run) -> String {
    run.lines()[0]["thread_id"].as_str().expect("a thread").to_owned()
}

#[test]
fn a_conversation_is_shortened_when_somebody_asks_and_the_next_life_goes_on_from_the_summary() {
    let script = Script::new()
        .then(using(wordy("c1"), 2_000))
        .then(saying("done", 2_500))
        .then(saying("A summary.", 400))
        .then(saying("I know.", 400));
    let house = House::playing(script);
    let run = house.exec().run();
    run.assert_code(0);
    let thread = thread_of(&run);
    let asked = house.compact(&thread);
    asked.assert_code(0);
    assert!(asked.stdout.contains(" tokens before, "), "{asked}");
    let house = house.killed_and_started_again();
    let again = house.compact(&thread);
    again.assert_code(0);
    assert_eq!(again.stdout, "there is nothing in it that could be left out\n");
    house.say(&thread, "What do you know?");
    house.server.assert_played();
    let requests = house.server.requests();
    assert_eq!(requests.iter().map(is_for_a_summary).collect::<Vec<_>>(), [false, false, true, false]);
    let (first, second) = (texts(&requests[2]).concat(), texts(&requests[3]).concat());
    assert!(first.contains("Do it.") && first.contains("10700\n10701") && !first.contains(SUMMARY), "{first}");
    assert!(
        second.contains("A summary.") && second.contains("What do you know?") && !second.contains("10700\n10701"),
        "{second}"
    );
    let _ = house.running.crash();
    let kinds = Stored::read(&house.home).only().kinds();
    let turns =
        [["turn started", "completed compaction", "turn completed"].as_slice(), &["turn started", "turn completed"]].concat();
    assert_eq!(kinds[kinds.len() - 9..kinds.len() - 4], turns, "{kinds:?}");
}

#[test]
fn a_thread_that_is_none_is_said() {
    let house = House::playing(Script::new());
    house.compact("nonsense").assert_code(2);
    let run = house.compact("00000000-0000-4000-8000-000000000001");
    assert!(run.stderr.contains("thread"), "{run}");
    assert!(!run.status.success(), "{run}");
}
