//! One case: steps are done to a real thread and to the model of it.

use crate::answers::{Answers, With};
use crate::expected::{End, Expected};
use crate::house::{House, LINE, Life};
use crate::oracle;
use crate::step::Step;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::threads_client::ThreadsClient;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_store::{Store, StoreLocation, open};
use capstan_tests::stored::{Stored, StoredThread};
use capstan_types::history::Entry;
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::policy::{ApprovalPolicy, SandboxMode};
use capstan_types::thread::ThreadSettings;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Channel;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Case<'a> {
    house: &'a House,
    dir: TempDir,
    answers: Answers,
    life: Option<Life>,
    channel: Channel,
    store: Arc<dyn Store>,
    thread: ThreadId,
    expected: Expected,
    last: Option<(TurnId, String)>,
    texts: u32,
    forks: Vec<(ThreadId, usize)>,
}

impl<'a> Case<'a> {
    pub(crate) async fn run(house: &'a House, steps: &[Step]) {
        let mut case = Self::begin(house).await;
        for step in steps {
            case.step(*step).await;
            case.settle(*step).await;
        }
        // Whatever was acknowledged comes to its end.
        while case.expected.runs.is_some() {
            case.step(Step::Say).await;
            case.settle(Step::Say).await;
        }
        case.end().await;
    }

    async fn begin(house: &'a House) -> Self {
        let dir = tempfile::tempdir_in(house.root()).expect("a directory can be made");
        let workspace = dir.path().join("work");
        std::fs::create_dir(&workspace).expect("a directory can be made");
        let answers = Answers::default();
        let life = house.coordinator(dir.path(), &answers).await;
        let channel = life.channel();
        let settings = settings(workspace).into();
        let request = wire::CreateRequest { settings: Some(settings), thread_id: String::new() };
        let made = ThreadsClient::new(channel.clone()).create(request).await.expect("a thread is made").into_inner();
        let store = open(&StoreLocation::Sqlite(dir.path().join("capstan.db"))).await.expect("the store opens");
        let thread = made.thread_id.parse().expect("an id");
        let (life, expected) = (Some(life), Expected::default());
        Self { house, dir, answers, life, channel, store, thread, expected, last: None, texts: 0, forks: Vec::new() }
    }

    fn turns(&self) -> TurnsClient<Channel> {
        TurnsClient::new(self.channel.clone())
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("text {}", self.texts)
    }

    async fn start(&self, turn: TurnId, text: &str, queue: bool) -> Result<u32, Code> {
        let request = wire::StartTurnRequest {
            thread_id: self.thread.to_string(),
            turn_id: turn.to_string(),
            text: text.to_owned(),
            queue,
            ..Default::default()
        };
        self.turns().start(request).await.map(|answer| answer.into_inner().waits_for).map_err(|status| status.code())
    }

    async fn step(&mut self, step: Step) {
        let thread_id = self.thread.to_string();
        match step {
            Step::Start => {
                let (turn, text) = (TurnId::generate(), self.text());
                let answer = if self.expected.start(turn, &text) { Ok(0) } else { Err(Code::FailedPrecondition) };
                assert_eq!(self.start(turn, &text, false).await, answer);
            }
            Step::Queue => {
                let (turn, text) = (TurnId::generate(), self.text());
                self.last = Some((turn, text.clone()));
                assert_eq!(self.start(turn, &text, true).await, Ok(self.expected.queue(turn, &text)));
            }
            Step::Repeat => {
                // One that was taken back would be a new one.
                let began = |turn| oracle::expected_turns(&self.expected).iter().any(|(began, _)| *began == turn);
                let last = self.last.clone().filter(|(turn, _)| began(*turn) || self.expected.before(*turn) > 0);
                if let Some((turn, text)) = last {
                    assert_eq!(self.start(turn, &text, true).await, Ok(self.expected.before(turn)));
                }
            }
            Step::Withdraw(number) => {
                let waits = self.expected.waits.len();
                if let Some((turn, _)) = (waits > 0).then(|| self.expected.waits[usize::from(number) % waits].clone()) {
                    let request = wire::WithdrawRequest { thread_id, turn_id: turn.to_string() };
                    self.turns().withdraw(request).await.expect("it is taken back");
                    self.expected.withdraw(turn);
                }
            }
            Step::Steer => {
                let text = self.text();
                let request = wire::SteerRequest { thread_id, turn_id: String::new(), text: text.clone() };
                let answer = self.turns().steer(request).await.map(|answer| answer.into_inner().turn_id);
                let answer = answer.map_err(|status| status.code());
                let runs = self.expected.runs.as_ref().map(|runs| runs.turn.to_string());
                assert_eq!(answer, runs.ok_or(Code::FailedPrecondition));
                self.expected.steer(&text);
            }
            Step::Interrupt(withdraw_queued) => {
                let request = wire::InterruptRequest { thread_id, sessions: 0, withdraw_queued };
                let answer = self.turns().interrupt(request).await.expect("it is interrupted").into_inner();
                let runs = self.expected.runs.as_ref().map(|runs| runs.turn.to_string()).unwrap_or_default();
                assert_eq!(answer.turn_id, runs);
                self.expected.interrupt(withdraw_queued);
            }
            Step::Say => self.answer(With::Message),
            Step::Plan => self.answer(With::Plan),
            Step::Command => self.answer(With::Command),
            Step::Crash | Step::CrashAndResume => self.crash(step == Step::CrashAndResume).await,
            Step::Fork => self.fork().await,
        }
    }

