//! Who a node is that dialed in, and whether it may stay.

use super::super::any_wire::AnyWire;
use super::frame;
use capstan_types::node::NodeRecord;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long each side waits for the other's word.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a node says first.
#[derive(Clone, Serialize, Deserialize)]
pub struct Hello {
    /// The node. Its address is of no use.
    pub record: NodeRecord,
    /// The coordinator's token, where certificates do not say who is who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").field("record", &self.record).finish_non_exhaustive()
    }
}

/// What the coordinator answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It asks from now on.
    Come {
        /// What it is called.
        coordinator: String,
    },
    /// It does not let the node in.
    Refused {
        /// Why, and what to do. For the node's operator.
        reason: String,
    },
}

/// Hears who a node is.
///
/// # Errors
/// It says nothing in time, or nothing that makes sense.
pub async fn greet(stream: &mut AnyWire) -> io::Result<Hello> {
    timeout(DEADLINE, frame::read(stream)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Lets it in.
///
/// # Errors
/// It is gone.
pub async fn let_in(stream: &mut AnyWire, coordinator: &str) -> io::Result<()> {
    answer(stream, &Reply::Come { coordinator: coordinator.to_owned() }).await
}

/// Says why not.
pub async fn turn_away(mut stream: AnyWire, reason: &str) {
    let _ = answer(&mut stream, &Reply::Refused { reason: reason.to_owned() }).await;
}

async fn answer(stream: &mut AnyWire, reply: &Reply) -> io::Result<()> {
    timeout(DEADLINE, frame::write(stream, reply)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Says who this node is, and hears whether it may stay.
pub(super) async fn introduce(stream: &mut AnyWire, hello: &Hello) -> io::Result<Reply> {
    let said = async {
        frame::write(stream, hello).await?;
        frame::read(stream).await
    };
    timeout(2 * DEADLINE, said).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
