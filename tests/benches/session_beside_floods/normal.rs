//! The sessions that are measured: each answers a line with a line.

use crate::far::Far;
use crate::measured::{PROGRAM, on_terminal};
use capstan_tools::host::{ExecHost, Input, SessionReader};
use capstan_types::id::SessionId;
use capstan_types::launch::Stdio;
use capstan_types::output::Piece;
use capstan_types::session::SessionEvent;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

/// How often each is asked: a person who types.
pub(crate) const PACE: Duration = Duration::from_millis(200);

/// How long an answer may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sessions that wait to be asked.
pub(crate) struct Normals(Vec<Normal>);

struct Normal {
    far: Far,
    session: SessionId,
    reader: Box<dyn SessionReader>,
    /// Answers that have been read.
    asked: u64,
}

impl Normals {
    pub(crate) async fn start(far: &Far, count: usize) -> Self {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(Normal::start(far.clone()).await);
        }
        Self(all)
    }

    /// Asks all of them for so long, each at its own beat, and gives what the answers took.
    pub(crate) async fn ask(&mut self, span: Duration) -> Vec<Duration> {
        let (begun, count) = (Instant::now(), u32::try_from(self.0.len()).unwrap_or(1).max(1));
        let mut asking = JoinSet::new();
        for (number, mut normal) in (0_u32..).zip(self.0.drain(..)) {
            asking.spawn(async move {
                let mut took = Vec::new();
                // Not all at the same moment.
                let first = tokio::time::Instant::now() + PACE * number / count;
                let mut beat = interval_at(first, PACE);
                beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
                while begun.elapsed() < span {
                    beat.tick().await;
                    took.push(normal.ask().await);
                }
                (normal, took)
            });
        }
        let (normals, took): (Vec<_>, Vec<_>) = asking.join_all().await.into_iter().unzip();
        self.0 = normals;
        took.concat()
    }

    pub(crate) async fn end(self) {
        for mut normal in self.0 {
            normal.far.host.write(normal.session, "".into(), Input::Closes).await.expect("its input can be closed");
            while !matches!(normal.reader.next().await.expect("it can be read"), SessionEvent::Ended { .. }) {}
            normal.far.release(normal.session).await;
        }
    }
}

impl Normal {
    async fn start(far: Far) -> Self {
        let mut reader = far.start(&["/bin/sh", "-c", "while read line; do echo $line; done"], Stdio::Pipes).await;
        let session = match reader.next().await.expect("it can be read") {
            SessionEvent::Started { session, .. } => session,
            other => panic!("{other:?} before the start"),
        };
        let mut normal = Self { far, session, reader, asked: 0 };
        normal.ask().await;
        normal
    }

    /// Writes a line, and waits for it to come back.
    async fn ask(&mut self) -> Duration {
        let line = format!("line {}\n", self.asked);
        self.asked += 1;
        let start = Instant::now();
        self.far.host.write(self.session, line.clone().into(), Input::StaysOpen).await.expect("it can be written to");
        let mut left = line.len();
        while left > 0 {
            match timeout(PATIENCE, self.reader.next()).await.expect("an answer comes").expect("it can be read") {
                SessionEvent::Output(Piece::Bytes { bytes, .. }) => left = left.saturating_sub(bytes.len()),
                other => panic!("{other:?} instead of an answer"),
            }
        }
        start.elapsed()
    }
}

/// Calls of `true`, one at a time at a steady pace for so long; what each took.
pub(crate) async fn calls(far: &Far, span: Duration) -> Vec<Duration> {
    let (begun, mut took) = (Instant::now(), Vec::new());
    while begun.elapsed() < span {
        tokio::time::sleep(PACE / 10).await;
        let start = Instant::now();
        let mut reader = far.start(&PROGRAM, on_terminal()).await;
        let mut session = None;
        loop {
            match timeout(PATIENCE, reader.next()).await.expect("it ends").expect("it can be read") {
                SessionEvent::Started { session: started, .. } => session = Some(started),
                SessionEvent::Ended { .. } => break,
                SessionEvent::Output(_) | SessionEvent::Denied(_) => {}
            }
        }
        took.push(start.elapsed());
        far.release(session.expect("a session starts before it ends")).await;
    }
    took
}
