//! The runner's `scan` verb, kept at hand: one process that looks through directories for as long as the node lives, since to start it
//! anew costs more than most looks.
//!
//! Bounded: one look at a time. Who comes meanwhile starts a process for itself, so that a large directory holds up no small one.

use super::unclaimed::{Unclaimed, reap};
use std::io;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// How long the runner may take to look through a directory.
pub(super) const SCAN_DEADLINE: Duration = Duration::from_secs(60);

/// The longest list that is taken from it, in bytes.
pub(super) const MAX_SCAN: u64 = 8 << 20;

/// Keeps the process.
#[derive(Debug, Default)]
pub(super) struct Scanner(Mutex<Option<Resting>>);

/// The process between two looks. It goes when its standard input closes.
#[derive(Debug)]
struct Resting {
    child: Unclaimed,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Scanner {
    /// The answer to a look with these arguments, by the process that rests, or by one that `start` starts. `None` when it has not
    /// answered: it is given up then, and the next look starts another.
    pub(super) async fn ask(&self, arguments: &[&str], start: impl Fn() -> io::Result<Child>) -> Option<Vec<u8>> {
        let rested = self.0.lock().ok()?.take();
        let mut process = match rested {
            Some(process) => process,
            None => Resting::of(start().ok()?)?,
        };
        // A future that is dropped here takes the process along: what it would answer is not the next one's answer.
        let answer = tokio::time::timeout(SCAN_DEADLINE, process.ask(arguments)).await.ok()?.ok()?;
        // Of two that were at work, one stays.
        *self.0.lock().ok()? = Some(process);
        Some(answer)
    }

    /// Has it go, and waits until it has.
    pub(super) async fn stop(&self) {
        let rested = self.0.lock().ok().and_then(|mut resting| resting.take());
        if let Some(Resting { mut child, orders, .. }) = rested {
            drop(orders);
            reap(child.0.take()).await;
        }
    }
}

impl Resting {
    fn of(mut child: Child) -> Option<Self> {
        let (orders, answers) = (child.stdin.take()?, child.stdout.take()?);
        Some(Self { child: Unclaimed(Some(child)), orders, answers: BufReader::new(answers) })
    }

    async fn ask(&mut self, arguments: &[&str]) -> io::Result<Vec<u8>> {
        let mut order = serde_json::to_vec(arguments)?;
        order.push(b'\n');
        self.orders.write_all(&order).await?;
        let mut answer = Vec::new();
        (&mut self.answers).take(MAX_SCAN).read_until(b'\n', &mut answer).await?;
        if answer.ends_with(b"\n") { Ok(answer) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
