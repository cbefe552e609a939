//! Turns: start, queue, steer, interrupt.

use super::{create_status, elsewhere, store_status, thread_id};
use crate::thread::final_message::Demand;
use crate::thread::inherit::{Found, Woken};
use crate::thread::message::{ThreadMsg, TurnRefused};
use crate::thread::open::{ASK_DEADLINE, Threads};
use crate::thread::queue::Waiting;
use crate::thread::steer::SteerRefused;
use crate::thread::waiting::NotWithdrawn;
use capstan_proto::convert::client_thread::chosen;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::turns_server::Turns as Service;
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_store::store::StoreError;
use capstan_types::id::{ThreadId, TurnId};
use capstan_types::thread::{OnInterrupt, TurnInput};
use ractor::ActorRef;
use tonic::{Request, Response, Status};

/// Serves turns.
#[derive(Debug, Clone)]
pub struct TurnsService(pub(crate) Threads);

#[tonic::async_trait]
impl Service for TurnsService {
    async fn start(&self, request: Request<wire::StartTurnRequest>) -> Result<Response<wire::StartTurnResponse>, Status> {
        let request = request.into_inner();
        self.0.is_open().map_err(create_status)?;
        let thread = thread_id(&request.thread_id)?;
        let turn = chosen("turn_id", &request.turn_id)?.unwrap_or_else(TurnId::generate);
        let queue = request.queue;
        let input = Box::new(TurnInput::try_from(request)?);
        if let Some(schema) = &input.output_schema {
            Demand::new(schema).map_err(|error| Status::invalid_argument(error.to_string()))?;
        }
        let waits_for = match self.0.wake(thread, turn).await.map_err(create_status)? {
            Woken::Runs(actor) if queue => {
                let asked = ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::QueueTurn(turn, input, reply));
                asked.await.map_err(unavailable)?.map_err(refused)?
            }
            Woken::Runs(actor) => {
                let asked = ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::StartTurn(turn, input, reply));
                asked.await.map_err(unavailable)?.map_err(refused)?;
                0
            }
            Woken::Begun => 0,
            Woken::Elsewhere(owner) => return Err(elsewhere(thread, &owner)),
        };
        let waits_for = u32::try_from(waits_for).unwrap_or(u32::MAX);
        Ok(Response::new(wire::StartTurnResponse { turn_id: turn.to_string(), waits_for }))
    }

    async fn steer(&self, request: Request<wire::SteerRequest>) -> Result<Response<wire::SteerResponse>, Status> {
        let request = request.into_inner();
        let (thread, meant) = (thread_id(&request.thread_id)?, chosen("turn_id", &request.turn_id)?);
        let Some(actor) = self.at_work(thread).await? else {
            return Err(Status::failed_precondition(SteerRefused::NothingRuns.to_string()));
        };
        let asked = ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::Steer(meant, request.text, reply));
        let turn: TurnId = asked.await.map_err(unavailable)?.map_err(unsaid)?;
        Ok(Response::new(wire::SteerResponse { turn_id: turn.to_string() }))
    }

    async fn list_queued(&self, request: Request<wire::ListQueuedRequest>) -> Result<Response<wire::ListQueuedResponse>, Status> {
        let waiting = self.0.queued(thread_id(&request.into_inner().thread_id)?).await.map_err(create_status)?;
        let queued = |waiting: Waiting| wire::QueuedTurn { turn_id: waiting.turn.to_string(), preview: waiting.preview };
        Ok(Response::new(wire::ListQueuedResponse { turns: waiting.into_iter().map(queued).collect() }))
    }

    async fn withdraw(&self, request: Request<wire::WithdrawRequest>) -> Result<Response<wire::WithdrawResponse>, Status> {
        let request = request.into_inner();
        let turn = chosen("turn_id", &request.turn_id)?.ok_or_else(|| Status::invalid_argument("name the turn"))?;
        self.0.withdraw(thread_id(&request.thread_id)?, Some(turn)).await.map_err(not_withdrawn)?;
        Ok(Response::new(wire::WithdrawResponse {}))
    }

    async fn interrupt(&self, request: Request<wire::InterruptRequest>) -> Result<Response<wire::InterruptResponse>, Status> {
        let request = request.into_inner();
        let sessions = OnInterrupt::from(request.sessions());
        let thread = thread_id(&request.thread_id)?;
        if request.withdraw_queued {
            self.0.withdraw(thread, None).await.map_err(not_withdrawn)?;
        }
        let turn = match self.0.look(thread).await.map_err(create_status)? {
            Found::Runs(actor) => {
                ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::Interrupt(sessions, reply)).await.map_err(unavailable)?
            }
            Found::Lies => self.0.nothing_runs_in(thread).await.map_err(not_withdrawn)?,
            Found::Nowhere => return Err(store_status(StoreError::NoThread(thread))),
        };
        Ok(Response::new(wire::InterruptResponse { turn_id: turn.map(|turn| turn.to_string()).unwrap_or_default() }))
    }
}

impl TurnsService {
    /// The actor of a thread that runs here; a thread that there is may lie in the store.
    async fn at_work(&self, thread: ThreadId) -> Result<Option<ActorRef<ThreadMsg>>, Status> {
        let found = self.0.find(thread).await.map_err(unavailable)?;
        if found.is_none() {
            self.0.stored(thread).await.map_err(store_status)?;
        }
        Ok(found)
    }
}

fn refused(refused: TurnRefused) -> Status {
    match refused {
        TurnRefused::Full | TurnRefused::Crowded => Status::resource_exhausted(refused.to_string()),
        TurnRefused::Log(_) => Status::unavailable(refused.to_string()),
        TurnRefused::Running(_)
        | TurnRefused::Undoing
        | TurnRefused::Empty
        | TurnRefused::Begun(_)
        | TurnRefused::Draining(_) => Status::failed_precondition(refused.to_string()),
    }
}

fn not_withdrawn(error: NotWithdrawn) -> Status {
    match error {
        NotWithdrawn::Thread(error) => create_status(error),
        NotWithdrawn::Refused(error) => refused(error),
        NotWithdrawn::Elsewhere(thread, owner) => elsewhere(thread, &owner),
    }
}

fn unsaid(refused: SteerRefused) -> Status {
    match refused {
        SteerRefused::NothingRuns | SteerRefused::Another(_) => Status::failed_precondition(refused.to_string()),
        SteerRefused::Empty => Status::invalid_argument(refused.to_string()),
        SteerRefused::Full => Status::resource_exhausted(refused.to_string()),
        SteerRefused::Log(_) => Status::unavailable(refused.to_string()),
    }
}

fn unavailable(error: AskError) -> Status {
    Status::unavailable(error.to_string())
}
