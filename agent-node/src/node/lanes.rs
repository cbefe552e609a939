//! The ways into one workspace's mailbox.
//!
//! Each has a bound of its own: what is said to a session that is there (input, a signal, its end, its release) takes no place from what
//! begins something, nor the other way round, so that a crowd of starts cannot keep out what would make room for it. Messages of all lanes
//! are handled in the order in which they were taken.

use crate::error::NodeError;
use crate::workspace::message::{WorkspaceEnvelope, WorkspaceMsg, WorkspaceRequest};
use capstan_runtime::actors::{BoundedRef, CastError};
use ractor::ActorRef;
use std::num::NonZeroUsize;

/// Requests that begin or look for something and may wait. Full: the next one is refused as busy.
const REQUESTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// Requests to sessions that may wait: a few for each session that a thread can have. Full: the next one is refused as busy.
const TO_SESSIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// The lanes of one workspace.
#[derive(Debug)]
pub(crate) struct Lanes {
    requests: BoundedRef<WorkspaceMsg>,
    to_sessions: BoundedRef<WorkspaceMsg>,
}

impl Lanes {
    pub(crate) fn to(workspace: ActorRef<WorkspaceEnvelope>) -> Self {
        let requests = BoundedRef::new(workspace.clone(), REQUESTS);
        Self { requests, to_sessions: BoundedRef::new(workspace, TO_SESSIONS) }
    }

    /// Hands a request on, or refuses it as busy; says whether it was handed on.
    pub(crate) fn take(&self, request: WorkspaceRequest) -> bool {
        let lane = if request.is_to_session() { &self.to_sessions } else { &self.requests };
        match lane.try_cast(WorkspaceMsg::Request(request)) {
            Ok(()) => return true,
            Err(CastError::Busy(WorkspaceMsg::Request(request))) => request.refuse(NodeError::busy("the workspace")),
            // It has failed a moment ago, which the supervisor's next event says; the caller sees its reply port dropped.
            Err(CastError::Busy(_) | CastError::Stopped) => {}
        }
        false
    }

    /// The lane of what begins something, and of what the node itself says.
    pub(crate) const fn requests(&self) -> &BoundedRef<WorkspaceMsg> {
        &self.requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::message::SessionMsg;
    use capstan_types::id::SessionId;
    use ractor::{Actor, ActorProcessingErr};
    use tokio::sync::oneshot;

    /// A workspace that handles nothing until it is let.
    struct Held;

    impl Actor for Held {
        type Msg = WorkspaceEnvelope;
        type State = Option<oneshot::Receiver<()>>;
        type Arguments = oneshot::Receiver<()>;

        async fn pre_start(&self, _: ActorRef<Self::Msg>, hold: Self::Arguments) -> Result<Self::State, ActorProcessingErr> {
            Ok(Some(hold))
        }

        async fn handle(
            &self,
            _: ActorRef<Self::Msg>,
            envelope: Self::Msg,
            hold: &mut Self::State,
        ) -> Result<(), ActorProcessingErr> {
            if let Some(hold) = hold.take() {
                let _ = hold.await;
            }
            if let WorkspaceMsg::Request(WorkspaceRequest::Session { message: SessionMsg::Release { reply }, .. }) =
                envelope.message
            {
                let _ = reply.send(Ok(()));
            }
            Ok(())
        }
    }

    type Answer<T> = oneshot::Receiver<Result<T, NodeError>>;

    fn find() -> WorkspaceRequest {
        WorkspaceRequest::Find { session: SessionId::generate(), reply: oneshot::channel().0.into() }
    }

    fn release() -> (WorkspaceRequest, Answer<()>) {
        let (reply, answer) = oneshot::channel();
        let message = SessionMsg::Release { reply: reply.into() };
        (WorkspaceRequest::Session { session: SessionId::generate(), message }, answer)
    }

    #[tokio::test]
    async fn releases_get_through_to_a_workspace_that_takes_no_further_start() {
        let (go, hold) = oneshot::channel();
        let (actor, running) = Actor::spawn(None, Held, hold).await.unwrap();
        let lanes = Lanes::to(actor.clone());
        for _ in 0..REQUESTS.get() {
            assert!(lanes.take(find()));
        }
        assert!(!lanes.take(find()));
        let mut answers = Vec::new();
        for _ in 0..512 {
            let (request, answer) = release();
            assert!(lanes.take(request));
            answers.push(answer);
        }
        go.send(()).unwrap();
        for answer in answers {
            assert_eq!(answer.await.unwrap(), Ok(()));
        }
        actor.stop(None);
        running.await.unwrap();
    }

    #[tokio::test]
    async fn the_lane_to_sessions_has_its_end_too() {
        let (_go, hold) = oneshot::channel();
        let (actor, running) = Actor::spawn(None, Held, hold).await.unwrap();
        let lanes = Lanes::to(actor.clone());
        let taken = (0..=TO_SESSIONS.get()).take_while(|_| lanes.take(release().0)).count();
        assert_eq!(taken, TO_SESSIONS.get());
        let (request, mut answer) = release();
        assert!(!lanes.take(request));
        assert_eq!(answer.try_recv().unwrap(), Err(NodeError::busy("the workspace")));
        assert!(lanes.take(find()));
        actor.kill();
        let _ = running.await;
    }
}
