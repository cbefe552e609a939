//! The root of a process's actors.
//!
//! ractor kills the children of an actor that ends, without their goodbyes. The root stops them in order instead, and ends itself when
//! one of them fails: what is directly below it has no other to take its place.

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A running root. Dropping it lets the tree run on; [`Root::stop`] ends it.
#[derive(Debug)]
pub struct Root {
    actor: ActorRef<Never>,
    ended: JoinHandle<()>,
}

impl Root {
    /// Starts a root that gives its children `grace` to say goodbye before they are killed.
    ///
    /// # Errors
    /// What ractor says when an actor cannot be started.
    pub async fn start(grace: Duration) -> Result<Self, SpawnErr> {
        let (actor, ended) = Actor::spawn(None, RootActor, grace).await?;
        Ok(Self { actor, ended })
    }

    /// What children are spawned under.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.actor.get_cell()
    }

    /// Waits until the tree has ended, by [`Root::stop`] or by the failure of a child. Dropping the future loses nothing.
    pub async fn ended(&mut self) {
        if !self.ended.is_finished() {
            // An error would say that the root panicked, which is an end too.
            let _ = (&mut self.ended).await;
        }
    }

    /// Ends the children in order, then the root; returns when they are gone.
    pub async fn stop(mut self, reason: &str) {
        self.actor.stop(Some(reason.to_owned()));
        self.ended().await;
    }
}

/// The root is told nothing; it is only stopped.
#[derive(Debug)]
enum Never {}

struct RootActor;

impl Actor for RootActor {
    type Msg = Never;
    type State = Duration;
    type Arguments = Duration;

    async fn pre_start(&self, _me: ActorRef<Never>, grace: Duration) -> Result<Duration, ActorProcessingErr> {
        Ok(grace)
    }

    async fn handle(&self, _me: ActorRef<Never>, message: Never, _grace: &mut Duration) -> Result<(), ActorProcessingErr> {
        match message {}
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Never>,
        event: SupervisionEvent,
        _grace: &mut Duration,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(child, error) => {
                tracing::error!(actor = %child.get_id(), name = child.get_name(), %error, "an actor failed; the process ends in order");
                me.stop(Some(format!("a child failed: {error}")));
            }
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(&self, me: ActorRef<Never>, grace: &mut Duration) -> Result<(), ActorProcessingErr> {
        me.stop_children_and_wait(Some("the process ends".to_owned()), Some(*grace)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
