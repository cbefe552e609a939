//! Two hundred threads at a provider that takes sixteen requests at the same time and answers 429 to the others.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const THREADS: usize = 200;

const TAKEN: u32 = 16;

/// A provider's limit, and how it was used.
#[derive(Debug, Default)]
struct Counter {
    /// What it says besides 429, and how long its answers take.
    refusal: &'static str,
    latency: Duration,
    under_way: AtomicU32,
    refused: AtomicU32,
    /// When each answer began and ended.
    answered: Mutex<Vec<(Instant, Instant)>>,
}

async fn provider(counter: Arc<Counter>) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/v1", listener.local_addr().unwrap().port());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(serve(stream, Arc::clone(&counter)));
        }
    });
    (url, serving)
}

async fn serve(mut stream: TcpStream, counter: Arc<Counter>) {
    while read_request(&mut stream).await {
        let answer = if counter.under_way.fetch_add(1, Ordering::SeqCst) < TAKEN {
            let began = Instant::now();
            tokio::time::sleep(counter.latency).await;
            counter.answered.lock().unwrap().push((began, Instant::now()));
            let events = [message(0, "fine"), completed()].map(|event| format!("data: {event}\n\n")).concat();
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{events}", events.len())
        } else {
            counter.refused.fetch_add(1, Ordering::SeqCst);
            format!("HTTP/1.1 429 Too Many Requests\r\n{}content-length: 0\r\n\r\n", counter.refusal)
        };
        counter.under_way.fetch_sub(1, Ordering::SeqCst);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return true;
            }
        }
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return false;
        }
    }
}

impl Counter {
    fn answers(&self) -> usize {
        self.answered.lock().unwrap().len()
    }

    /// The share of its places that was used between two of its answers. A slow host stretches answers and gaps alike.
    fn used(&self, from: usize, to: usize) -> f64 {
        let mut spans = self.answered.lock().unwrap().clone();
        spans.sort_by_key(|(_, end)| *end);
        let (from, to) = (spans[from].1, spans[to].1);
        let busy =
            spans.iter().map(|(began, ended)| (*ended).min(to).saturating_duration_since((*began).max(from)).as_secs_f64());
        busy.sum::<f64>() / ((to - from).as_secs_f64() * f64::from(TAKEN))
    }
}

/// Runs everything to its end; nothing may fail.
async fn run(refusal: &'static str, latency: Duration, steps: usize) -> Arc<Counter> {
    let counter = Arc::new(Counter { refusal, latency, ..Counter::default() });
    let (url, _serving) = provider(Arc::clone(&counter)).await;
    let table = ProviderTable { base_url: Some(url), ..ProviderTable::default() };
    let shared = RemoteModel::new(&ProviderConfig::from_table("openai", table).unwrap(), &environment).unwrap();
    let mut threads = JoinSet::new();
    for _ in 0..THREADS {
        let model = shared.clone();
        threads.spawn(async move {
            for _ in 0..steps {
                let mut stream = model.step(prompt(vec![user("go")])).await.unwrap();
                let mut last = None;
                while let Some(event) = stream.next().await {
                    last = Some(event);
                }
                let Some(Ok(ModelEvent::Answered(answer))) = last else { panic!("{last:?}") };
                assert_eq!(answer.entries, [said("fine")]);
            }
        });
    }
    let all = async {
        while let Some(ended) = threads.join_next().await {
            ended.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(100), all).await.expect("it goes on");
    assert_eq!(counter.answers(), THREADS * steps);
    counter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_threads_settle_at_sixteen_requests_and_nothing_fails() {
    // Long enough that the host's own work between two answers counts for little.
    let counter = run("", Duration::from_millis(400), 4).await;
    let (all, refused) = (counter.answers(), counter.refused.load(Ordering::SeqCst));
    // A quarter of them to learn by; and at the end the line runs dry.
    let used = counter.used(all / 4, all * 7 / 8);
    println!("{:.1} % of the limit; {refused} refusals for {all} answers", used * 100.0);
    assert!(refused > 0, "the limit was never met");
    assert!((refused as usize) < all / 10, "{refused} refusals for {all} answers");
    assert!(used > 0.9, "only {:.1} % of the limit was used", used * 100.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_names_a_wait_fails_nothing_either() {
    let counter = run("retry-after-ms: 50\r\n", Duration::from_millis(50), 3).await;
    assert!((counter.refused.load(Ordering::SeqCst) as usize) < counter.answers() / 10);
}
