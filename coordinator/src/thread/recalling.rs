//! Reads what a thread's stored events say of it.

use super::recall::Recalled;
use capstan_store::store::{Store, StoreError};
use capstan_types::id::ThreadId;

/// Events that are read at a time.
const PAGE: u32 = 2048;

/// What a thread's stored events say of it; `before` is what the first of them say.
///
/// # Errors
/// The store does not give them.
pub async fn recalled(store: &dyn Store, thread: ThreadId, mut before: Recalled) -> Result<Recalled, StoreError> {
    loop {
        let page = store.outline(thread, before.last, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        page.into_iter().for_each(|event| before.add(event));
        if is_last {
            before.queued = store.queued(thread).await?;
            return Ok(before);
        }
    }
}
