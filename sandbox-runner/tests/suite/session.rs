//! Starting sessions as a node does.

use crate::client::{Client, PATIENCE, Seen};
pub(crate) use crate::client::{runner, wait_until};
use capstan_types::control::{Request, VERSION};
use capstan_types::id::SessionId;
use capstan_types::launch::{EndRecord, Enforced, LaunchAnswer, LaunchSpec, Refusal, Stdio, TermSize};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, SandboxMode, SandboxPolicy};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio as Connect};
use std::time::Instant;
use tempfile::TempDir;

pub(crate) fn abs(path: &Path) -> AbsPath {
    AbsPath::new(path.canonicalize().unwrap()).unwrap()
}

/// The strongest level of these sessions: that of Landlock, at which programs see the host as it is, or all that the host has.
fn strongest() -> Option<Level> {
    (!AT_FULL).then_some(Level::Landlock)
}

/// Whether these sessions have namespaces and a root of their own: those of the target `at_full`.
pub(crate) const AT_FULL: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"at_full");

/// A session to be.
pub(crate) struct Launch {
    pub(crate) spec: LaunchSpec,
    pub(crate) dir: TempDir,
}

impl Launch {
    pub(crate) fn new(argv: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spec = LaunchSpec {
            version: VERSION,
            session: SessionId::generate(),
            dir: abs(dir.path()),
            argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
            cwd: AbsPath::new("/").unwrap(),
            env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            stdio: Stdio::PipesNoInput,
            policy: SandboxPolicy::read_only(),
            limits: SessionLimits::default(),
            root_allowed: true,
            protected: None,
            strongest: strongest(),
            disk_reserve: 0,
        };
        Self { spec, dir }
    }

    /// All that the host has, wherever the suite's other sessions are.
    pub(crate) fn at_full(mut self) -> Self {
        self.spec.strongest = None;
        self
    }

    /// The session may see `place`, wherever it lies.
    pub(crate) fn seeing(mut self, place: &Path) -> Self {
        self.spec.policy.readable.push(abs(place));
        self
    }

    /// Where a session has a root of its own, what this suite's programs lie in has to be shown to it.
    fn showing_programs(mut self) -> Self {
        if self.spec.strongest.is_none() && self.spec.policy.mode != SandboxMode::DangerFullAccess {
            self.spec.policy.readable.push(abs(Path::new(env!("CARGO_BIN_EXE_capstan-sandbox")).parent().unwrap()));
        }
        self
    }

    pub(crate) fn shell(script: &str) -> Self {
        Self::new(&["sh", "-c", script])
    }

    pub(crate) fn policy(mut self, policy: SandboxPolicy) -> Self {
        self.spec.policy = policy;
        self
    }

    /// The given directory may be written, and is where the program runs.
    pub(crate) fn writing(mut self, dir: &Path) -> Self {
        self.spec.policy = SandboxPolicy::workspace_write(vec![abs(dir)]);
        self.spec.cwd = abs(dir);
        self
    }

    pub(crate) fn cwd(mut self, dir: &str) -> Self {
        self.spec.cwd = AbsPath::new(dir).unwrap();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.spec.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn stdio(mut self, stdio: Stdio) -> Self {
        self.spec.stdio = stdio;
        self
    }

    pub(crate) fn terminal(self) -> Self {
        self.stdio(Stdio::Terminal(TermSize { rows: 24, cols: 80 }))
    }

    pub(crate) fn limits(mut self, limits: SessionLimits) -> Self {
        self.spec.limits = limits;
        self
    }

    pub(crate) fn caps(self, head: u64, tail: u64) -> Self {
        let limits = SessionLimits { head: ByteCap::new(head).unwrap(), tail: ByteCap::new(tail).unwrap(), ..self.spec.limits };
        self.limits(limits)
    }

    /// Starts the session by a holder that `prepare` may change first.
    pub(crate) fn answer_of(self, prepare: impl FnOnce(&mut Command)) -> (LaunchAnswer, Holder) {
        let this = self.showing_programs();
        let document = serde_json::to_vec(&this.spec).unwrap();
        let (answer, holder) = hold(&document, prepare);
        (serde_json::from_str(&answer).unwrap(), Holder { process: Process::Started(holder), dir: this.dir })
    }

    /// Starts the session by the seam that the suite is run over.
    fn answer(self) -> (LaunchAnswer, Holder) {
        let Some(server) = crate::server::shared() else { return self.answer_of(|_| {}) };
        let this = self.showing_programs();
        let (answer, life) = server.launch(&this.spec);
        let pid = if let LaunchAnswer::Started { holder, .. } = &answer { *holder } else { 0 };
        (answer, Holder { process: Process::Served { pid, life }, dir: this.dir })
    }

    pub(crate) fn start(self) -> Session {
        match self.answer() {
            (LaunchAnswer::Started { pid, holder: number, enforced }, holder) => {
                assert_eq!(number, holder.process.id());
                Session { pid, enforced, holder }
            }
            (LaunchAnswer::Refused(refusal), _) => panic!("refused: {refusal}"),
        }
    }

    pub(crate) fn refused(self) -> Refusal {
        match self.answer() {
            (LaunchAnswer::Refused(refusal), mut holder) => {
                holder.process.await_failure();
                assert_eq!(std::fs::read_dir(holder.dir.path()).unwrap().count(), 0, "a refused launch left files");
                refusal
            }
            (LaunchAnswer::Started { .. }, _) => panic!("it was started"),
        }
    }

    /// Runs the program to its end.
    pub(crate) fn seen(self) -> Seen {
        let session = self.start();
        session.attach(0).read_to_end()
    }

    /// What the program printed, when it returned 0.
    pub(crate) fn text(self) -> String {
        let seen = self.seen();
        assert_eq!(seen.end, capstan_types::launch::SessionEnd::Exited { code: 0 }, "{}", seen.text());
        seen.text()
    }
}

/// Gives `hold` a document and reads its answer.
pub(crate) fn hold(document: &[u8], prepare: impl FnOnce(&mut Command)) -> (String, Child) {
    let mut command = runner("hold");
    // What a daemon's environment may hold. No session must see it.
    command.env("DAEMON_SECRET", "s3cr3t").stdin(Connect::piped()).stdout(Connect::piped());
    prepare(&mut command);
    let mut process = command.spawn().unwrap();
    // A runner that has seen enough does not read to the end.
    let _ = process.stdin.take().unwrap().write_all(document);
    let mut answer = String::new();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    out.read_line(&mut answer).unwrap();
    // The holder lets go of its caller: without that, this waits for as long as the session runs.
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "more than one line of answer");
    (answer, process)
}

