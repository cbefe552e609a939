//! A real PostgreSQL server, for one test binary: its own directory, its own socket, no port.
//!
//! The server is a child of the test, in its process group, and ends with it. It does not wait for the disk unless asked to: what a test
//! kills is processes, and what they wrote is with the kernel.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The user `nobody`, whom every Linux has by this number: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// The longest that the server may take to start, after a crash too.
const START: Duration = Duration::from_secs(60);

/// A server. Dropping it ends it.
#[derive(Debug)]
pub struct PostgresServer {
    dir: TempDir,
    programs: PathBuf,
    durable: bool,
    running: Mutex<Option<Child>>,
}

impl PostgresServer {
    /// Starts one that is quick.
    ///
    /// # Panics
    /// PostgreSQL is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(false)
    }

    /// Starts one that waits for the disk at each commit, as in service.
    ///
    /// # Panics
    /// PostgreSQL is not installed, or does not start.
    #[must_use]
    pub fn durable() -> Self {
        Self::with(true)
    }

    fn with(durable: bool) -> Self {
        // In /tmp, whatever TMPDIR says: the path of a socket is short, and `nobody` must reach it.
        let dir = tempfile::Builder::new().prefix("capstan-postgres-").tempdir_in("/tmp").expect("a directory can be made");
        if is_root() {
            chown(dir.path(), Some(NOBODY), Some(NOBODY)).expect("the directory can be given away");
        }
        let server = Self { dir, programs: programs(), durable, running: Mutex::new(None) };
        let made = server
            .program("initdb")
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username=capstan", "--pgdata"])
            .arg(server.data())
            .output()
            .expect("initdb can be run");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        server
    }

    /// The URL of its database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://capstan@localhost/postgres?host={}", self.dir.path().display())
    }

    /// Kills the server with -9: its first process, and with it the others.
    ///
    /// # Panics
    /// It does not run.
    pub fn kill(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take().expect("the server runs");
        running.kill().expect("it can be killed");
        running.wait().expect("its end can be waited for");
        // They notice by themselves, and may answer until then.
        let began = Instant::now();
        while works_in(self.dir.path()) {
            assert!(began.elapsed() < START, "processes of the killed server live on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts it after it was killed.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&self) {
        let began = Instant::now();
        // The processes that a killed one leaves end when they notice; until then a new one refuses to start.
        while let Err(said) = self.try_start() {
            assert!(began.elapsed() < START, "the server does not start: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn try_start(&self) -> Result<(), String> {
        let log = self.dir.path().join("log");
        let told = fs::File::create(&log).expect("the log can be made");
        let sync = if self.durable { "fsync=on" } else { "fsync=off" };
        let mut child = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.dir.path())
            .args(["-c", "listen_addresses=", "-c", sync, "-c", "max_connections=200", "-c", "shared_buffers=32MB"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(told)
            .spawn()
            .expect("postgres can be started");
        let began = Instant::now();
        while !self.is_ready(child.id()) {
            if child.try_wait().expect("its end can be asked for").is_some() {
                return Err(fs::read_to_string(&log).unwrap_or_default());
            }
            if began.elapsed() > START {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it is not ready: {}", fs::read_to_string(&log).unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        Ok(())
    }

    /// The server writes its number and its state into a file.
    fn is_ready(&self, pid: u32) -> bool {
        let Ok(text) = fs::read_to_string(self.data().join("postmaster.pid")) else { return false };
        let mut lines = text.lines();
        lines.next() == Some(pid.to_string().as_str()) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    #[expect(clippy::disallowed_methods, reason = "the tests' own server is started here")]
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir("/");
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let Some(mut running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // At once, but by itself, so that it leaves no shared memory behind.
        let ended = self.program("pg_ctl").args(["-m", "immediate", "-w", "stop", "-D"]).arg(self.data()).output();
        if !ended.is_ok_and(|ended| ended.status.success()) {
            let _ = running.kill();
        }
        let _ = running.wait();
    }
}

/// Where PostgreSQL's programs are: the newest below Debian's directory, or those in PATH.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |dir: &Path| dir.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok());
    let mut installed: Vec<PathBuf> = versions.map(|entry| entry.path()).filter(|dir| dir.join("bin/initdb").exists()).collect();
    installed.sort_by_key(|dir| number(dir));
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists())
    };
    let found = installed.pop().map(|dir| dir.join("bin")).or_else(in_path);
    found.expect("PostgreSQL is not installed: install Debian's package postgresql, or start the tests with tests/run")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whether a process has its working directory below `dir`.
fn works_in(dir: &Path) -> bool {
    let processes = fs::read_dir("/proc").expect("it is mounted").flatten();
    processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok()).any(|cwd| cwd.starts_with(dir))
}
