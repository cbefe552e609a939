//! What people do to the sessions of a node. None of it is an owner's act, even where this coordinator owns the thread: a person who kills a
//! session must not pass for the turn that runs it.

use super::link::{NodeChannel, NodeLink};
use bytes::Bytes;
use capstan_proto::convert::client_looking;
use capstan_proto::wire::{client, node as wire};
use capstan_types::launch::TermSize;
use capstan_types::operator::{Operator, SessionPlace};
use capstan_types::output::Seq;
use capstan_types::session::SessionEvent;
use futures::stream::{BoxStream, StreamExt as _};
use std::future::Future;
use std::time::Duration;
use tonic::{Code, Response, Status};
use wire::operate_client::OperateClient;

/// How long a node may take to answer.
const DEADLINE: Duration = Duration::from_secs(15);

/// An operator's hands on one session.
#[derive(Debug, Clone)]
pub struct OperatorHands {
    node: OperateClient<NodeChannel>,
    who: Operator,
    place: SessionPlace,
}

impl OperatorHands {
    /// The hands of `who` on the session at `place` of the node behind `link`.
    #[must_use]
    pub fn new(link: &NodeLink, who: Operator, place: SessionPlace) -> Self {
        Self { node: link.operate(), who, place }
    }

    /// The session's events from `from` on, as people are told them; also what was kept `whole`.
    ///
    /// # Errors
    /// The status for the client.
    pub async fn look(
        mut self,
        from: Seq,
        whole: bool,
    ) -> Result<BoxStream<'static, Result<client::SessionEvent, Status>>, Status> {
        let request = wire::LookRequest { operator: self.who(), place: self.place(), from_seq: from.0, whole };
        let events = within(self.node.look(request)).await?;
        let told = events.filter_map(async |event| match event {
            Ok(event) => match SessionEvent::try_from(event) {
                Ok(event) => client_looking::event(event).map(Ok),
                Err(error) => Some(Err(Status::internal(format!("the node's event makes no sense: {error}")))),
            },
            Err(status) => Some(Err(handed_on(&status))),
        });
        Ok(told.boxed())
    }

    /// Writes to standard input.
    ///
    /// # Errors
    /// The status for the client.
    pub async fn write(mut self, data: Bytes, close: bool) -> Result<(), Status> {
        let request = wire::OperateWriteRequest { operator: self.who(), place: self.place(), data, close };
        within(self.node.write(request)).await.map(drop)
    }

    /// Sends a signal to the foreground.
    ///
    /// # Errors
    /// The status for the client.
    pub async fn signal(mut self, signal: i32) -> Result<(), Status> {
        let request = wire::OperateSignalRequest { operator: self.who(), place: self.place(), signal };
        within(self.node.signal(request)).await.map(drop)
    }

    /// Changes the terminal's size.
    ///
    /// # Errors
    /// The status for the client.
    pub async fn resize(mut self, size: TermSize) -> Result<(), Status> {
        let request = wire::OperateResizeRequest { operator: self.who(), place: self.place(), size: Some(size.into()) };
        within(self.node.resize(request)).await.map(drop)
    }

    /// Ends the whole tree.
    ///
    /// # Errors
    /// The status for the client.
    pub async fn kill(mut self) -> Result<(), Status> {
        let request = wire::OperateKillRequest { operator: self.who(), place: self.place() };
        within(self.node.kill(request)).await.map(drop)
    }

    fn who(&self) -> Option<wire::Operator> {
        Some((&self.who).into())
    }

    fn place(&self) -> Option<wire::SessionPlace> {
        Some(self.place.into())
    }
}

async fn within<T>(answer: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(DEADLINE, answer).await {
        Ok(answer) => answer.map(Response::into_inner).map_err(|status| handed_on(&status)),
        Err(_) => Err(Status::unavailable(format!("the node did not answer within {} s", DEADLINE.as_secs()))),
    }
}

/// A node's status as a client is told it. What is between the coordinator and its node is none of the client's fault.
fn handed_on(status: &Status) -> Status {
    match status.code() {
        Code::NotFound | Code::Aborted | Code::InvalidArgument | Code::ResourceExhausted => {
            Status::new(status.code(), status.message())
        }
        Code::Unimplemented => Status::failed_precondition("the node is of an older release, whose sessions cannot be looked at"),
        Code::Unauthenticated => Status::failed_precondition("the node does not let this coordinator in; its token is wrong"),
        _ => Status::unavailable(format!("the node that has the session cannot be reached: {}", status.message())),
    }
}
