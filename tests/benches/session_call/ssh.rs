//! The same over OpenSSH with one connection shared by all calls: a server of this benchmark's own, on loopback.

use capstan_tests::process::command;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take until it can be reached.
const REACHED_WITHIN: Duration = Duration::from_secs(10);

/// A server, and the connection that calls share.
pub(crate) struct Ssh {
    server: Child,
    config: PathBuf,
}

impl Ssh {
    /// Starts both below `state`; none where OpenSSH's server is not installed.
    pub(crate) fn start(state: &Path) -> Option<Self> {
        let program = ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| Path::new(path).exists())?;
        let dir = state.join("ssh");
        std::fs::create_dir(&dir).expect("a directory can be made");
        for key in ["host", "user"] {
            let mut keygen = command("ssh-keygen");
            let made = keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(dir.join(key)).status();
            assert!(made.expect("ssh-keygen is installed").success(), "a key can be made");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
        let (at, config) = (dir.display(), dir.join("config"));
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/user.pub\nPidFile none\nStrictModes no\n\
             UsePAM no\nSetEnv SHLVL=2\nPasswordAuthentication no\nPermitRootLogin yes\nMaxSessions 200\n"
        );
        std::fs::write(dir.join("server"), server).expect("a file can be written");
        let client = format!(
            "Host bench\nHostName 127.0.0.1\nPort {port}\nIdentityFile {at}/user\nIdentitiesOnly yes\nUserKnownHostsFile {at}/known\n\
             StrictHostKeyChecking no\nControlMaster auto\nControlPath {at}/shared\nControlPersist yes\nLogLevel ERROR\n"
        );
        std::fs::write(&config, client).expect("a file can be written");
        // Root's server wants it; others' do not.
        let _ = std::fs::create_dir_all("/run/sshd");
        let mut server = command(program);
        server.args(["-D", "-f"]).arg(dir.join("server")).stdout(Stdio::null()).stderr(Stdio::null());
        let this = Self { server: server.spawn().expect("the server can be started"), config };
        let started = Instant::now();
        while !this.client("-T", &["true"]).status().is_ok_and(|status| status.success()) {
            assert!(started.elapsed() < REACHED_WITHIN, "the server cannot be reached");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(this)
    }

    /// A client that runs `argv` there; `terminal` is `-tt` for one, and `-T` for pipes.
    pub(crate) fn client(&self, terminal: &str, argv: &[&str]) -> Command {
        let mut ssh = command("ssh");
        ssh.arg("-F").arg(&self.config).args([terminal, "bench"]).args(argv).stdout(Stdio::null()).stderr(Stdio::null());
        ssh
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let mut stop = command("ssh");
        let _ = stop.arg("-F").arg(&self.config).args(["-O", "exit", "bench"]).stderr(Stdio::null()).status();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
