//! An orderly end in two steps: the first wish asks for one, the second means now.
//!
//! SIGINT and SIGTERM are wishes; so is what a test or an embedding program says by hand. The steps only ever go forward.

use std::future::pending;
use std::io;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    Graceful,
    Forced,
}

/// Tells when to end. Clones tell the same; signals are listened to until the last of them is dropped.
#[derive(Debug, Clone)]
pub struct Shutdown {
    stage: watch::Receiver<Stage>,
    _listener: Arc<JoinSet<()>>,
}

/// Says that the process should end. Dropping it says nothing.
#[derive(Debug)]
pub struct ShutdownTrigger {
    stage: watch::Sender<Stage>,
}

impl ShutdownTrigger {
    /// Wishes for the end: the first wish is graceful, each further one forces.
    pub fn wish(&self) {
        self.stage.send_modify(|stage| {
            *stage = match stage {
                Stage::Running => Stage::Graceful,
                Stage::Graceful | Stage::Forced => Stage::Forced,
            }
        });
    }
}

impl Shutdown {
    /// A shutdown that only the returned trigger asks for.
    #[must_use]
    pub fn by_hand() -> (ShutdownTrigger, Self) {
        let (sender, stage) = watch::channel(Stage::Running);
        (ShutdownTrigger { stage: sender }, Self { stage, _listener: Arc::default() })
    }

    /// Listens to SIGINT and SIGTERM. From here on neither ends the process by itself, even when this is dropped.
    ///
    /// # Errors
    /// What the system says when a handler cannot be installed.
    pub fn on_signals() -> io::Result<Self> {
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let (trigger, shutdown) = Self::by_hand();
        let mut listener = JoinSet::new();
        listener.spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupts.recv() => trigger.wish(),
                    _ = terminations.recv() => trigger.wish(),
                }
            }
        });
        Ok(Self { _listener: Arc::new(listener), ..shutdown })
    }

    /// Waits until the end is wished for. Returns at once when it has been.
    pub async fn graceful(&self) {
        self.reached(Stage::Graceful).await;
    }

    /// Waits until the end is wished for a second time: what is not finished now is left.
    pub async fn forced(&self) {
        self.reached(Stage::Forced).await;
    }

    /// Whether the end has been wished for.
    #[must_use]
    pub fn is_wished(&self) -> bool {
        *self.stage.borrow() >= Stage::Graceful
    }

    async fn reached(&self, wanted: Stage) {
        let mut stage = self.stage.clone();
        if stage.wait_for(|stage| *stage >= wanted).await.is_err() {
            // Whoever could have wished is gone, so nobody ever will; returning here would end the process for no reason.
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;
