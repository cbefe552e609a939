//! Where a tool tells of its items. Whoever runs the turn stores them and shows them.

use async_trait::async_trait;
use capstan_types::item::{ItemBody, ItemId};
use capstan_types::session::known::SessionChange;
use std::fmt::Debug;

/// Takes note of items while a call runs. They are stored in the order told, and before the end of the call.
#[async_trait]
pub trait ItemSink: Debug + Send + Sync {
    /// An item began.
    async fn started(&self, body: ItemBody) -> Result<ItemId, SinkClosed>;
    /// An item changed.
    async fn updated(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed>;
    /// An item is done.
    async fn completed(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed>;
    /// What the model knows of a session changed.
    async fn session(&self, change: SessionChange) -> Result<(), SinkClosed>;
    /// A running command wrote. May be dropped when nobody listens or listeners are slow.
    fn output(&self, id: ItemId, text: String);
}

/// The turn has ended, or its records can no longer be stored; the call must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the turn's records can no longer be stored")]
pub struct SinkClosed;
