//! A turn that waits in a command until it is let go, and what is done to its thread meanwhile.

use crate::house::{Node, TURN, Trial, ended};
use crate::script;
use capstan_store::StoreLocation;
use capstan_tests::capstan::{Capstan, Run, Running};
use capstan_tests::stored::{Stored, StoredThread};
use capstan_tests::wait;
use capstan_types::event::EventBody;
use capstan_types::item::ItemBody;
use std::fs;

/// A turn in the middle of its command.
pub(crate) struct Living<'a> {
    pub(crate) trial: Trial<'a>,
    pub(crate) client: Running,
    thread: String,
    store: StoreLocation,
}

impl<'a> Living<'a> {
    /// Begins it, with a coordinator that plays [`script::write_waiting`].
    pub(crate) fn begin(trial: Trial<'a>, store: StoreLocation) -> Self {
        let client = trial.client();
        let line = client.until_line("the thread", |line| line["type"] == "thread.started");
        let thread = line["thread_id"].as_str().expect("an id").to_owned();
        wait::until_true(TURN, "a command that waits", || trial.read("log") == "began\n");
        Self { trial, client, thread, store }
    }

    /// `capstan threads` with these words, on its thread.
    pub(crate) fn threads(&self, word: &str, words: &[&str]) -> Run {
        Capstan::new(&self.trial.home).args(["threads", word, &self.thread]).args(words.iter().copied()).run()
    }

    pub(crate) fn go(&self) {
        fs::write(self.trial.work().join("go"), "").expect("a file can be written");
    }

    pub(crate) fn stored(&self) -> StoredThread {
        let threads = Stored::of(&self.store).threads;
        threads.into_iter().find(|thread| thread.record.id.to_string() == self.thread).expect("the thread is stored")
    }

    /// Waits until so many turns have ended well, and gives what people said, in its order.
    pub(crate) fn said_once_ended(&self, turns: usize) -> Vec<String> {
        let ended = || self.stored().kinds().iter().filter(|kind| *kind == "turn completed").count();
        wait::until_true(TURN, "the ends of the turns", || ended() == turns);
        self.said()
    }

    /// What people said, in its order.
    pub(crate) fn said(&self) -> Vec<String> {
        let said = |body: &EventBody| match body {
            EventBody::ItemCompleted { item } => match &item.body {
                ItemBody::UserMessage { text, .. } => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        self.stored().events.iter().filter_map(|event| said(&event.body)).collect()
    }

    /// The command ran once, and nothing was lost of it.
    pub(crate) fn assert_ran_once(&self) {
        assert_eq!(self.trial.read("log"), "began\nwent\n", "the command ran another time, or not to its end");
        assert_eq!(self.stored().open_calls, []);
    }

    /// Ends its coordinator and gives the client's run.
    pub(crate) fn over(self, daemon: Running) -> Run {
        let run = self.client.wait();
        ended(daemon).assert_code(0);
        run
    }
}

/// A turn whose store is a file of its home.
pub(crate) fn in_a_file(node: &Node, turns: usize) -> (Running, Living<'_>) {
    let trial = Trial::new(node, None);
    script::write_waiting(&trial.script(), turns);
    let daemon = trial.coordinator(None);
    let store = StoreLocation::Sqlite(trial.home.path().join("capstan.db"));
    (daemon, Living::begin(trial, store))
}
