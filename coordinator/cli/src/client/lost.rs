//! A coordinator that does not answer: it is asked again, the user is told once, and at last it is given up.

use super::error::ClientError;
use super::patience::pause;
use super::reach::Reach;
use crate::failure;
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How long it may last before the user is told.
const TOLD_AFTER: Duration = Duration::from_secs(3);

/// A connection that has held this long was a good one, and what comes after it is another loss.
const HELD: Duration = Duration::from_secs(5);

/// What is remembered from the loss of a connection until another holds. In it, not in futures, so that those may be dropped.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    /// `None` for a coordinator in this process, which does not come back.
    reach: Option<Reach>,
    since: Option<Instant>,
    connected: Option<Instant>,
    attempt: u32,
    told: bool,
}

impl Lost {
    /// Nothing is lost.
    pub(super) const fn not_yet(reach: Option<Reach>) -> Self {
        Self { reach, since: None, connected: None, attempt: 0, told: false }
    }

    /// Whether lost connections are made again at all.
    pub(super) const fn may_return(&self) -> bool {
        self.reach.is_some()
    }

    /// Something was asked and answered.
    pub(super) fn connected(&mut self) {
        self.connected = Some(Instant::now());
    }

    /// Something new was heard: whatever was lost is found.
    pub(super) fn found(&mut self) {
        (self.since, self.attempt, self.told) = (None, 0, false);
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// The error itself where nothing returns; [`ClientError::Away`] when the patience is over.
    pub(super) async fn wait(&mut self, error: ClientError) -> Result<(), ClientError> {
        if self.connected.take().is_some_and(|at| at.elapsed() >= HELD) {
            self.found();
        }
        let Some(reach) = &self.reach else { return Err(error) };
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() >= reach.patience {
            return Err(away(reach, error.reason()));
        }
        let pausing = sleep(pause(self.attempt, chance()));
        self.attempt += 1;
        self.attend(async {
            pausing.await;
            Ok(())
        })
        .await
    }

    /// Carries out an attempt. When the loss has lasted a while, the user is told; when the patience ends, so does the attempt.
    ///
    /// # Errors
    /// The attempt's own, or [`ClientError::Away`].
    pub(super) async fn attend<T>(&mut self, attempt: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
        let (Some(reach), Some(since)) = (&self.reach, self.since) else { return attempt.await };
        tokio::pin!(attempt);
        if !self.told {
            tokio::select! {
                done = &mut attempt => return done,
                () = sleep_until(since + TOLD_AFTER.min(reach.patience)) => {}
            }
            self.told = true;
            let seconds = reach.patience.as_secs();
            let sentence = format!("the connection to the coordinator is lost; it is tried again for up to {seconds} s");
            failure::warn(&mut io::stderr(), &sentence);
        }
        tokio::select! {
            done = &mut attempt => done,
            () = sleep_until(since + reach.patience) => Err(away(reach, "it does not answer".to_owned())),
        }
    }
}

fn away(reach: &Reach, reason: String) -> ClientError {
    ClientError::Away { place: reach.place.to_string(), patience: reach.patience, reason }
}

/// A byte that differs from call to call and from process to process: the keys of a fresh hasher do.
fn chance() -> u8 {
    RandomState::new().hash_one(0).to_le_bytes()[0]
}