    fn answer(&mut self, with: With) {
        if self.expected.runs.is_some() {
            self.answers.answer(with);
            self.expected.answered(with == With::Message);
        }
    }

    async fn crash(&mut self, resume: bool) {
        self.life.take().expect("it lives").die().await;
        let life = self.house.coordinator(self.dir.path(), &self.answers).await;
        self.channel = life.channel();
        self.life = Some(life);
        if resume {
            let request = wire::ResumeRequest { thread_id: self.thread.to_string() };
            ThreadsClient::new(self.channel.clone()).resume(request).await.expect("it is resumed");
        }
        self.expected.crash();
    }

    async fn fork(&mut self) {
        let new = ThreadId::generate();
        let request = wire::ForkRequest {
            thread_id: self.thread.to_string(),
            turn_id: String::new(),
            new_thread_id: new.to_string(),
            workspace: false,
        };
        let answer = ThreadsClient::new(self.channel.clone()).fork(request).await.map_err(|status| status.code());
        let Some((turn, _)) = self.expected.ended.last() else {
            assert_eq!(answer.map(drop), Err(Code::FailedPrecondition), "nothing can be forked");
            return;
        };
        let made = answer.expect("it is forked").into_inner().thread.expect("it is told");
        let parent = made.parent.expect("a fork has a parent");
        assert_eq!((parent.thread_id, parent.turn_id), (self.thread.to_string(), turn.to_string()));
        self.forks.push((new, self.expected.ended.len()));
    }

    /// Waits until the thread is what it must be, and what runs asks its model.
    async fn settle(&self, step: Step) {
        let began = Instant::now();
        loop {
            let asked = self.answers.asked();
            let turns = self.turns_of(self.thread).await;
            let waits: Vec<TurnId> =
                self.store.queued(self.thread).await.expect("it is read").iter().map(|(turn, _)| *turn).collect();
            let expected: Vec<TurnId> = self.expected.waits.iter().map(|(turn, _)| *turn).collect();
            let is_told = asked.as_ref().is_some_and(|asked| self.is_told(asked));
            if turns == oracle::expected_turns(&self.expected) && waits == expected && is_told == self.expected.runs.is_some() {
                if let Some(asked) = asked {
                    oracle::judge_prompt(&asked, &self.told());
                }
                return;
            }
            assert!(
                began.elapsed() < SOON,
                "after {step:?} there is {turns:?} with {waits:?} waiting and {asked:?} asked, and not {:?}",
                self.expected
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What the model must have been told with the request that waits.
    fn told(&self) -> Expected {
        let mut told = self.expected.clone();
        if let Some(runs) = &mut told.runs {
            runs.said.truncate(runs.told);
        }
        told
    }

    /// Whether a request is the one that must wait now: with all that was to be told.
    fn is_told(&self, asked: &[Entry]) -> bool {
        let last = self.told().all_said().pop();
        last.is_some_and(|last| asked.iter().any(|entry| matches!(entry, Entry::User { text, .. } if *text == last)))
    }

    async fn turns_of(&self, thread: ThreadId) -> Vec<(TurnId, Option<End>)> {
        oracle::turns(&self.read(thread).await)
    }

    async fn read(&self, thread: ThreadId) -> StoredThread {
        StoredThread {
            record: self.store.thread(thread).await.expect("it is read").expect("it is there"),
            events: self.store.events(thread, EventSeq(0), u32::MAX).await.expect("they are read"),
            entries: self.store.entries(thread).await.expect("they are read"),
            open_calls: self.store.open_calls(thread).await.expect("they are read"),
        }
    }

    async fn end(mut self) {
        if let Some(life) = self.life.take() {
            life.end().await;
        }
        let thread = self.read(self.thread).await;
        oracle::judge(&thread, &self.expected);
        assert!(thread.record.owner.starts_with(LINE));
        for (fork, turns) in &self.forks {
            let begun = self.turns_of(*fork).await;
            let ended = oracle::expected_turns(&self.expected);
            assert_eq!(begun, ended[..*turns], "a fork's turns");
        }
        let commands = std::fs::read_to_string(self.dir.path().join("work/log")).unwrap_or_default();
        let mut lines: Vec<&str> = commands.lines().collect();
        lines.sort_unstable();
        let all = lines.len();
        lines.dedup();
        assert_eq!(lines.len(), all, "a command ran twice: {commands}");
        self.store.close().await;
        let location = StoreLocation::Sqlite(self.dir.path().join("capstan.db"));
        // Shows that the events of every thread are legal.
        tokio::task::spawn_blocking(move || Stored::of(&location)).await.expect("the threads are legal");
    }
}

fn settings(workspace: PathBuf) -> ThreadSettings {
    ThreadSettings {
        model: "model".to_owned(),
        provider: "cases".to_owned(),
        effort: None,
        cwd: workspace.canonicalize().expect("it is there").display().to_string().parse().expect("a path"),
        node: None,
        sandbox: SandboxMode::WorkspaceWrite,
        profile: None,
        writable_roots: vec![],
        network_access: false,
        exclude_slash_tmp: false,
        approval: ApprovalPolicy::Never,
        environment: [].into(),
        instructions: None,
        plan_tool: true,
        cleaning: capstan_types::output::clean::Cleaning::Clean,
        docs: capstan_types::docs::ProjectDocs::default(),
        window: capstan_types::window::WindowSettings::default(),
        fallbacks: Vec::new(),
        budgets: capstan_types::budget::Budgets::default(),
        placement: Box::default(),
        placed: None,
        hosts: Vec::new(),
        source: None,
    }
}
