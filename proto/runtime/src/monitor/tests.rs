use super::{Check, Monitor, Shown};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

struct House {
    monitor: Monitor,
    starts: Counter,
    short: Arc<AtomicBool>,
}

async fn house() -> House {
    let (starts, short) = (Counter::default(), Arc::new(AtomicBool::new(false)));
    let mut registry = Registry::with_prefix("capstan");
    registry.register("starts", "Sessions that were started", starts.clone());
    let seen = Arc::clone(&short);
    let checks = move || {
        let reason = seen.load(Ordering::SeqCst).then(|| "disk is short".to_owned());
        vec![Check::new("serving", None), Check::new("resources", reason)]
    };
    let monitor = Monitor::start("127.0.0.1:0".parse().unwrap(), Shown::new(registry, checks)).await.unwrap();
    House { monitor, starts, short }
}

/// The status line and the body that are answered.
async fn ask(house: &House, line: &str) -> (String, String) {
    let mut stream = TcpStream::connect(house.monitor.address()).await.unwrap();
    stream.write_all(format!("{line}\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_process_that_is_not_ready_is_alive_and_says_why() {
    let house = house().await;
    let ok = ("HTTP/1.1 200 OK".to_owned(), "ok\n".to_owned());
    assert_eq!(ask(&house, "GET /readyz HTTP/1.1").await, ok);
    house.short.store(true, Ordering::SeqCst);
    assert_eq!(ask(&house, "GET /livez HTTP/1.1").await, ok);
    let (status, body) = ask(&house, "GET /readyz HTTP/1.1").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(body, "[+]serving ok\n[-]resources failed: disk is short\nreadyz check failed\n");
}

#[tokio::test]
async fn checks_that_hold_are_listed_when_asked_for() {
    let (status, body) = ask(&house().await, "GET /readyz?verbose HTTP/1.1").await;
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", "[+]serving ok\n[+]resources ok\nreadyz check passed\n"));
}

#[tokio::test]
async fn metrics_are_told_as_they_are_now() {
    let house = house().await;
    house.starts.inc_by(3);
    let (_, body) = ask(&house, "GET /metrics HTTP/1.1").await;
    assert!(body.contains("# TYPE capstan_starts counter") && body.contains("capstan_starts_total 3"), "{body}");
    assert!(body.ends_with("# EOF\n"), "{body}");
}

#[tokio::test]
async fn what_is_not_there_or_would_change_something_is_refused() {
    let house = house().await;
    assert_eq!(ask(&house, "GET /else HTTP/1.1").await.0, "HTTP/1.1 404 Not Found");
    assert_eq!(ask(&house, "POST /readyz HTTP/1.1").await.0, "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(ask(&house, "nonsense").await.0, "HTTP/1.1 400 Bad Request");
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_keep_others_out() {
    let house = house().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(house.monitor.address()).await.unwrap());
    }
    assert_eq!(ask(&house, "GET /livez HTTP/1.1").await.0, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let house = house().await;
    let shown = Shown::new(Registry::default(), Vec::new);
    let error = Monitor::start(house.monitor.address(), shown).await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("cannot listen at {}", house.monitor.address())) && error.contains("name a free address"),
        "{error}"
    );
}
