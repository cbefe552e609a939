//! A cluster of two processes: a coordinator that holds the authority, and a node that joined by a token.

use capstan_identity::audit::verify;
use capstan_identity::credentials::Credentials;
use capstan_identity::issuer::Issuer;
use capstan_identity::request;
use capstan_identity::time_now::now_ms;
use capstan_identity::trust::Trust;
use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::wait::until;
use capstan_types::id::Generation;
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long anything may take that should take a moment.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// The cluster's coordinator with its authority.
pub(crate) struct Seat {
    pub(crate) home: Home,
    pub(crate) address: String,
    // Killed with the seat.
    _running: Running,
}

/// A node of it.
pub(crate) struct Member {
    pub(crate) home: Home,
    pub(crate) address: String,
    pub(crate) running: Running,
}

impl Seat {
    /// A cluster whose certificates live so long.
    pub(crate) fn with_certificates(lifetime: &str) -> Self {
        Self::with(lifetime, &[])
    }

    /// The same, whose coordinator is started with these words as well.
    pub(crate) fn with(lifetime: &str, words: &[&str]) -> Self {
        let home = Home::new();
        Capstan::new(&home).args(["cluster", "init", "--name", "c1", "--certificates", lifetime]).run().assert_code(0);
        let coordinator = Capstan::new(&home).args(["coordinator", "--name", "seat", "--listen", "https://127.0.0.1:0"]);
        let coordinator = coordinator.args(words.iter().copied());
        let running = coordinator.deadline(Duration::from_secs(600)).start();
        let address = until(SOON, "a coordinator that serves", || {
            let said = running.stdout();
            let line = said.lines().next()?;
            let at = line.split("https://").nth(1).expect("a coordinator says where it listens");
            Some(at.to_owned())
        });
        Self { home, address, _running: running }
    }

    pub(crate) fn new() -> Self {
        Self::with_certificates("1h")
    }

    /// A fresh token, by the command.
    pub(crate) fn token(&self, words: &[&str]) -> String {
        let run = Capstan::new(&self.home).args(["cluster", "token", "create"]).args(words.iter().copied()).run();
        run.assert_code(0);
        run.stdout.lines().next().expect("a token").to_owned()
    }

    /// A node that joins by a token.
    pub(crate) fn node(&self, name: &str) -> Member {
        let token = self.token(&["--role", "node", "--name", name]);
        Member::start(Home::new(), name, &["--join", &token, &self.address])
    }

    pub(crate) fn cluster_dir(&self) -> PathBuf {
        self.home.path().join("cluster")
    }

    /// What only somebody with the authority's key can make: credentials for any name, made at this time.
    pub(crate) fn credentials_at(&self, name: &str, at_ms: u64) -> Credentials {
        let issuer = Issuer::open(&self.cluster_dir()).expect("the authority is there");
        let (key, request) = request::make().expect("a key");
        let name = name.parse().expect("a name");
        let chain = runtime().block_on(issuer.own(&name, &request, at_ms)).expect("a certificate");
        Credentials::new(key, chain).expect("they belong together")
    }

    pub(crate) fn credentials(&self, name: &str) -> Credentials {
        self.credentials_at(name, now_ms())
    }

    pub(crate) fn trust(&self) -> Trust {
        let issuer = Issuer::open(&self.cluster_dir()).expect("the authority is there");
        runtime().block_on(issuer.trust(&Trust::default(), now_ms())).expect("the records can be read")
    }

    /// Revokes a certificate, by the command.
    pub(crate) fn revoke(&self, credentials: &Credentials) {
        let serial = credentials.own().serial.to_string();
        Capstan::new(&self.home).args(["cluster", "cert", "revoke", &serial]).run().assert_code(0);
    }
}

impl Member {
    pub(crate) fn start(home: Home, name: &str, words: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", home, name, words)
    }

    /// Kills the node, and starts it again at its address: its next life.
    pub(crate) fn killed_and_started_again(self, name: &str) -> Self {
        let Self { home, address, running } = self;
        let _ = running.crash();
        Self::start_at(&address, home, name, &[])
    }

    fn start_at(address: &str, home: Home, name: &str, words: &[&str]) -> Self {
        let node = Capstan::new(&home).args(["node", "--name", name, "--listen", &format!("https://{address}")]);
        let node = node.args(words.iter().copied());
        let running = node.deadline(Duration::from_secs(600)).start();
        let address = until(SOON, &format!("a node that serves; it said {}", running.stderr()), || {
            let said = running.stdout();
            let line = said.lines().next()?;
            let at = line.split("listens at https://").nth(1).expect("a node says where it listens");
            Some(at.to_owned())
        });
        Self { home, address, running }
    }

    /// The node as a registry would have it.
    pub(crate) fn record(&self, name: &str) -> NodeRecord {
        NodeRecord {
            id: name.parse().expect("it is a node id"),
            generation: Generation(1),
            address: NodeAddress::Tls(self.address.clone()),
            labels: [].into(),
            capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
            stock: capstan_types::stock::Stock::default(),
            fingerprint: Fingerprint::default(),
            journal: JournalState::default(),
            protocol: capstan_proto::protocol::CURRENT,
        }
    }

    pub(crate) fn audit_file(&self, name: &str) -> PathBuf {
        self.home.path().join(format!("identity/node.{name}/audit.jsonl"))
    }
}

/// Waits for an entry of an audit log that has all of these parts, and checks the log's chain.
pub(crate) fn audited(log: &Path, parts: &[&str]) -> String {
    until(
        SOON,
        &format!("an entry with {parts:?} in {}:\n{}", log.display(), fs::read_to_string(log).unwrap_or_default()),
        || {
            let text = fs::read_to_string(log).ok()?;
            let whole = &text[..=text.rfind('\n')?];
            verify(whole).expect("the chain holds");
            whole.lines().find(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned)
        },
    )
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts")
}
