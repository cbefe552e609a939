//! The process dies while a conversation is being shortened.

use super::asked::{House, thread_of};
use super::{SUMMARY, is_for_a_summary, saying, texts, using, wordy};
use crate::stored::Stored;
use capstan_tests::responses_server::{Reply, Script};
use capstan_tests::wait;
use capstan_types::history::Entry;
use std::time::Duration;

/// How long it may take on a busy machine until what should happen at once has happened.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_crash_in_the_middle_leaves_the_conversation_as_it_was() {
    let script = Script::new().then(using(wordy("c1"), 9_500)).then(Reply::silence());
    let script = script.then(saying("Going on.", 600)).then(saying("A summary.", 400));
    let house = House::playing(script);
    let exec = house.exec().args(["-c", "model_auto_compact_token_limit=10000"]).start();
    wait::until_true(SOON, "a summary that is asked for", || house.server.requests().len() == 2);
    let house = house.killed_and_started_again();
    let run = exec.wait();
    run.assert_code(0);
    house.compact(&thread_of(&run)).assert_code(0);
    house.server.assert_played();
    let requests = house.server.requests();
    assert!(is_for_a_summary(&requests[1]) && !is_for_a_summary(&requests[2]) && is_for_a_summary(&requests[3]));
    // The turn went on with the conversation as it was, and then it was shortened.
    let again = texts(&requests[2]).concat();
    assert!(again.contains("10001") && !again.contains(SUMMARY), "{again}");
    let _ = house.running.crash();
    let stored = Stored::read(&house.home);
    let shortened = stored.only().entries.iter().filter(|entry| matches!(entry, Entry::Compacted { .. })).count();
    assert_eq!(shortened, 1, "that of the crash was never stored");
}
