//! A node's side of one session: from the request to the report of its end, as the node does it.

use bytes::BytesMut;
use capstan_types::control::{Report, Request, VERSION, Wants};
use capstan_types::id::SessionId;
use capstan_types::launch::{Enforced, LaunchAnswer, LaunchSpec, SessionEnd, Stdio, TermSize};
use capstan_types::limits::SessionLimits;
use capstan_types::output::Seq;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, SandboxPolicy};
use std::fs::DirBuilder;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A session that runs.
pub(crate) struct Session {
    dir: PathBuf,
    stream: UnixStream,
    arrived: BytesMut,
    /// The holder's process id.
    pub(crate) holder: u32,
    /// What it proves.
    pub(crate) enforced: Enforced,
}

/// Makes the session's directory below `state`, and the document that asks for `argv` on a terminal, in a sandbox that may write a
/// workspace.
pub(crate) fn request(state: &Path, argv: &[&str], strongest: Option<Level>) -> (PathBuf, Vec<u8>) {
    let session = SessionId::generate();
    let dir = state.join(session.to_string());
    DirBuilder::new().mode(0o700).create(&dir).expect("a session's directory can be made");
    let workspace = AbsPath::new(state.join("workspace")).expect("the path is absolute");
    let spec = LaunchSpec {
        version: VERSION,
        session,
        dir: AbsPath::new(&dir).expect("the path is absolute"),
        argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
        cwd: workspace.clone(),
        env: [("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())].into(),
        stdio: Stdio::Terminal(TermSize::default()),
        policy: SandboxPolicy::workspace_write(vec![workspace]),
        limits: SessionLimits::default(),
        protected: Some(Vec::new()),
        strongest,
        disk_reserve: 0,
        root_allowed: true,
        blobs: None,
    };
    (dir, serde_json::to_vec(&spec).expect("a document is JSON"))
}

impl Session {
    /// Takes over what `answer` answers for.
    ///
    /// # Panics
    /// When it is a refusal: there is nothing to measure then.
    pub(crate) fn attach(dir: PathBuf, answer: impl Read) -> Self {
        let mut line = String::new();
        BufReader::with_capacity(1024, answer).read_line(&mut line).expect("the runner answers");
        match serde_json::from_str(&line) {
            Ok(LaunchAnswer::Started { holder, enforced, .. }) => {
                let mut stream = UnixStream::connect(dir.join("control.sock")).expect("the holder serves its socket");
                let mut frame = BytesMut::new();
                Request::Attach { version: VERSION, from: Seq(0), wants: Wants::default() }.encode(&mut frame);
                stream.write_all(&frame).expect("the holder reads");
                Self { dir, stream, arrived: BytesMut::new(), holder, enforced }
            }
            other => panic!("no session: {other:?}, from {line:?}"),
        }
    }

    /// Waits for the program's end, which the holder reports when it has reaped it.
    pub(crate) fn ended(&mut self) {
        assert_eq!(self.end(), SessionEnd::Exited { code: 0 }, "the program failed");
    }

    fn end(&mut self) -> SessionEnd {
        loop {
            match Report::decode(&mut self.arrived).expect("reports can be read") {
                Some(Report::Ended(end)) => return end,
                Some(_) => {}
                None => {
                    let mut part = [0; 4096];
                    let count = self.stream.read(&mut part).expect("the holder reports");
                    assert!(count > 0, "the holder went without a word of the end");
                    self.arrived.extend_from_slice(&part[..count]);
                }
            }
        }
    }

    /// Has the session ended by force and forgotten, and waits until its holder has gone.
    pub(crate) fn kill(mut self) {
        self.ask(&Request::Kill { by: "the benchmark".to_owned() });
        let _ = self.end();
        self.forget();
    }

    fn ask(&mut self, request: &Request) {
        let mut frame = BytesMut::new();
        request.encode(&mut frame);
        let _ = self.stream.write_all(&frame);
    }

    /// Has a session that has ended forgotten, and waits until its holder has gone.
    pub(crate) fn forget(mut self) {
        self.ask(&Request::Release);
        let _ = self.stream.read_to_end(&mut Vec::new());
        std::fs::remove_dir_all(&self.dir).expect("the session's directory can be removed");
    }
}
