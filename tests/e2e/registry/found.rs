//! Two coordinators on one store and one etcd see the same nodes, and see them come and go.

use super::{Coordinator, Node, SOON, token};
use crate::scripted::{self, command, exited, says, step};
use capstan_tests::capstan::Home;
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::postgres::PostgresServer;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use std::fs;

#[test]
fn two_coordinators_on_one_store_see_all_nodes_and_their_ends() {
    let (etcd, store, here) = (EtcdCluster::start(1), PostgresServer::start(), Home::new());
    let token = token(here.root());
    let script = scripted::write(here.root(), &[step([], [command("c", "echo hello")]), step([exited("c", 0)], [says("Done.")])]);
    let first = Node::start("one", &etcd, &token);
    let coordinators = [(), ()].map(|()| Coordinator::start(&etcd, &token, &script, Some(&store.url())));
    // One was there before them, and one comes later.
    let second = Node::start("two", &etcd, &token);
    for coordinator in &coordinators {
        coordinator.until_it_knows(&["one", "two"]);
    }
    let announced = || etcd.keys().into_iter().filter(|key| key.starts_with("/capstan/v1/coordinators/coordinator/")).count();
    assert_eq!(announced(), 2);

    let work = here.root().join("work");
    fs::create_dir(&work).expect("a directory can be made");
    for coordinator in &coordinators {
        let run = coordinator.exec(&work).run();
        run.assert_code(0);
        assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
    }

    // One dies without a word, and comes back as a newer life before its lease has ended.
    let Node { home, running } = first;
    let _ = running.crash();
    let first = Node::again(home, "one", &etcd, &token);
    // One says goodbye.
    second.running.send(Signal::Terminate);
    second.running.wait().assert_code(0);
    for coordinator in &coordinators {
        wait::until_true(SOON, "the end of the node", || !coordinator.knows("two"));
        coordinator.until_it_knows(&["one"]);
    }
    // One dies for good.
    let _ = first.running.crash();
    for coordinator in &coordinators {
        wait::until_true(SOON, "the end of the lease", || !coordinator.knows("one"));
    }
    drop((first.home, second.home));
    for Coordinator { running, .. } in coordinators {
        running.send(Signal::Terminate);
        running.wait().assert_code(0);
    }
    assert_eq!(etcd.keys(), [""; 0], "everybody who said goodbye is gone");
}
