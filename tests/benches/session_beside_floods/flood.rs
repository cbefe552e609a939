//! Sessions that write as fast as they can, and whoever reads them.

use crate::far::Far;
use capstan_tools::host::ExecHost;
use capstan_types::id::SessionId;
use capstan_types::launch::Stdio;
use capstan_types::output::Piece;
use capstan_types::session::SessionEvent;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a flood may take to be ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// Floods that go on until they are ended.
pub(crate) struct Floods {
    far: Far,
    begun: Instant,
    sessions: Vec<SessionId>,
    /// Each gives how many bytes its session wrote, kept or not.
    reading: JoinSet<u64>,
}

impl Floods {
    pub(crate) async fn start(far: &Far, count: usize) -> Self {
        let (mut sessions, mut reading) = (Vec::new(), JoinSet::new());
        for _ in 0..count {
            let mut reader = far.start(&["/usr/bin/yes"], Stdio::PipesNoInput).await;
            match reader.next().await.expect("it can be read") {
                SessionEvent::Started { session, .. } => sessions.push(session),
                other => panic!("{other:?} before the start"),
            }
            reading.spawn(async move {
                let mut bytes_written = 0;
                loop {
                    match reader.next().await.expect("it can be read") {
                        SessionEvent::Output(Piece::Bytes { seq, bytes }) => bytes_written = seq.0 + bytes.len() as u64,
                        SessionEvent::Output(Piece::Gap { seq, bytes }) => bytes_written = seq.0 + bytes,
                        SessionEvent::Ended { .. } => return bytes_written,
                        SessionEvent::Started { .. } | SessionEvent::Denied(_) => {}
                    }
                }
            });
        }
        Self { far: far.clone(), begun: Instant::now(), sessions, reading }
    }

    /// Ends them; how much all of them wrote, in MiB a second.
    pub(crate) async fn end(self) -> f64 {
        let seconds = self.begun.elapsed().as_secs_f64();
        for session in &self.sessions {
            self.far.host.kill(*session, "the benchmark").await.expect("it can be ended");
        }
        let written: u64 = timeout(PATIENCE, self.reading.join_all()).await.expect("floods end").into_iter().sum();
        for session in self.sessions {
            self.far.release(session).await;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = written as f64 / f64::from(1 << 20) / seconds;
        rate
    }
}
