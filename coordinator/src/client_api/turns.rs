//! Turns: start, interrupt.

use super::{running, thread_id};
use crate::thread::message::ThreadMsg;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::turns_server::Turns as Service;
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_types::thread::{OnInterrupt, TurnInput};
use tonic::{Request, Response, Status};

/// Serves turns.
#[derive(Debug, Clone)]
pub struct TurnsService(pub(crate) Threads);

#[tonic::async_trait]
impl Service for TurnsService {
    async fn start(&self, request: Request<wire::StartTurnRequest>) -> Result<Response<wire::StartTurnResponse>, Status> {
        let request = request.into_inner();
        let thread = thread_id(&request.thread_id)?;
        let input = Box::new(TurnInput::try_from(request)?);
        let actor = running(&self.0, thread).await?;
        let started = ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::StartTurn(input, reply)).await.map_err(unavailable)?;
        let turn = started.map_err(|refused| Status::failed_precondition(refused.to_string()))?;
        Ok(Response::new(wire::StartTurnResponse { turn_id: turn.to_string() }))
    }

    async fn interrupt(&self, request: Request<wire::InterruptRequest>) -> Result<Response<wire::InterruptResponse>, Status> {
        let request = request.into_inner();
        let sessions = OnInterrupt::from(request.sessions());
        let actor = running(&self.0, thread_id(&request.thread_id)?).await?;
        ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::Interrupt(sessions, reply)).await.map_err(unavailable)?;
        Ok(Response::new(wire::InterruptResponse {}))
    }
}

fn unavailable(error: AskError) -> Status {
    Status::unavailable(error.to_string())
}
