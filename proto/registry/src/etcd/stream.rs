//! The stream of one watch: how it is opened, asked whether it lives, and what its end means.

use super::client::{Client, LARGEST_ANSWER};
use super::fault::Fault;
use super::keys::end_of;
use super::wire::watch_client::WatchClient;
use super::wire::watch_request::RequestUnion;
use super::wire::{WatchCreateRequest, WatchProgressRequest, WatchRequest, WatchResponse};
use crate::error::EtcdError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// Questions that wait for the stream. Full: the next is not asked, since one is on its way.
const QUESTIONS: usize = 4;

/// Opens a watch of all keys that begin so, from a revision on. What is asked of it goes by the sender.
pub(super) async fn open(
    client: &Client,
    channel: Channel,
    beginning: &str,
    start_revision: i64,
) -> Result<(mpsc::Sender<WatchRequest>, Streaming<WatchResponse>), Status> {
    let (ask, questions) = mpsc::channel(QUESTIONS);
    let create = WatchCreateRequest { key: beginning.to_owned().into(), range_end: end_of(beginning), start_revision };
    // Before the call: etcd says nothing until it has heard something.
    let _ = ask.try_send(WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) });
    let mut request = client.introduced(&channel, ReceiverStream::new(questions)).await?;
    // Else a member that is cut off from the others would keep the watch and say nothing.
    request.metadata_mut().insert("hasleader", tonic::metadata::MetadataValue::from_static("true"));
    let mut watch = WatchClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
    Ok((ask, watch.watch(request).await?.into_inner()))
}

/// Asks a watch whether it lives.
pub(super) fn ask_whether_it_lives(ask: &mpsc::Sender<WatchRequest>) {
    let _ = ask.try_send(WatchRequest { request_union: Some(RequestUnion::ProgressRequest(WatchProgressRequest {})) });
}

/// What the end of a watch means; the next one goes to another member.
pub(super) fn broke(client: &Client, beginning: &str, member: usize, status: &Status) -> EtcdError {
    let error = match Fault::of(status) {
        Fault::Denied => EtcdError::Denied(format!("watch {beginning}")),
        Fault::Login(reason) => EtcdError::Login(reason),
        Fault::Refused(reason) => EtcdError::Refused(reason),
        Fault::Token => {
            client.forget_token();
            EtcdError::Login(status.message().to_owned())
        }
        Fault::Elsewhere(reason) => EtcdError::Away { endpoints: client.endpoints().to_owned(), reason },
    };
    client.turn_from(member);
    error
}

/// etcd gives the reason as text alone.
pub(super) fn cancelled(reason: &str) -> Status {
    match reason {
        _ if reason.contains("permission denied") => Status::permission_denied(reason),
        "" => Status::unavailable("the watch was cancelled"),
        _ => Status::unavailable(reason),
    }
}
