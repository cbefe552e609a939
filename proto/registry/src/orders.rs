//! What operators have ordered for nodes, as one process sees it.

use capstan_types::id::NodeId;
use capstan_types::orders::NodeOrders;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The orders for all nodes.
pub type AllOrders = BTreeMap<NodeId, NodeOrders>;

/// The orders as they change. A reader sees the newest, and may miss what was between two looks.
pub type OrdersWatch = watch::Receiver<Arc<AllOrders>>;
