//! What a waiting holder of the fork server has made ahead: that it is used, that it suits, and that it goes.

use crate::bounded::{am_root, groups_of};
use crate::client::Client;
use crate::server::Server;
use crate::session::{Launch, lives, wait_until};
use capstan_types::control::Request;
use capstan_types::launch::{LaunchAnswer, Refusal};
use capstan_types::policy::{Level, Network, SandboxMode};
use std::io::Read;

const LEVELS: [Option<Level>; 2] = [None, Some(Level::Landlock)];

fn started(answer: &LaunchAnswer) -> (u32, u32) {
    match answer {
        LaunchAnswer::Started { pid, holder, .. } => (*pid, *holder),
        LaunchAnswer::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

/// A session that may write a workspace, as most do.
fn working(argv: &[&str], strongest: Option<Level>) -> (Launch, tempfile::TempDir) {
    let workspace = tempfile::tempdir().unwrap();
    let mut launch = Launch::new(argv).writing(workspace.path());
    launch.spec.strongest = strongest;
    (launch, workspace)
}

/// Runs a session to its end, and gives what it wrote.
fn text(server: &Server, launch: &Launch) -> String {
    let (answer, mut life) = server.launch(&launch.spec);
    started(&answer);
    let ended = Client::attach(launch.dir.path(), 0).read_to_end();
    Client::connect(launch.dir.path()).send(&Request::Release);
    life.read_to_end(&mut Vec::new()).expect("the holder goes");
    ended.text()
}

/// A server whose waiting holder expects sessions of this level, and that holder.
fn expecting(strongest: Option<Level>) -> (Server, u32) {
    let server = Server::start(1);
    let [first] = server.await_holders(1)[..] else { panic!() };
    text(&server, &working(&["true"], strongest).0);
    wait_until("the next holder", || server.holders().iter().any(|pid| *pid != first));
    let next = server.await_holders(1)[0];
    // Init and the process, or the process alone.
    let count = if strongest.is_none() && am_root() { 2 } else { 1 };
    wait_until("what is made ahead", || children(next).len() == count);
    (server, next)
}

fn children(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn a_session_is_the_process_that_its_holder_made_ahead() {
    for strongest in LEVELS {
        let (server, holder) = expecting(strongest);
        let waiting = children(holder);
        let (launch, _workspace) = working(&["sleep", "1000"], strongest);
        let (answer, _life) = server.launch(&launch.spec);
        let (program, by) = started(&answer);
        assert_eq!(by, holder);
        // An ordinary user cannot have one inside.
        assert!(waiting.contains(&program) || (strongest.is_none() && !am_root()), "{program} is none of {waiting:?}");
    }
}

#[test]
fn what_was_made_ahead_goes_with_its_holder_and_leaves_no_group() {
    for strongest in LEVELS {
        let (mut server, holder) = expecting(strongest);
        let waiting = children(holder);
        assert_eq!(server.leave(), Some(0));
        wait_until("the end of what waits", || !waiting.iter().any(|pid| lives(*pid)));
        assert!(groups_of(holder).is_empty(), "{:?}", groups_of(holder));
        let (mut server, holder) = expecting(strongest);
        let waiting = children(holder);
        server.process.kill().unwrap();
        server.process.wait().unwrap();
        wait_until("the end of what waits", || !waiting.iter().any(|pid| lives(*pid)));
    }
}

#[test]
fn a_session_that_does_not_suit_what_was_made_ahead_is_what_it_asks_for() {
    // A shell that waits for its pipe may still run, or wait for the disk: both count as sleeping.
    const TELL: &str = "grep -h -e NoNewPrivs -e Seccomp: -e CapBnd -e CapEff /proc/self/status; ulimit -f; umask; grep -q eth0 /proc/net/dev; echo $?; \
                        readlink /proc/self/fd/0; ps -o stat= -p $$ | head -c 1 | tr RD S; id -u; test $PPID -gt 0; echo $?";
    type Change = fn(&mut Launch);
    let changes: [Change; 9] = [
        |_| {},
        |launch| launch.spec.strongest = Some(Level::Landlock),
        |_| {},
        |launch| launch.spec.policy.network = Network::Full,
        |launch| {
            launch.spec.policy.mode = SandboxMode::DangerFullAccess;
            launch.spec.policy.level = Level::None;
        },
        |launch| launch.spec.policy.mode = SandboxMode::ReadOnly,
        |launch| launch.spec.limits.processes = Some(777),
        |launch| launch.spec.limits.processes = None,
        |launch| launch.spec.limits.file_bytes = Some(1 << 20),
    ];
    for strongest in LEVELS {
        let server = Server::start(1);
        for (number, change) in changes.iter().enumerate() {
            server.await_holders(1);
            let [(ours, _one), (theirs, _other)] = [(); 2].map(|()| {
                let (mut launch, workspace) = working(&["sh", "-c", TELL], strongest);
                launch.spec.cwd = capstan_types::path::AbsPath::new("/").unwrap();
                change(&mut launch);
                (launch, workspace)
            });
            assert_eq!(text(&server, &ours), theirs.text(), "change {number} of {strongest:?}");
        }
    }
}

#[test]
fn a_fault_of_a_process_that_was_made_ahead_is_told_as_any_other() {
    for strongest in LEVELS {
        let (server, holder) = expecting(strongest);
        let (launch, _workspace) = working(&["/no/such/program"], strongest);
        let (answer, mut life) = server.launch(&launch.spec);
        let LaunchAnswer::Refused(Refusal::Program { reason, .. }) = &answer else { panic!("{answer:?}") };
        assert_eq!(reason, "it was not found");
        assert!(matches!(life.read(&mut [0]), Ok(0)));
        assert_eq!(std::fs::read_dir(launch.dir.path()).unwrap().count(), 0, "a refused launch left files");
        wait_until("the holder's leaving", || !lives(holder));
        assert!(groups_of(holder).is_empty(), "{:?}", groups_of(holder));
    }
}
