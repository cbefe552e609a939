//! Threads: create, list, subscribe, and what becomes of them.

use super::export::ExportStream;
use super::follow::{EventStream, follow, replay};
use super::patches::PatchStream;
use super::{checkpoints, create_status, export, patches, put_away, saved, store_status, thread_id};
use crate::thread::fork::Files;
use crate::thread::inherit::Found;
use crate::thread::message::ThreadMsg;
use crate::thread::open::{ASK_DEADLINE, CreateError, Threads};
use capstan_proto::convert::client_thread::{chosen, settings};
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::threads_server::Threads as Service;
use capstan_runtime::actors::ask::ask;
use capstan_types::id::EventSeq;
use capstan_types::thread::listing::ThreadFilter;
use capstan_types::time::Millis;
use tonic::{Request, Response, Status};

/// Serves threads.
#[derive(Debug, Clone)]
pub struct ThreadsService(pub(crate) Threads);

#[tonic::async_trait]
impl Service for ThreadsService {
    type SubscribeStream = EventStream;
    type ExportStream = ExportStream;
    type PatchStream = PatchStream;

    async fn create(&self, request: Request<wire::CreateRequest>) -> Result<Response<wire::CreateResponse>, Status> {
        let request = request.into_inner();
        let (thread, wanted) = (chosen("thread_id", &request.thread_id)?, settings(request.settings)?);
        let (thread, settings) = self.0.create(thread, wanted).await.map_err(create_status)?;
        Ok(Response::new(wire::CreateResponse { thread_id: thread.to_string(), settings: Some(settings.into()) }))
    }

    async fn waiting(&self, request: Request<wire::WaitingRequest>) -> Result<Response<wire::WaitingResponse>, Status> {
        let thread = thread_id(&request.into_inner().thread_id)?;
        if let Some(progress) = self.0.making.of(thread) {
            return Ok(Response::new(wire::WaitingResponse { progress, ..wire::WaitingResponse::default() }));
        }
        let in_line = self.0.in_line(thread).await.map_err(unavailable)?;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let told = in_line.map(|line| wire::WaitingResponse {
            waits: true,
            before: count(line.before),
            waiting: count(line.waiting),
            waited_ms: Millis::of(line.waited).0,
            reason: line.reason,
            progress: String::new(),
        });
        Ok(Response::new(told.unwrap_or_default()))
    }

    async fn list(&self, request: Request<wire::ListRequest>) -> Result<Response<wire::ListResponse>, Status> {
        let filter = ThreadFilter::try_from(request.into_inner())?;
        let page = self.0.store.threads(&filter).await.map_err(store_status)?;
        Ok(Response::new(page.into()))
    }

    async fn get(&self, request: Request<wire::GetRequest>) -> Result<Response<wire::GetResponse>, Status> {
        let record = self.0.stored(thread_id(&request.into_inner().thread_id)?).await.map_err(store_status)?;
        Ok(Response::new(wire::GetResponse { thread: Some(record.into()) }))
    }

    async fn resume(&self, request: Request<wire::ResumeRequest>) -> Result<Response<wire::ResumeResponse>, Status> {
        let thread = thread_id(&request.into_inner().thread_id)?;
        let (record, last) = self.0.resume(thread).await.map_err(create_status)?;
        Ok(Response::new(wire::ResumeResponse { thread: Some(record.into()), last_seq: last.0 }))
    }

    async fn fork(&self, request: Request<wire::ForkRequest>) -> Result<Response<wire::ForkResponse>, Status> {
        let request = request.into_inner();
        let (source, at) = (thread_id(&request.thread_id)?, chosen("turn_id", &request.turn_id)?);
        let new = thread_id(&request.new_thread_id)?;
        let files = if request.workspace { Files::Own } else { Files::Shared };
        let (record, last) = self.0.fork(source, at, new, files).await.map_err(create_status)?;
        Ok(Response::new(wire::ForkResponse { thread: Some(record.into()), last_seq: last.0 }))
    }

    async fn rename(&self, request: Request<wire::RenameRequest>) -> Result<Response<wire::RenameResponse>, Status> {
        put_away::rename(&self.0, request.into_inner()).await
    }

    async fn archive(&self, request: Request<wire::ArchiveRequest>) -> Result<Response<wire::ArchiveResponse>, Status> {
        put_away::archive(&self.0, request.into_inner()).await
    }

    async fn delete(&self, request: Request<wire::DeleteRequest>) -> Result<Response<wire::DeleteResponse>, Status> {
        put_away::delete(&self.0, request.into_inner()).await
    }

    async fn export(&self, request: Request<wire::ExportRequest>) -> Result<Response<ExportStream>, Status> {
        export::export(&self.0, thread_id(&request.into_inner().thread_id)?).await
    }

    async fn diff(&self, request: Request<wire::DiffRequest>) -> Result<Response<wire::DiffResponse>, Status> {
        checkpoints::diff(&self.0, request.into_inner()).await
    }

    async fn patch(&self, request: Request<wire::PatchRequest>) -> Result<Response<PatchStream>, Status> {
        patches::patch(&self.0, request.into_inner()).await
    }

    async fn undo(&self, request: Request<wire::UndoRequest>) -> Result<Response<wire::UndoResponse>, Status> {
        checkpoints::undo(&self.0, request.into_inner()).await
    }

    async fn list_checkpoints(
        &self,
        request: Request<wire::ListCheckpointsRequest>,
    ) -> Result<Response<wire::ListCheckpointsResponse>, Status> {
        saved::list(&self.0, request.into_inner()).await
    }

    async fn restore(&self, request: Request<wire::RestoreRequest>) -> Result<Response<wire::RestoreResponse>, Status> {
        saved::restore(&self.0, request.into_inner()).await
    }

    async fn compare(&self, request: Request<wire::CompareRequest>) -> Result<Response<wire::CompareResponse>, Status> {
        saved::compare(&self.0, request.into_inner()).await
    }

    async fn subscribe(&self, request: Request<wire::SubscribeRequest>) -> Result<Response<EventStream>, Status> {
        let request = request.into_inner();
        let (thread, after) = (thread_id(&request.thread_id)?, EventSeq(request.after_seq));
        let store = self.0.store.clone();
        let found = self.0.look(thread).await.map_err(|error| match error {
            // A node that is being started anew is registered again in a moment: whoever listens asks again.
            CreateError::Place(no_place) => unavailable(no_place),
            error => create_status(error),
        })?;
        match found {
            Found::Runs(_) if request.stored_only => Ok(Response::new(replay(store, thread, after))),
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

fn unavailable(error: impl ToString) -> Status {
    Status::unavailable(error.to_string())
}
