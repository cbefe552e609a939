//! Turns: start, interrupt.

use super::{create_status, not_here, running, thread_id};
use crate::thread::final_message::Demand;
use crate::thread::inherit::Woken;
use crate::thread::message::ThreadMsg;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_proto::convert::client_thread::chosen;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::turns_server::Turns as Service;
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_types::id::TurnId;
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
        let turn = chosen("turn_id", &request.turn_id)?.unwrap_or_else(TurnId::generate);
        let input = Box::new(TurnInput::try_from(request)?);
        if let Some(schema) = &input.output_schema {
            Demand::new(schema).map_err(|error| Status::invalid_argument(error.to_string()))?;
        }
        match self.0.wake(thread, turn).await.map_err(create_status)? {
            Woken::Runs(actor) => {
                let asked = ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::StartTurn(turn, input, reply));
                let started = asked.await.map_err(unavailable)?;
                started.map_err(|refused| Status::failed_precondition(refused.to_string()))?;
            }
            Woken::Begun => {}
            Woken::NotHere => return Err(not_here(thread)),
        }
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
