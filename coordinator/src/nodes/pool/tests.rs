use super::*;
use async_trait::async_trait;
use capstan_proto::transport::pipe;
use capstan_registry::embedded::EmbeddedRegistry;
use capstan_registry::{Announcement, CoordinatorRecord, NodeWatch, OrdersWatch, Registration, RegistryError, Stale, Standing};
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress};
use capstan_types::orders::{Change, Given as Order, NodeOrders};
use capstan_types::policy::Level;
use capstan_types::resources::Resources;
use capstan_types::stock::Stock;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Longer than anything here takes, and shorter than one who waits is given up.
const SOON: Duration = Duration::from_secs(20);

/// A registry that says of itself what a test wants.
#[derive(Debug)]
struct Doubted {
    registry: EmbeddedRegistry,
    standing: Mutex<Standing>,
}

impl Doubted {
    fn say(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

#[async_trait]
impl Registry for Doubted {
    async fn register(&self, record: NodeRecord) -> Result<Registration, RegistryError> {
        self.registry.register(record).await
    }
    async fn announce(&self, record: CoordinatorRecord) -> Result<Announcement, RegistryError> {
        self.registry.announce(record).await
    }
    async fn coordinators(&self) -> Result<Vec<CoordinatorRecord>, RegistryError> {
        self.registry.coordinators().await
    }
    async fn reach(&self) -> Result<(), RegistryError> {
        self.registry.reach().await
    }
    async fn nodes(&self) -> Vec<NodeRecord> {
        self.registry.nodes().await
    }
    fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    async fn orders(&self) -> OrdersWatch {
        self.registry.orders().await
    }
    async fn order(&self, node: &NodeId, change: &Change, given: &Order) -> Result<NodeOrders, RegistryError> {
        self.registry.order(node, change, given).await
    }
    async fn watch(&self) -> NodeWatch {
        self.registry.watch().await
    }
}

fn record(id: &str) -> NodeRecord {
    NodeRecord {
        id: id.parse().unwrap(),
        generation: Generation(1),
        address: NodeAddress::Embedded,
        labels: [].into(),
        capacity: Capacity { sessions: 8, cpus: 1, memory_bytes: 1 << 30 },
        stock: Stock { disk_bytes: 1000, ..Stock::default() },
        fingerprint: Fingerprint { level: Level::Full, ..Fingerprint::default() },
        journal: JournalState::Kept,
        protocol: capstan_proto::protocol::CURRENT,
    }
}

/// A pool over nodes of one processor each.
async fn pool(names: &[&str]) -> (ActorRef<PoolMsg>, Arc<Doubted>, Vec<Registration>) {
    let told = Arc::new(Doubted { registry: EmbeddedRegistry::empty(), standing: Mutex::default() });
    let (mut kept, mut pipes) = (Vec::new(), Vec::new());
    for name in names {
        kept.push(told.register(record(name)).await.unwrap());
        pipes.push((name.parse().unwrap(), pipe().0));
    }
    let registry = Arc::clone(&told) as Arc<dyn Registry>;
    let given = PoolArguments {
        registry,
        pipes,
        nodes: Vec::new(),
        membership: None,
        token: None,
        orders: Arc::default(),
        events: Events::default(),
    };
    let (pool, _) = Actor::spawn(None, NodePool, given).await.unwrap();
    pool.cast(PoolMsg::Heard(NodeEvent::Resync(told.nodes().await))).unwrap();
    (pool, told, kept)
}

type Answered = oneshot::Receiver<Result<Placed, NoPlace>>;

/// Asks for a whole node.
fn ask(pool: &ActorRef<PoolMsg>, thread: u128) -> Answered {
    ask_for(pool, thread, Resources { cpu_milli: 1000, ..Resources::NONE })
}

fn ask_for(pool: &ActorRef<PoolMsg>, thread: u128, resources: Resources) -> Answered {
    let need = Need { resources, ..Need::default() };
    let (reply, answer) = oneshot::channel();
    pool.cast(PoolMsg::Place(ThreadId::from_u128(thread), Box::new(need), reply.into())).unwrap();
    answer
}

async fn placed(answer: Answered) -> Placed {
    timeout(SOON, answer).await.expect("somebody has room").unwrap().unwrap()
}

fn suspect(node: &str) -> Standing {
    Standing { stale: None, suspects: [node.parse().unwrap()].into() }
}

#[tokio::test]
async fn what_was_reserved_for_one_who_has_gone_is_given_back() {
    let (pool, _told, _kept) = pool(&["a"]).await;
    drop(ask(&pool, 1));
    let second = placed(ask(&pool, 2)).await;
    // Answered, and never looked at.
    let third = ask(&pool, 3);
    drop(second);
    pool.cast(PoolMsg::Look).unwrap();
    timeout(SOON, async {
        while third.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    drop(third);
    assert_eq!(placed(ask(&pool, 4)).await.choice.node.as_str(), "a");
}

#[tokio::test]
async fn who_waits_is_given_a_node_that_answers_again() {
    let (pool, told, _kept) = pool(&["a", "b"]).await;
    told.say(suspect("b"));
    let first = placed(ask(&pool, 1)).await;
    let waits = ask(&pool, 2);
    // The pool has heard it before it answers this.
    let (reply, names) = oneshot::channel();
    pool.cast(PoolMsg::Links(reply.into())).unwrap();
    assert_eq!(names.await.unwrap().len(), 2);
    assert!(waits.is_empty());
    told.say(Standing::default());
    assert_eq!(placed(waits).await.choice.node.as_str(), "b");
    assert_eq!(first.choice.node.as_str(), "a");
}

#[tokio::test]
async fn who_waits_goes_on_waiting_while_the_registry_or_the_only_node_is_in_doubt() {
    let (pool, told, _kept) = pool(&["a"]).await;
    let first = placed(ask(&pool, 1)).await;
    let waits = ask(&pool, 2);
    let (reply, names) = oneshot::channel();
    pool.cast(PoolMsg::Links(reply.into())).unwrap();
    names.await.unwrap();
    told.say(suspect("a"));
    drop(first);
    pool.cast(PoolMsg::Look).unwrap();
    told.say(Standing { stale: Some(Stale { silent: None, why: "it is away".into() }), ..Standing::default() });
    pool.cast(PoolMsg::Look).unwrap();
    told.say(Standing::default());
    assert_eq!(placed(waits).await.choice.node.as_str(), "a");
}

#[tokio::test]
async fn a_node_whose_protocol_is_too_far_is_shown_and_not_used_and_one_version_apart_is() {
    let current = capstan_proto::protocol::CURRENT;
    let (pool, told, kept) = pool(&["a"]).await;
    kept.into_iter().for_each(drop);
    let _next = told.register(NodeRecord { protocol: current + 1, ..record("a") }).await.unwrap();
    pool.cast(PoolMsg::Heard(NodeEvent::Resync(told.nodes().await))).unwrap();
    drop(placed(ask(&pool, 1)).await);
    let far = NodeRecord { protocol: current + 2, generation: Generation(2), ..record("a") };
    let _far = told.register(far).await.unwrap();
    pool.cast(PoolMsg::Heard(NodeEvent::Resync(told.nodes().await))).unwrap();
    let said = timeout(SOON, ask(&pool, 2)).await.unwrap().unwrap().unwrap_err().to_string();
    let least = current - 1;
    let most = current + 1;
    let works =
        format!("it speaks protocol {}, and this coordinator works with {least} to {most}; update the coordinators", current + 2);
    assert_eq!(said, format!("node a cannot be used: {works}"));
    let (reply, statuses) = oneshot::channel();
    pool.cast(PoolMsg::Statuses(reply.into())).unwrap();
    let status = statuses.await.unwrap().pop().unwrap();
    let ready = status.condition(capstan_types::node_status::ConditionKind::Ready).unwrap();
    assert_eq!((ready.holds, ready.reason.as_str(), ready.message.as_str()), (false, "VersionSkew", works.as_str()));
}

#[tokio::test]
async fn what_operators_order_decides_where_something_goes() {
    let (pool, told, _kept) = pool(&["a", "b"]).await;
    let given = Order { by: "ann".parse().unwrap(), at: capstan_types::time::UnixMillis(1), reason: None };
    told.order(&"a".parse().unwrap(), &Change::Cordon, &given).await.unwrap();
    pool.cast(PoolMsg::Ordered(Arc::clone(&told.orders().await.borrow()))).unwrap();
    let first = placed(ask(&pool, 1)).await;
    assert_eq!(first.choice.node.as_str(), "b");
    // The other one is closed, until it is opened again.
    let waits = ask(&pool, 2);
    told.order(&"a".parse().unwrap(), &Change::Uncordon, &given).await.unwrap();
    pool.cast(PoolMsg::Ordered(Arc::clone(&told.orders().await.borrow()))).unwrap();
    assert_eq!(placed(waits).await.choice.node.as_str(), "a");
}

#[tokio::test]
async fn a_thread_that_runs_takes_a_slot_and_one_that_thinks_a_part_of_it() {
    let (pool, _told, _kept) = pool(&["a"]).await;
    let thread = |number: u128| ThreadId::from_u128(number);
    let mut kept = Vec::new();
    for number in 1..=8 {
        kept.push(placed(ask_for(&pool, number, Resources::NONE)).await);
        pool.cast(PoolMsg::Activity(thread(number), Activity::Runs)).unwrap();
    }
    let waits = ask_for(&pool, 9, Resources::NONE);
    let (reply, names) = oneshot::channel();
    pool.cast(PoolMsg::Links(reply.into())).unwrap();
    names.await.unwrap();
    assert!(waits.is_empty(), "all eight slots are taken");
    pool.cast(PoolMsg::Activity(thread(3), Activity::Thinks)).unwrap();
    assert_eq!(placed(waits).await.choice.node.as_str(), "a");
}
