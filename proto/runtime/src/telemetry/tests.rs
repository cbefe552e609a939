//! A collector that is really there, one that hangs, and one that is not.

mod collector;

use super::{Colour, FLUSH_DEADLINE, LogFilter, OtlpEndpoint, TelemetryConfig, TelemetryError, init, subscriber};
use crate::trace_context::{adopt, current_traceparent, traceparent_of};
use collector::Collector;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tracing::{debug_span, info_span};

/// What scheduling may add to a deadline on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

fn config(endpoint: Option<&str>) -> TelemetryConfig {
    let otlp = endpoint.map(|endpoint| endpoint.parse().unwrap());
    TelemetryConfig { service: "capstan-test".to_owned(), logs: LogFilter::warnings(), colour: Colour::Plain, otlp }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_arrives_with_its_parent_from_another_process() {
    let mut collector = Collector::start().await;
    let (subscriber, guard) = subscriber(&config(Some(&collector.endpoint))).unwrap();
    let traceparent = tracing::subscriber::with_default(subscriber, || {
        let call = info_span!("call", tool = "exec_command");
        let traceparent = call.in_scope(current_traceparent).unwrap();
        // As in the process that is told of the call: nothing but the text connects the two.
        let exec = info_span!(parent: None, "exec");
        adopt(&exec, &traceparent);
        exec.in_scope(|| info_span!("spawn").in_scope(|| debug_span!("detail").in_scope(|| ())));
        let stranger = info_span!(parent: None, "stranger");
        adopt(&stranger, "00-not-a-traceparent");
        traceparent
    });
    drop(guard);
    let spans = collector.spans().await;
    let span = |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"));
    assert_eq!(spans.len(), 4, "{spans:?}");
    assert_eq!(traceparent, format!("00-{}-{}-01", span("call").trace, span("call").id));
    assert_eq!((&span("exec").trace, &span("exec").parent), (&span("call").trace, &span("call").id));
    assert_eq!(span("spawn").parent, span("exec").id);
    assert_eq!((span("call").parent.as_str(), span("stranger").parent.as_str()), ("", ""));
    assert_ne!(span("stranger").trace, span("call").trace);
    assert!(spans.iter().all(|span| span.service == "capstan-test"));
}

struct Worker;

impl Actor for Worker {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _me: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _me: ActorRef<()>, (): (), (): &mut ()) -> Result<(), ActorProcessingErr> {
        info_span!("work").in_scope(|| ());
        Ok(())
    }
}

/// On one thread, so that the subscriber of this test is that of the actor too.
#[test]
fn an_actors_own_span_is_not_exported_and_its_work_belongs_to_whoever_asked() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut collector = runtime.block_on(Collector::start());
    let (subscriber, guard) = subscriber(&config(Some(&collector.endpoint))).unwrap();
    let entered = tracing::subscriber::set_default(subscriber);
    let actors = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    actors.block_on(async {
        let (worker, ended) = Actor::spawn(None, Worker, ()).await.unwrap();
        info_span!("request").in_scope(|| worker.cast(()).unwrap());
        worker.drain().unwrap();
        ended.await.unwrap();
    });
    drop(entered);
    drop(guard);
    let spans = runtime.block_on(collector.spans());
    let mut names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["request", "work"]);
    let id_of = |name: &str| spans.iter().find(|span| span.name == name).map(|span| (&span.id, &span.parent)).unwrap();
    assert_eq!(id_of("work").1, id_of("request").0);
}

fn flush_takes(endpoint: &str) -> Duration {
    let (subscriber, guard) = subscriber(&config(Some(endpoint))).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        assert!(traceparent_of(&info_span!("lost")).is_some());
    });
    let began = Instant::now();
    drop(guard);
    began.elapsed()
}

#[tokio::test]
async fn a_collector_that_hangs_delays_the_end_by_the_deadline_at_most() {
    // It takes connections, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let took = flush_takes(&format!("http://{}", silent.local_addr().unwrap()));
    assert!(took >= FLUSH_DEADLINE / 2, "nothing was tried: {took:?}");
    assert!(took < FLUSH_DEADLINE + SLACK, "{took:?}");
}

#[tokio::test]
async fn a_collector_that_is_not_there_delays_the_end_by_the_deadline_at_most() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let took = flush_takes(&format!("http://{gone}"));
    assert!(took < FLUSH_DEADLINE + SLACK, "{took:?}");
}

#[test]
fn without_a_collector_nothing_is_recorded() {
    let (subscriber, guard) = subscriber(&config(None)).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        assert_eq!(info_span!("call").in_scope(current_traceparent), None);
    });
    drop(guard);
}

#[test]
fn telemetry_is_set_up_once() {
    let _guard = init(&config(None)).unwrap();
    assert_eq!(init(&config(None)).map(drop), Err(TelemetryError::Twice));
}

#[test]
fn an_endpoint_without_a_scheme_or_with_tls_is_refused_with_what_to_do() {
    let refused = |text: &str| text.parse::<OtlpEndpoint>().unwrap_err().to_string();
    for text in ["localhost:4317", "", "http://", "grpc://host:1", "http:///"] {
        assert!(refused(text).contains("write it as http://HOST:PORT"), "{text}");
    }
    assert!(refused("https://host:4317").contains("without TLS"));
    assert_eq!("http://host:4317 ".parse::<OtlpEndpoint>().unwrap().to_string(), "http://host:4317");
}

#[test]
fn a_log_filter_is_what_is_wanted_or_else_the_default() {
    let or = |wanted| LogFilter::or(wanted, LogFilter::warnings());
    assert_eq!(or(None), Ok(LogFilter::warnings()));
    assert_eq!(or(Some(" ")), Ok(LogFilter::warnings()));
    assert_eq!(or(Some("debug,h2=off")), Ok("debug,h2=off".parse().unwrap()));
    let refused = or(Some("capstan=loud")).unwrap_err().to_string();
    assert!(refused.starts_with("the log filter `capstan=loud` is not valid: "), "{refused}");
}
