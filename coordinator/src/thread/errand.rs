//! Work at a thread's workspace while no turn of it runs.

use super::context::TurnContext;
use futures::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// It, not yet begun. It is the thread's from the moment on at which it is taken: it comes to its end though whoever asked for it has left.
pub struct Errand(Box<dyn FnOnce(Arc<TurnContext>) -> BoxFuture<'static, ()> + Send>);

impl Errand {
    /// One that is done with what the thread's turns have. What comes of it, it tells by itself.
    pub fn new<W: Future<Output = ()> + Send + 'static>(work: impl FnOnce(Arc<TurnContext>) -> W + Send + 'static) -> Self {
        Self(Box::new(|context| Box::pin(work(context))))
    }

    /// Does it.
    pub(super) fn run(self, context: Arc<TurnContext>) -> BoxFuture<'static, ()> {
        (self.0)(context)
    }
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errand")
    }
}
