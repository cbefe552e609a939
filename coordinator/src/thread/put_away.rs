//! Names, archives, and the end of a thread. None of them needs the thread to run, and only its end stops it.

use super::message::ThreadMsg;
use super::open::{ASK_DEADLINE, CreateError, Threads};
use super::{regain, resume};
use crate::nodes::host::NodeHost;
use capstan_runtime::actors::ask::ask;
use capstan_store::store::StoreError;
use capstan_types::id::{Epoch, ThreadId};
use capstan_types::session::{Listed, ListedState};
use capstan_types::thread::ThreadRecord;
use futures::future::join_all;

impl Threads {
    /// Gives a thread a name, or takes it away.
    ///
    /// # Errors
    /// There is no such thread, or it was taken over at the same moment.
    pub async fn rename(&self, thread: ThreadId, name: Option<&str>) -> Result<(), StoreError> {
        let record = self.stored(thread).await?;
        self.store.rename(thread, record.epoch, name).await
    }

    /// Puts a thread away, or takes it back.
    ///
    /// # Errors
    /// As [`Threads::rename`].
    pub async fn archive(&self, thread: ThreadId, archived: bool) -> Result<(), StoreError> {
        let record = self.stored(thread).await?;
        self.store.archive(thread, record.epoch, archived).await
    }

    /// Removes a thread that runs no turn here. Whoever runs it elsewhere lets go.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub async fn delete(&self, thread: ThreadId) -> Result<(), CreateError> {
        let _alone = self.beginning.enter(thread).await;
        if let Some(actor) = self.find(thread).await? {
            if ask(&actor, ASK_DEADLINE, ThreadMsg::IsBusy).await? {
                return Err(CreateError::Busy(thread));
            }
            resume::stop(&actor).await?;
        }
        let record = self.stored(thread).await?;
        let epoch = self.store.take_over(thread, record.epoch, &self.name).await?;
        self.clear_nodes(&record, epoch).await;
        if let Some(shelf) = &self.shelf
            && let Err(error) = shelf.forget(thread).await
        {
            tracing::warn!(%thread, %error, "checkpoints of a deleted thread are kept until their time is over");
        }
        Ok(self.store.delete(thread, epoch).await?)
    }

    /// What a node does not hear of ends by its own clocks: the sessions have no owner any more, and states are kept for a time.
    async fn clear_nodes(&self, record: &ThreadRecord, epoch: Epoch) {
        let record = ThreadRecord { epoch, ..record.clone() };
        let mut hosts = self.others_now(&record).await;
        // What is reserved is held until its sessions are gone.
        let home = self.locate_known(record.id, epoch, &record.settings).await.ok();
        hosts.extend(home.iter().map(|located| located.host.clone()));
        join_all(hosts.iter().map(|host| clear(record.id, host))).await;
    }
}

async fn clear(thread: ThreadId, host: &NodeHost) {
    if let Err(status) = host.forget().await {
        tracing::warn!(%thread, %status, "the node keeps the states of a deleted thread's workspace until their time is over");
    }
    let Ok(sessions) = host.sessions().await else { return };
    let (ended, running): (Vec<_>, Vec<_>) =
        sessions.into_iter().partition(|session| matches!(session.state, ListedState::Ended(_)));
    let ids = |listed: Vec<Listed>| listed.into_iter().map(|session| session.session).collect::<Vec<_>>();
    let (ended, running) = (ids(ended), ids(running));
    regain::sweep(thread, host, &running, &ended).await;
    regain::sweep(thread, host, &[], &running).await;
}
