//! Threads: create, list, subscribe.

use super::follow::{EventStream, follow, replay};
use super::{checkpoints, create_status, thread_id};
use crate::thread::inherit::Found;
use crate::thread::message::ThreadMsg;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_proto::convert::client_thread::{chosen, settings};
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::threads_server::Threads as Service;
use capstan_runtime::actors::ask::ask;
use capstan_store::store::StoreError;
use capstan_types::id::EventSeq;
use capstan_types::thread::listing::ThreadFilter;
use tonic::{Request, Response, Status};

/// Threads in a list when the client names no limit.
const LIST_DEFAULT: u32 = 50;

/// The most threads in a list.
const LIST_MOST: u32 = 1000;

/// Serves threads.
#[derive(Debug, Clone)]
pub struct ThreadsService(pub(crate) Threads);

#[tonic::async_trait]
impl Service for ThreadsService {
    type SubscribeStream = EventStream;

    async fn create(&self, request: Request<wire::CreateRequest>) -> Result<Response<wire::CreateResponse>, Status> {
        let request = request.into_inner();
        let (thread, wanted) = (chosen("thread_id", &request.thread_id)?, settings(request.settings)?);
        let (thread, settings) = self.0.create(thread, wanted).await.map_err(create_status)?;
        Ok(Response::new(wire::CreateResponse { thread_id: thread.to_string(), settings: Some(settings.into()) }))
    }

    async fn list(&self, request: Request<wire::ListRequest>) -> Result<Response<wire::ListResponse>, Status> {
        let limit = match request.into_inner().limit {
            0 => LIST_DEFAULT,
            limit => limit.min(LIST_MOST),
        };
        let threads = self.0.store.threads(&ThreadFilter::all(limit)).await.map_err(store_status)?.threads;
        Ok(Response::new(wire::ListResponse { threads: threads.into_iter().map(Into::into).collect() }))
    }

    async fn diff(&self, request: Request<wire::DiffRequest>) -> Result<Response<wire::DiffResponse>, Status> {
        checkpoints::diff(&self.0, request.into_inner()).await
    }

    async fn undo(&self, request: Request<wire::UndoRequest>) -> Result<Response<wire::UndoResponse>, Status> {
        checkpoints::undo(&self.0, request.into_inner()).await
    }

    async fn subscribe(&self, request: Request<wire::SubscribeRequest>) -> Result<Response<EventStream>, Status> {
        let request = request.into_inner();
        let (thread, after) = (thread_id(&request.thread_id)?, EventSeq(request.after_seq));
        let store = self.0.store.clone();
        match self.0.look(thread).await.map_err(create_status)? {
            Found::Runs(actor) => {
                // Asked first: the end of a turn that is over by now is stored before the subscription is answered.
                let busy = ask(&actor, ASK_DEADLINE, ThreadMsg::IsBusy).await.map_err(unavailable)?;
                let live = ask(&actor, ASK_DEADLINE, ThreadMsg::Subscribe).await.map_err(unavailable)?.map_err(unavailable)?;
                let ends = request.until_idle && !busy;
                Ok(Response::new(if ends { replay(store, thread, after) } else { follow(store, thread, after, live) }))
            }
            Found::Lies => Ok(Response::new(replay(store, thread, after))),
            Found::Nowhere => Err(Status::not_found(format!("there is no thread {thread}"))),
        }
    }
}

fn store_status(error: StoreError) -> Status {
    unavailable(error)
}

fn unavailable(error: impl ToString) -> Status {
    Status::unavailable(error.to_string())
}
