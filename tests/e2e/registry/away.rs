//! etcd is gone for a while: what runs goes on, nothing is begun on guesses, and all goes on when it is back.

use super::{Coordinator, Node, SOON, token};
use crate::scripted::{self, command, contains, says, step};
use capstan_tests::capstan::Home;
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::wait;
use std::fs;
use std::time::{Duration, Instant};

/// What the command waits for, and how it says that it waits.
const WAITS: &str = "touch waits; while [ ! -e go ]; do sleep 0.05; done; echo gone on";

#[test]
fn while_etcd_is_away_a_call_goes_on_and_nothing_new_is_begun() {
    let (etcd, here) = (EtcdCluster::start(3), Home::new());
    let token = token(here.root());
    let steps = [step([], [command("c", WAITS)]), step([contains("c", "gone on")], [says("Done.")])];
    let script = scripted::write(here.root(), &steps);
    let node = Node::start("one", &etcd, &token);
    let coordinator = Coordinator::start(&etcd, &token, &script, None);
    coordinator.until_it_knows(&["one"]);
    let work = here.root().join("work");
    fs::create_dir(&work).expect("a directory can be made");

    let running = coordinator.exec(&work).deadline(Duration::from_secs(200)).start();
    wait::until_true(SOON, "a command that waits", || work.join("waits").exists());
    etcd.kill_all();
    let refused = wait::until(SOON, "a refusal", || {
        let run = coordinator.exec(&work).deadline(Duration::from_secs(60)).start();
        // Until it counts as gone, what is asked for is placed; it would wait like the first one.
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) && run.stderr().is_empty() && !run.stdout().contains("turn.") {
            std::thread::sleep(Duration::from_millis(20));
        }
        run.stderr().contains("nothing new is placed now").then(|| run.wait())
    });
    assert_ne!(refused.status.code(), Some(0), "{refused}");
    assert!(refused.stderr.contains("the registry has said nothing for"), "{refused}");
    assert!(refused.stderr.contains("what runs goes on"), "{refused}");

    // The call ends while etcd is away, and its turn with it.
    fs::write(work.join("go"), "").expect("a file can be written");
    let run = running.wait();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");

    etcd.start_all();
    etcd.wait();
    wait::until_true(SOON, "placing that goes on", || coordinator.exec(&work).run().status.code() == Some(0));
    assert!(coordinator.knows("one"));
    let said = node.running.stderr();
    assert!(said.contains("it is tried again") && said.contains("etcd is back"), "{said}");
}
