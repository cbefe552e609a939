//! The hosts of a thread: its home, and those that it may use besides.
//!
//! Invariants: a call comes to no host but these; each is asked under the thread's own authority, so that a newer owner fences all of them; and
//! what is known of a host's directory is asked of that host.

use super::workspace;
use crate::nodes::far_host::FarHost;
use crate::nodes::host::NodeHost;
use crate::nodes::pool::PoolMsg;
use crate::placement::reservations::Activity;
use async_trait::async_trait;
use capstan_runtime::actors::ask::ask;
use capstan_tools::host::ExecHost;
use capstan_tools::hosts::{HostFacts, Hosts, NoHost, Sight, Station, named};
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::node::NodeRecord;
use capstan_types::path::AbsPath;
use capstan_types::session::{Authority, WorkspaceFacts};
use capstan_types::thread::ThreadSettings;
use ractor::ActorRef;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the pool may take to answer.
const ASK_DEADLINE: Duration = Duration::from_secs(10);

/// The hosts of one thread, under the settings of a turn.
#[derive(Debug)]
pub struct ThreadHosts {
    thread: ThreadId,
    home: Arc<NodeHost>,
    others: Arc<BTreeMap<NodeId, Arc<FarHost>>>,
    pool: Option<ActorRef<PoolMsg>>,
    settings: ThreadSettings,
    facts: WorkspaceFacts,
    /// The directories that were opened on others.
    opened: Mutex<BTreeMap<NodeId, WorkspaceFacts>>,
}

impl ThreadHosts {
    /// The hosts that the settings name, beside the home.
    #[must_use]
    pub fn of(
        home: Arc<NodeHost>,
        (settings, facts): (&ThreadSettings, &WorkspaceFacts),
        pool: ActorRef<PoolMsg>,
        authority: &Authority,
    ) -> Self {
        let here = home.node();
        let others = settings.hosts.iter().filter(|host| host.node != here).map(|host| {
            let far = FarHost::new(host.node.clone(), pool.clone(), authority.clone());
            (host.node.clone(), Arc::new(far))
        });
        let others = Arc::new(others.collect());
        let (thread, pool) = (authority.thread, Some(pool));
        Self { thread, home, others, pool, settings: settings.clone(), facts: facts.clone(), opened: Mutex::default() }
    }

    /// The home and no other.
    #[must_use]
    pub fn alone(thread: ThreadId, home: Arc<NodeHost>, settings: &ThreadSettings, facts: &WorkspaceFacts) -> Self {
        let others = Arc::default();
        Self { thread, home, others, pool: None, settings: settings.clone(), facts: facts.clone(), opened: Mutex::default() }
    }

    /// The same under other settings, perhaps in another directory.
    #[must_use]
    pub fn with(&self, settings: &ThreadSettings, facts: &WorkspaceFacts) -> Self {
        let (home, others, pool) = (Arc::clone(&self.home), Arc::clone(&self.others), self.pool.clone());
        let thread = self.thread;
        Self { thread, home, others, pool, settings: settings.clone(), facts: facts.clone(), opened: Mutex::default() }
    }

    /// Says that the thread runs sessions, or waits for its model: a thread that thinks takes a part of a slot.
    pub fn now(&self, activity: Activity) {
        if let Some(pool) = &self.pool {
            // It fails only when the coordinator is stopping.
            let _ = pool.cast(PoolMsg::Activity(self.thread, activity));
        }
    }

    /// The home.
    #[must_use]
    pub const fn home(&self) -> &Arc<NodeHost> {
        &self.home
    }

    /// Whether there are others than the home.
    #[must_use]
    pub fn are_many(&self) -> bool {
        !self.others.is_empty()
    }

    /// The others, by name.
    #[must_use]
    pub fn others(&self) -> &BTreeMap<NodeId, Arc<FarHost>> {
        &self.others
    }

    /// The same, as tools know machines.
    #[must_use]
    pub fn others_as_hosts(&self) -> BTreeMap<NodeId, Arc<dyn ExecHost>> {
        self.others.iter().map(|(node, far)| (node.clone(), Arc::clone(far) as Arc<dyn ExecHost>)).collect()
    }

    /// The machine of this name; the home if there is none.
    #[must_use]
    pub fn host(&self, node: &NodeId) -> Arc<dyn ExecHost> {
        match self.others.get(node) {
            Some(far) => Arc::clone(far) as Arc<dyn ExecHost>,
            None => Arc::clone(&self.home) as Arc<dyn ExecHost>,
        }
    }

    /// Where the thread works there.
    fn dir(&self, node: &NodeId) -> AbsPath {
        let named = self.settings.hosts.iter().find(|host| host.node == *node).and_then(|host| host.dir.clone());
        named.filter(|_| self.others.contains_key(node)).unwrap_or_else(|| self.facts.root.clone())
    }

    async fn opened(&self, node: &NodeId, far: &FarHost) -> Result<WorkspaceFacts, NoHost> {
        let known = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(node).cloned();
        // Also when it was opened before: what is begun on a host that has gone must not count as begun.
        let now = far.now().await.map_err(|error| away(node, &error.to_string()))?;
        if let Some(facts) = known {
            return Ok(facts);
        }
        let facts = now.open_workspace(&self.dir(node)).await.map_err(|status| match status.code() {
            tonic::Code::NotFound | tonic::Code::InvalidArgument => {
                NoHost::NoDirectory { node: node.clone(), reason: status.message().to_owned() }
            }
            _ => away(node, status.message()),
        })?;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(node.clone(), facts.clone());
        Ok(facts)
    }
}

fn away(node: &NodeId, reason: &str) -> NoHost {
    NoHost::Away { node: node.clone(), reason: reason.to_owned() }
}

#[async_trait]
impl Hosts for ThreadHosts {
    fn names(&self) -> Vec<NodeId> {
        [self.home.node()].into_iter().chain(self.others.keys().cloned()).collect()
    }

    async fn station(&self, host: &NodeId) -> Result<Station, NoHost> {
        let (machine, facts): (Arc<dyn ExecHost>, _) = match self.others.get(host) {
            Some(far) => (Arc::clone(far) as Arc<dyn ExecHost>, self.opened(host, far).await?),
            None if *host == self.home.node() => (Arc::clone(&self.home) as Arc<dyn ExecHost>, self.facts.clone()),
            None => return Err(NoHost::NotOurs { asked: host.clone(), hosts: named(&self.names()) }),
        };
        Ok(Station { host: machine, policy: workspace::policy(&self.settings, &facts), cwd: facts.root })
    }

    async fn sights(&self) -> Vec<Sight> {
        let names = self.names();
        let seen = match &self.pool {
            Some(pool) => ask(pool, ASK_DEADLINE, |reply| PoolMsg::Sights(names.clone(), reply)).await,
            None => Ok(Vec::new()),
        };
        let mut seen = seen.unwrap_or_default().into_iter();
        let sight = |node: NodeId| {
            let state = seen.next().flatten().ok_or_else(|| "it is not registered".to_owned());
            let state = state.and_then(|seen| match seen.is_silent {
                true => Err("it does not answer".to_owned()),
                false => Ok(facts(seen.record, seen.load)),
            });
            Sight { dir: self.dir(&node), node, state }
        };
        names.into_iter().map(sight).collect()
    }
}

fn facts(record: NodeRecord, load: u16) -> HostFacts {
    let system = format!("{}, Linux {}", record.fingerprint.arch, record.fingerprint.kernel);
    let (cpus, memory_bytes) = (record.capacity.cpus, record.capacity.memory_bytes);
    HostFacts { labels: record.labels, system, cpus, memory_bytes, load }
}
