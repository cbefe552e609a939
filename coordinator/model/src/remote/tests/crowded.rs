//! Two hundred threads at a provider that takes sixteen requests at the same time and answers 429 to the others.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const THREADS: usize = 200;

/// Steps of each thread.
const STEPS: usize = 8;

const TAKEN: u32 = 16;

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(100);

/// A provider's limit, and how it was used.
#[derive(Debug, Default)]
struct Counter {
    under_way: AtomicU32,
    answered: AtomicU32,
    refused: AtomicU32,
}

async fn provider(counter: Arc<Counter>, refusal: &'static str) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/v1", listener.local_addr().unwrap().port());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(serve(stream, Arc::clone(&counter), refusal));
        }
    });
    (url, serving)
}

async fn serve(mut stream: TcpStream, counter: Arc<Counter>, refusal: &'static str) {
    while read_request(&mut stream).await {
        let answer = if counter.under_way.fetch_add(1, Ordering::SeqCst) < TAKEN {
            tokio::time::sleep(LATENCY).await;
            counter.answered.fetch_add(1, Ordering::SeqCst);
            let events = [message(0, "fine"), completed()].map(|event| format!("data: {event}\n\n")).concat();
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{events}", events.len())
        } else {
            counter.refused.fetch_add(1, Ordering::SeqCst);
            format!("HTTP/1.1 429 Too Many Requests\r\n{refusal}content-length: 0\r\n\r\n")
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

/// Runs everything; gives what was answered and refused, and how long that took once it was learned.
async fn run(refusal: &'static str) -> (Arc<Counter>, Duration, u32) {
    let counter = Arc::new(Counter::default());
    let (url, _serving) = provider(Arc::clone(&counter), refusal).await;
    let table = ProviderTable { base_url: Some(url), ..ProviderTable::default() };
    let shared = RemoteModel::new(&ProviderConfig::from_table("openai", table).unwrap(), &environment).unwrap();
    let mut threads = JoinSet::new();
    for _ in 0..THREADS {
        let model = shared.clone();
        threads.spawn(async move {
            for _ in 0..STEPS {
                let (_, answer) = ask(&model, prompt(vec![user("go")])).await;
                assert_eq!(answer.unwrap().entries, [said("fine")]);
            }
        });
    }
    // A quarter to learn, and the last part not: there the line runs dry.
    let all = u32::try_from(THREADS * STEPS).unwrap();
    let (from, to) = (all / 4, all * 7 / 8);
    let mut began = None;
    let watch = async {
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        loop {
            tick.tick().await;
            let answered = counter.answered.load(Ordering::SeqCst);
            if answered >= from && began.is_none() {
                began = Some((Instant::now(), answered));
            }
            if let Some((began, at)) = began.filter(|_| answered >= to) {
                return (began.elapsed(), answered - at);
            }
        }
    };
    let (took, answered) = tokio::time::timeout(Duration::from_secs(100), watch).await.expect("it goes on");
    while let Some(ended) = threads.join_next().await {
        ended.unwrap();
    }
    (counter, took, answered)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_threads_settle_at_sixteen_requests_and_nothing_fails() {
    let (counter, took, answered) = run("").await;
    let (all, refused) = (counter.answered.load(Ordering::SeqCst), counter.refused.load(Ordering::SeqCst));
    assert_eq!(all as usize, THREADS * STEPS);
    let best = f64::from(answered) / f64::from(TAKEN) * LATENCY.as_secs_f64();
    let share = best / took.as_secs_f64();
    println!("{:.1} % of the limit; {refused} of {} requests refused", share * 100.0, all + refused);
    assert!(refused > 0, "the limit was never met");
    assert!(refused < all / 10, "{refused} refusals for {all} answers");
    assert!(share > 0.9, "only {:.1} % of the limit was used", share * 100.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_names_a_wait_fails_nothing_either() {
    let (counter, _, _) = run("retry-after-ms: 50\r\n").await;
    assert_eq!(counter.answered.load(Ordering::SeqCst) as usize, THREADS * STEPS);
    assert!(counter.refused.load(Ordering::SeqCst) < counter.answered.load(Ordering::SeqCst) / 10);
}
