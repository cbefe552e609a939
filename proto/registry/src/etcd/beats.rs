//! Keeps a lease alive: one stream to one member, and another one when that is silent or ends.

use super::client::{Client, TRY, Tries, silent};
use super::wire::lease_client::LeaseClient;
use super::wire::{LeaseKeepAliveRequest, LeaseKeepAliveResponse};
use crate::error::EtcdError;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// The stream, while there is one.
#[derive(Debug, Default)]
pub(super) struct Beats {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    // One beat is under way at a time, so that there is always a place.
    send: mpsc::Sender<LeaseKeepAliveRequest>,
    receive: Streaming<LeaseKeepAliveResponse>,
    member: usize,
}

impl Beats {
    /// Says that the process lives. Returns for how long that counts; `None` when there is no such lease any more.
    ///
    /// # Errors
    /// Nobody says either within `deadline`. The lease may live.
    pub(super) async fn beat(&mut self, client: &Client, lease: i64, deadline: Duration) -> Result<Option<Duration>, EtcdError> {
        let mut tries = Tries::within(deadline);
        loop {
            let member = self.open.as_ref().map_or_else(|| client.member().0, |open| open.member);
            let status = match timeout(TRY, self.once(client, lease)).await {
                Ok(Ok(answer)) => return Ok(seconds(answer.ttl)),
                Ok(Err(status)) => status,
                Err(_) => silent(),
            };
            // An answer that comes late would be taken for that of a later beat.
            self.open = None;
            tries.failed(client, "keep a lease", member, &status).await?;
        }
    }

    async fn once(&mut self, client: &Client, lease: i64) -> Result<LeaseKeepAliveResponse, Status> {
        let beat = LeaseKeepAliveRequest { id: lease };
        let open = match &mut self.open {
            Some(open) => {
                open.send.try_send(beat).map_err(|_| Status::unavailable("the stream is over"))?;
                open
            }
            none => none.insert(Open::with(client, beat).await?),
        };
        open.receive.message().await?.ok_or_else(|| Status::unavailable("the stream is over"))
    }
}

impl Open {
    async fn with(client: &Client, first: LeaseKeepAliveRequest) -> Result<Self, Status> {
        let (member, channel) = client.member();
        let (send, beats) = mpsc::channel(1);
        // Before the call: etcd says nothing, not even that it listens, until it has heard something.
        send.try_send(first).map_err(|_| Status::internal("a fresh queue is full"))?;
        let request = client.introduced(&channel, ReceiverStream::new(beats)).await?;
        let receive = LeaseClient::new(channel).lease_keep_alive(request).await?.into_inner();
        Ok(Self { send, receive, member })
    }
}

/// A time that etcd gives in seconds; `None` for none.
pub(super) fn seconds(ttl: i64) -> Option<Duration> {
    u64::try_from(ttl).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}
