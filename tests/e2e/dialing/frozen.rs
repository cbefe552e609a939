//! A connection that is open with nothing behind it, as after a host vanished from the network: found out within 10 seconds, and made again,
//! while what runs runs on. On loopback, by token.

use super::{SOON, exec, knows, listens, until_it_says};
use crate::scripted::{self, command, contains, says, step};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::wait;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The promise, with some time for a busy machine.
const WITHIN: Duration = Duration::from_secs(12);

const WAITS: &str = "touch waits; while [ ! -e go ]; do sleep 0.05; done; echo gone on";

/// A way that can freeze: what is under way then never arrives, and nobody is told. What is connected later passes.
#[derive(Default)]
struct Way {
    frozen: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Way {
    fn start(to: &str) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (way, to) = (Arc::new(Self::default()), to.to_owned());
        let of_thread = Arc::clone(&way);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for from in listener.incoming().flatten() {
                let Ok(to) = TcpStream::connect(&to) else { continue };
                let frozen = Arc::new(AtomicBool::new(false));
                of_thread.frozen.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&frozen));
                let ends = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                let of_back = Arc::clone(&frozen);
                std::thread::spawn(move || pass(from, to, &frozen));
                std::thread::spawn(move || pass(ends.1, ends.0, &of_back));
            }
        });
        (way, address)
    }

    fn freeze(&self) {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|frozen| frozen.store(true, Ordering::SeqCst));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, frozen: &AtomicBool) {
    let mut part = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut part) {
        if frozen.load(Ordering::SeqCst) {
            // Neither end is told anything.
            return std::mem::forget((from, to));
        }
        if to.write_all(&part[..count]).is_err() {
            break;
        }
    }
    if frozen.load(Ordering::SeqCst) {
        std::mem::forget((from, to));
    } else {
        let _ = to.shutdown(std::net::Shutdown::Both);
    }
}

#[test]
fn a_frozen_connection_is_found_and_made_again_while_the_command_runs_on() {
    let (home, here, far) = (Home::new(), Home::new(), Home::new());
    let steps = [step([], [command("c", WAITS)]), step([contains("c", "gone on")], [says("Done.")])];
    let script = scripted::write(here.root(), &steps);
    let coordinator = Capstan::new(&home).args(["coordinator", "--listen", "127.0.0.1:0", "--script"]).arg(&script);
    // With a registry that has no other node, so that the work goes to the one that calls.
    let etcd = capstan_tests::etcd::EtcdCluster::start(1);
    let coordinator = coordinator.args(["--registry", &etcd.url()]).deadline(Duration::from_secs(300)).start();
    let line = until_it_says(&coordinator, "http://127.0.0.1:");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(';').next()).expect("it says where");
    let (way, through) = Way::start(address);
    let token = home.path().join("coordinator.token");
    let node = Capstan::new(&far).args(["node", "--name", "far", "--dial-out", &through, "--dial-out-token-file"]).arg(&token);
    let node = node.deadline(Duration::from_secs(300)).start();
    until_it_says(&node, "node far (generation 1) dials out to http://");
    assert_eq!(listens(node.pid()), 0, "nobody can reach it");
    wait::until_true(SOON, "a coordinator that knows the node", || knows(&home, "far"));
    let work = here.root().join("work");
    fs::create_dir(&work).expect("a directory can be made");
    let turn = exec(&home, &work).start();
    wait::until_true(SOON, "a command that waits", || work.join("waits").exists());

    way.freeze();
    let began = Instant::now();
    wait::until_true(SOON, "a node that finds out", || node.stderr().contains("the connection to the coordinator was lost"));
    assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
    fs::write(work.join("go"), "").expect("a file can be written");
    let run = turn.wait();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
    assert!(began.elapsed() < 2 * WITHIN, "{:?}", began.elapsed());
}

#[test]
fn a_node_with_a_wrong_token_is_told_so() {
    let (home, far) = (Home::new(), Home::new());
    let coordinator = Capstan::new(&home).args(["coordinator", "--listen", "127.0.0.1:0"]).deadline(SOON).start();
    let line = until_it_says(&coordinator, "http://127.0.0.1:");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(';').next()).expect("it says where");
    let wrong = far.root().join("wrong.token");
    fs::write(&wrong, "0123456789abcdef0123456789abcdef").expect("a file can be written");
    fs::set_permissions(&wrong, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode can be set");
    let node = Capstan::new(&far).args(["node", "--name", "far", "--dial-out", address, "--dial-out-token-file"]).arg(&wrong);
    let node = node.deadline(SOON).start();
    wait::until_true(SOON, "a refusal", || {
        node.stderr().contains("the coordinator does not let this node in: the token is wrong; use the token file")
    });
    assert!(!knows(&home, "far"));
}