/// A holder, which is ended with the test.
pub(crate) struct Holder {
    pub(crate) process: Process,
    pub(crate) dir: TempDir,
}

/// A holder's process.
pub(crate) enum Process {
    /// Started by the test.
    Started(Child),
    /// The server's, which closes the connection when it ends.
    Served { pid: u32, life: UnixStream },
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        match self {
            Self::Started(child) => child.id(),
            Self::Served { pid, .. } => *pid,
        }
    }

    /// Waits for a holder that has refused.
    fn await_failure(&mut self) {
        match self {
            Self::Started(child) => assert_eq!(child.wait().unwrap().code(), Some(1)),
            Self::Served { life, .. } => assert_eq!(life.read(&mut [0]).unwrap(), 0),
        }
    }

    pub(crate) fn has_gone(&mut self) -> bool {
        match self {
            Self::Started(child) => child.try_wait().unwrap().is_some(),
            Self::Served { pid, .. } => !lives(*pid),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        match self {
            // Asked first: a holder that is killed leaves its groups to the next one.
            Self::Started(child) => {
                if matches!(child.try_wait(), Ok(None)) {
                    send(child.id(), libc::SIGTERM);
                    let asked = Instant::now();
                    while matches!(child.try_wait(), Ok(None)) && asked.elapsed() < PATIENCE / 6 {
                        std::thread::yield_now();
                    }
                }
                let _ = child.kill();
                let _ = child.wait();
            }
            // Its number cannot be another's while the connection is open.
            Self::Served { pid, life } => {
                life.set_nonblocking(true).unwrap();
                if life.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
                    send(*pid, libc::SIGKILL);
                }
            }
        }
    }
}

/// A session that runs.
pub(crate) struct Session {
    pub(crate) pid: u32,
    pub(crate) enforced: Enforced,
    pub(crate) holder: Holder,
}

impl Session {
    pub(crate) fn dir(&self) -> &Path {
        self.holder.dir.path()
    }

    pub(crate) fn attach(&self, from: u64) -> Client {
        Client::attach(self.dir(), from)
    }

    /// Waits until the session's end is on disk.
    pub(crate) fn end_record(&self) -> EndRecord {
        let file = self.dir().join(EndRecord::FILE);
        wait_until("the end record", || file.exists());
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    /// Releases the ended session, and waits for its holder to go.
    pub(crate) fn release(mut self) -> TempDir {
        Client::connect(self.dir()).send(&Request::Release);
        self.gone();
        std::mem::replace(&mut self.holder.dir, tempfile::tempdir().unwrap())
    }

    /// Waits for the holder to go by itself.
    pub(crate) fn gone(&mut self) {
        let process = &mut self.holder.process;
        wait_until("the holder's leaving", || process.has_gone());
    }
}

/// Sends a signal, and gives what the kernel answered.
#[expect(unsafe_code, reason = "std sends no signals but SIGKILL")]
pub(crate) fn send(pid: u32, number: i32) -> i32 {
    // SAFETY: takes two integers.
    unsafe { libc::kill(libc::pid_t::try_from(pid).unwrap(), number) }
}

/// How many processes run that have `marker` among their arguments.
pub(crate) fn running(marker: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let arguments = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    arguments.filter(|arguments| arguments.windows(marker.len()).any(|part| part == marker.as_bytes())).count()
}

/// Whether a process is there and not merely unreaped.
pub(crate) fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Has `command` run `hook` in the child before it becomes the runner.
#[expect(unsafe_code, reason = "setting the stage for a runner needs a hook in its child")]
pub(crate) fn in_child(command: &mut Command, hook: impl FnMut() -> std::io::Result<()> + Send + Sync + 'static) {
    // SAFETY: the hooks of these tests make system calls only.
    unsafe { command.pre_exec(hook) };
}

/// A number that no other process has among its arguments, as a span that `sleep` takes.
pub(crate) fn marker() -> String {
    format!("1000.{}", SessionId::generate().to_string().bytes().map(|byte| char::from(b'0' + byte % 10)).collect::<String>())
}
