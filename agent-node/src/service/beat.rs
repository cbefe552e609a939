//! The stream by which a node says that it lives.

use crate::node::handle::NodeHandle;
use capstan_proto::wire::node::BeatResponse;
use futures::stream::{self, BoxStream, StreamExt as _};
use std::time::Duration;
use tokio::time::sleep;
use tonic::Status;

/// The longest time between two beats. At least half of it, so that the beats of many nodes do not fall together.
const EVERY: Duration = Duration::from_secs(4);

/// Beats of one stream: some minutes. The next one is asked for on the newest connection.
const MOST: usize = 100;

/// The beats, until the node stops.
pub(super) fn beats(node: &NodeHandle) -> BoxStream<'static, Result<BeatResponse, Status>> {
    let (places, stopping) = (node.places.clone(), node.stopping.clone());
    let beat = move |at| {
        let places = places.clone();
        async move {
            if at > 0 {
                sleep(EVERY.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            }
            Ok(BeatResponse { sessions: places.known() })
        }
    };
    stream::iter(0..MOST).then(beat).take_until(stopping.cancelled_owned()).boxed()
}
