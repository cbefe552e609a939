//! A real etcd of one or more members, for one test: its own directory, its own ports on loopback.
//!
//! The members are children of the test, in its process group, and end with it. Each can be killed, frozen, and started again with what it
//! had. `etcdctl` is what an operator would use, and here too.

// Named, since this file is also read as a part of the registry's own tests.
#[path = "etcd/certificates.rs"]
mod certificates;
#[path = "etcd/program.rs"]
mod program;

pub use certificates::Certificates;
use program::program;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that the members may take to serve, or to choose a leader.
const READY: Duration = Duration::from_secs(60);

/// How long one question to a member may take. A frozen one does not answer.
const ANSWER: &str = "--command-timeout=2s";

/// Ports that the system gives to nobody by itself, so that a member that was killed finds its own again.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// An etcd. Dropping it ends its members.
#[derive(Debug)]
pub struct EtcdCluster {
    dir: TempDir,
    members: Vec<Member>,
    certificates: Option<Certificates>,
}

#[derive(Debug)]
struct Member {
    client: u16,
    peer: u16,
    running: Mutex<Option<Child>>,
}

impl EtcdCluster {
    /// Starts so many members, and waits until they serve.
    ///
    /// # Panics
    /// etcd is not installed, or does not start.
    #[must_use]
    pub fn start(members: usize) -> Self {
        Self::with(members, |_| None)
    }

    /// Starts one member that is reached by TLS and asks its clients for certificates.
    ///
    /// # Panics
    /// As [`EtcdCluster::start`], or there is no `openssl`.
    #[must_use]
    pub fn with_certificates() -> Self {
        Self::with(1, |dir| Some(Certificates::make(dir)))
    }

    fn with(members: usize, certificates: impl Fn(&Path) -> Option<Certificates>) -> Self {
        // A port that was free may be taken before a member has it.
        for _ in 0..5 {
            let dir = tempfile::Builder::new().prefix("capstan-etcd-").tempdir_in("/tmp").expect("a directory can be made");
            let ports = free_ports(2 * members);
            let member = |pair: &[u16]| Member { client: pair[0], peer: pair[1], running: Mutex::default() };
            let certificates = certificates(dir.path());
            let cluster = Self { members: ports.chunks(2).map(member).collect(), certificates, dir };
            cluster.start_all();
            if cluster.serves_within(READY) {
                return cluster;
            }
        }
        panic!("etcd does not start: is Debian's package etcd-server installed? tests/run installs it");
    }

