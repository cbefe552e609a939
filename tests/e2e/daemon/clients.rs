//! Many clients at once.

use super::{Daemon, SOON};
use crate::scripted::{command, contains, says, step};
use crate::stored::Stored;
use std::fs;
use std::time::Duration;

const CLIENTS: usize = 50;

#[test]
fn fifty_clients_at_once_each_get_their_own_thread_whole() {
    let daemon = Daemon::playing(&[
        step([], [says("I begin."), command("echo", "echo on it; echo x >> log")]),
        step([contains("echo", "on it")], [says("done")]),
    ]);
    let clients: Vec<_> = (0..CLIENTS).map(|_| daemon.exec().deadline(Duration::from_secs(240)).start()).collect();
    let mut threads = Vec::new();
    for run in clients.into_iter().map(capstan_tests::capstan::Running::wait) {
        run.assert_code(0);
        super::assert_once(
            &run,
            &[
                "thread.started",
                "turn.started",
                "item.completed agent_message",
                "item.started command_execution",
                "item.completed command_execution",
                "item.completed agent_message",
                "turn.completed",
            ],
        );
        threads.push(run.lines()[0]["thread_id"].to_string());
    }
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), CLIENTS);
    assert_eq!(Stored::read(&daemon.home).threads.len(), CLIENTS);
    let log = fs::read_to_string(daemon.file("log")).expect("it was written");
    assert_eq!(log.lines().count(), CLIENTS);
    // And one more, to show that nothing is used up.
    let last = daemon.exec().run();
    last.assert_code(0);
    assert!(last.took < SOON, "{last}");
}
