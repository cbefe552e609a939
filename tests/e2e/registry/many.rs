//! Many nodes in one registry, held by one coordinator: a real etcd, a real coordinator, and nodes that are tasks of this test, each with a lease
//! and a link of its own.

use super::{SOON, until_it_says};
use crate::scripted::{self, says, step};
use capstan_coordinator::{EtcdLocation, Registry, RegistryLocation, open_registry};
use capstan_proto::wire::node as wire;
use capstan_proto::wire::node::node_server::{Node, NodeServer};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::process::command;
use capstan_tests::wait;
use capstan_types::id::Generation;
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use futures::stream::{self, StreamExt as _};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tonic::{Request, Response, Status};

/// How long the coordinator is watched while nothing happens.
const IDLE: Duration = Duration::from_secs(15);

/// What all the nodes serve: an answer to whether they live, and nothing else.
#[derive(Clone, Default)]
struct Light {
    described: Arc<AtomicU64>,
}

#[tonic::async_trait]
impl Node for Light {
    async fn describe(&self, _: Request<wire::DescribeRequest>) -> Result<Response<wire::DescribeResponse>, Status> {
        self.described.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(wire::DescribeResponse::default()))
    }
}

fn record(number: usize, address: &str) -> NodeRecord {
    NodeRecord {
        id: format!("n{number}").parse().expect("a node id"),
        generation: Generation(1),
        address: NodeAddress::Tcp(address.to_owned()),
        labels: [].into(),
        capacity: Capacity { sessions: 16, cpus: 4, memory_bytes: 1 << 32 },
        fingerprint: Fingerprint::default(),
        stock: capstan_types::stock::Stock::default(),
        journal: JournalState::default(),
        protocol: capstan_proto::protocol::CURRENT,
    }
}

/// The processor time of a process, in ticks of 10 ms.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let after = stat.rsplit(')').next().expect("its name ends");
    let fields: Vec<&str> = after.split_whitespace().collect();
    let field = |at: usize| fields[at].parse::<u64>().expect("a number");
    field(11) + field(12)
}

/// What is served there over plain HTTP; nothing, while nobody serves.
fn page(address: &str, path: &str) -> String {
    let asked = || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&text).into_owned())
    };
    asked().unwrap_or_default()
}

/// The sum of the samples whose names begin so and that have all of these words.
fn sum(page: &str, beginning: &str, words: &[&str]) -> u64 {
    let samples = page.lines().filter(|line| line.starts_with(beginning) && words.iter().all(|word| line.contains(word)));
    samples.filter_map(|line| line.rsplit(' ').next()?.split('.').next()?.parse::<u64>().ok()).sum()
}

fn links(monitor: &str, state: &str) -> u64 {
    sum(&page(monitor, "/metrics"), "capstan_node_links", &[&format!("\"{state}\"")])
}

/// Requests that etcd has answered since it started, beats of leases among them.
fn requests(etcd: &EtcdCluster) -> u64 {
    let page = page(etcd.url().trim_start_matches("etcd://"), "/metrics");
    sum(&page, "grpc_server_handled_total", &["unary"]) + sum(&page, "grpc_server_msg_received_total", &["LeaseKeepAlive"])
}

fn registered(etcd: &EtcdCluster) -> usize {
    etcd.keys().into_iter().filter(|key| key.starts_with("/capstan/v1/nodes/")).count()
}

/// `CAPSTAN_NODES` says how many; an ordinary run has a share.
#[test]
fn one_coordinator_holds_many_nodes_and_all_are_back_soon_after_etcd_forgot_them() {
    let many: usize = std::env::var("CAPSTAN_NODES").map_or(100, |text| text.parse().expect("a number"));
    // Each node has a few connections of its own, here and in the processes that this one starts.
    let pid = std::process::id().to_string();
    let prlimit = |arguments: &[&str]| command("prlimit").args(["--pid", &pid]).args(arguments).output().expect("prlimit runs");
    let hard = prlimit(&["--nofile", "--output", "HARD", "--noheadings"]);
    let hard: usize = String::from_utf8_lossy(&hard.stdout).trim().parse().expect("a number");
    assert!(hard >= 512 + 12 * many, "{hard} descriptors are too few for {many} nodes: raise the hard limit (ulimit -Hn)");
    assert!(prlimit(&[&format!("--nofile={hard}:{hard}")]).status.success(), "the limit can be reached");
    let (etcd, here, home) = (EtcdCluster::start(1), Home::new(), Home::new());
    let script = scripted::write(here.root(), &[step([], [says("Done.")])]);
    let coordinator =
        Capstan::new(&home).args(["coordinator", "--registry", &etcd.url(), "--monitor", "127.0.0.1:0", "--script"]);
    let coordinator = coordinator.arg(&script).deadline(Duration::from_secs(600)).start();
    until_it_says(&coordinator, "coordinator listens at ");
    let line = coordinator.stdout();
    let monitor = line
        .split("http://")
        .nth(1)
        .expect("it says where its monitor is")
        .split(|c: char| c == '/' || c.is_whitespace())
        .next()
        .expect("an address")
        .to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let light = Light::default();
    let (registries, registrations, _serving) = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let mut serving = tokio::task::JoinSet::new();
        serving
            .spawn(tonic::transport::Server::builder().add_service(NodeServer::new(light.clone())).serve_with_incoming(incoming));
        let endpoints = etcd.url().parse().expect("endpoints");
        let location = RegistryLocation::Etcd(Box::new(EtcdLocation::open(endpoints)));
        let mut registries: Vec<Arc<dyn Registry>> = Vec::new();
        for _ in 0..many {
            registries.push(open_registry(&location).await.expect("a registry"));
        }
        let began = Instant::now();
        let all =
            stream::iter(registries.iter().enumerate()).map(|(number, registry)| registry.register(record(number, &address)));
        let registrations: Vec<_> = all.buffer_unordered(64).map(|held| held.expect("it is registered")).collect().await;
        eprintln!("{many} nodes registered in {:?}", began.elapsed());
        (registries, registrations, serving)
    });
    let count = u64::try_from(many).expect("a count");
    wait::until_true(SOON, "links that live", || links(&monitor, "Alive") == count);

    let (before, began) = (ticks(coordinator.pid()), Instant::now());
    std::thread::sleep(IDLE);
    let used = ticks(coordinator.pid()) - before;
    let share = f64::from(u32::try_from(used).expect("a count")) / 100.0 / began.elapsed().as_secs_f64();
    eprintln!(
        "a coordinator with {many} idle nodes uses {:.1} % of a core; {} heartbeats",
        100.0 * share,
        light.described.load(Ordering::Relaxed)
    );

    // Everything that etcd knew is lost, leases and all.
    etcd.kill(0);
    etcd.forget(0);
    let (began, mut rates, mut last) = (Instant::now(), Vec::new(), 0);
    etcd.start_again(0);
    etcd.wait();
    while registered(&etcd) < many {
        assert!(began.elapsed() < Duration::from_secs(30) + SOON, "{} of {many} are back", registered(&etcd));
        let now = requests(&etcd);
        rates.push(now.saturating_sub(last));
        last = now;
        std::thread::sleep(Duration::from_secs(1));
    }
    let took = began.elapsed();
    let most = rates.iter().max().copied().unwrap_or_default();
    eprintln!(
        "all {many} were back {took:?} after etcd had forgotten them; at most {most} requests in a second or so: {rates:?}"
    );
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert!(most <= 40 * count.max(50), "{most}");
    wait::until_true(SOON, "links that live", || links(&monitor, "Alive") == count);
    let _inside = runtime.enter();
    drop((registrations, registries));
}