    /// How it is named on a command line.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "etcds" } else { "etcd" };
        let hosts: Vec<String> = self.members.iter().map(|member| format!("127.0.0.1:{}", member.client)).collect();
        format!("{scheme}://{}", hosts.join(","))
    }

    /// Its certificates.
    ///
    /// # Panics
    /// It has none.
    #[must_use]
    pub const fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("it was started with certificates")
    }

    /// How many members it has, dead ones too.
    #[must_use]
    pub const fn members(&self) -> usize {
        self.members.len()
    }

    /// Kills a member with -9, if it runs.
    pub fn kill(&self, member: usize) {
        if let Some(mut child) = self.running(member).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills all of them with -9.
    pub fn kill_all(&self) {
        (0..self.members.len()).for_each(|member| self.kill(member));
    }

    /// Starts a member that was killed, with what it had.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start_again(&self, member: usize) {
        let mut running = self.running(member);
        if running.is_none() {
            *running = Some(self.spawn(member));
        }
    }

    /// Removes what a member that was killed had.
    ///
    /// # Panics
    /// It cannot be removed.
    pub fn forget(&self, member: usize) {
        assert!(self.running(member).is_none(), "the member runs");
        fs::remove_dir_all(self.dir.path().join(format!("m{member}"))).expect("its directory can be removed");
    }

    /// Starts those that were killed, and does not wait.
    ///
    /// # Panics
    /// One cannot be started.
    pub fn start_all(&self) {
        (0..self.members.len()).for_each(|member| self.start_again(member));
    }

    /// Stops a member in its tracks: it answers nothing, and its connections stay.
    pub fn freeze(&self, member: usize) {
        self.signal(member, "STOP");
    }

    /// Lets a frozen member go on.
    pub fn thaw(&self, member: usize) {
        self.signal(member, "CONT");
    }

    /// The member that leads.
    ///
    /// # Panics
    /// None leads in time.
    #[must_use]
    pub fn leader(&self) -> usize {
        let began = Instant::now();
        loop {
            if let Some(leader) = (0..self.members.len()).find(|member| self.leads(*member)) {
                return leader;
            }
            assert!(began.elapsed() < READY, "no member leads");
            sleep(Duration::from_millis(50));
        }
    }

    /// Waits until it answers.
    ///
    /// # Panics
    /// It does not, in time.
    pub fn wait(&self) {
        assert!(self.serves_within(READY), "etcd does not serve: {}", self.logs());
    }

    /// What `etcdctl` prints when it is run with these words.
    ///
    /// # Panics
    /// It fails.
    pub fn ctl(&self, words: &[&str]) -> String {
        self.try_ctl(words).unwrap_or_else(|said| panic!("etcdctl {words:?}: {said}"))
    }

    /// The same, with what it prints when it fails.
    ///
    /// # Errors
    /// Its standard error.
    ///
    /// # Panics
    /// It is not installed.
    pub fn try_ctl(&self, words: &[&str]) -> Result<String, String> {
        let all: Vec<String> = (0..self.members.len()).map(|member| self.endpoint(member)).collect();
        self.ask(&all.join(","), words)
    }

    /// The keys that there are, below `/capstan`.
    ///
    /// # Panics
    /// etcd does not answer.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let listed = self.ctl(&["get", "--prefix", "--keys-only", "/capstan"]);
        listed.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    fn serves_within(&self, limit: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < limit {
            if (0..self.members.len()).any(|member| self.has_ended(member)) {
                return false;
            }
            // A member answers this only when there is a leader. Users may be asked for first, which shows as much.
            let answers = |member| match self.ask(&self.endpoint(member), &["get", "x"]) {
                Ok(_) => true,
                Err(said) => said.contains("user name is empty"),
            };
            if (0..self.members.len()).all(answers) {
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        false
    }

    fn has_ended(&self, member: usize) -> bool {
        self.running(member).as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    fn leads(&self, member: usize) -> bool {
        if self.running(member).is_none() {
            return false;
        }
        let status = self.ask(&self.endpoint(member), &["endpoint", "status"]).unwrap_or_default();
        // endpoint, id, version, size, leads, learns, …
        status.split(", ").nth(4) == Some("true")
    }

    fn ask(&self, endpoints: &str, words: &[&str]) -> Result<String, String> {
        let mut ctl = program("etcdctl");
        ctl.env("ETCDCTL_API", "3").args(["--endpoints", endpoints, ANSWER, "--dial-timeout=2s"]);
        if let Some(certificates) = &self.certificates {
            ctl.arg("--cacert").arg(certificates.authority()).arg("--cert").arg(certificates.of("root", "crt"));
            ctl.arg("--key").arg(certificates.of("root", "key"));
        }
        let done = ctl.args(words).output().expect("etcdctl is not installed: install Debian's package etcd-client");
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
        }
    }

    fn endpoint(&self, member: usize) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.members[member].client)
    }

    fn spawn(&self, member: usize) -> Child {
        let (name, here) = (format!("m{member}"), &self.members[member]);
        let peer = |member: &Member| format!("http://127.0.0.1:{}", member.peer);
        let all: Vec<String> =
            self.members.iter().enumerate().map(|(number, each)| format!("m{number}={}", peer(each))).collect();
        let log = fs::File::options().create(true).append(true).open(self.log(member)).expect("the log can be made");
        let mut etcd = program("etcd");
        etcd.arg("--data-dir").arg(self.dir.path().join(&name)).args(["--name", &name]);
        etcd.args(["--listen-client-urls", &self.endpoint(member), "--advertise-client-urls", &self.endpoint(member)]);
        etcd.args(["--listen-peer-urls", &peer(here), "--initial-advertise-peer-urls", &peer(here)]);
        etcd.args(["--initial-cluster", &all.join(","), "--initial-cluster-state", "new", "--logger", "zap"]);
        if let Some(certificates) = &self.certificates {
            etcd.arg("--cert-file").arg(certificates.of("etcd", "crt")).arg("--key-file").arg(certificates.of("etcd", "key"));
            etcd.arg("--client-cert-auth").arg("--trusted-ca-file").arg(certificates.authority());
        }
        let told = log.try_clone().expect("a file can be opened twice");
        etcd.stdin(Stdio::null())
            .stdout(told)
            .stderr(log)
            .spawn()
            .expect("etcd is not installed: install Debian's package etcd-server")
    }

    fn running(&self, member: usize) -> MutexGuard<'_, Option<Child>> {
        self.members[member].running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, member: usize, name: &str) {
        if let Some(child) = self.running(member).as_ref() {
            // The shell's own `kill`, because a small machine has no other.
            let sent = program("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status();
            assert!(sent.is_ok_and(|sent| sent.success()), "the signal was not sent");
        }
    }

    fn log(&self, member: usize) -> PathBuf {
        self.dir.path().join(format!("m{member}.log"))
    }

    fn logs(&self) -> String {
        let end = |member| {
            let text = fs::read_to_string(self.log(member)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(5).collect();
            format!("m{member}: {lines:#?}\n")
        };
        (0..self.members.len()).map(end).collect()
    }
}

impl Drop for EtcdCluster {
    fn drop(&mut self) {
        // Kills frozen ones as well.
        self.kill_all();
    }
}

/// So many ports that nobody has now.
fn free_ports(count: usize) -> Vec<u16> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // Tests that run at the same time begin at different places.
    let chance = u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(since.subsec_nanos());
    let begin = usize::try_from(chance % 20_000).unwrap_or(0);
    let all = PORTS.skip(begin).chain(PORTS.take(begin));
    let free: Vec<u16> = all.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).take(count).collect();
    assert_eq!(free.len(), count, "this machine has no free ports");
    free
}
