//! A child that nobody has taken charge of yet.

use crate::session::ending;
use std::time::Duration;
use tokio::process::Child;

/// How long one that is about to end is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A child that is made to end unless it is kept.
#[derive(Debug)]
pub(super) struct Unclaimed(pub(super) Option<Child>);

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(child) = &self.0 {
            ending::ask(child);
        }
    }
}

/// Waits for a child that is about to end. One that does not is made to.
pub(super) async fn reap(child: Option<Child>) {
    let mut child = Unclaimed(child);
    if let Some(running) = &mut child.0
        && !matches!(tokio::time::timeout(PATIENCE, running.wait()).await, Ok(Ok(_)))
    {
        ending::end(running).await;
    }
}
