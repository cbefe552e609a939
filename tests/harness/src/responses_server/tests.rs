use super::*;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn ask(server: &ResponsesServer, path: &str, body: &Value, silence: Duration) -> String {
    String::from_utf8(ask_for_bytes(server, path, body, silence)).unwrap()
}

/// Sends one request and returns everything that comes back until the connection is closed or falls silent.
fn ask_for_bytes(server: &ResponsesServer, path: &str, body: &Value, silence: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(silence)).unwrap();
    let body = body.to_string();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nX-Test: yes\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // silence ends it as an error, and keeps what came before
    answer
}

/// The content of a chunked body.
fn unchunked(answer: &[u8]) -> String {
    let start = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let (mut rest, mut content) = (&answer[start..], Vec::new());
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        content.extend_from_slice(&rest[line + 2..line + 2 + length]);
        rest = &rest[line + 2 + length + 2..];
    }
    String::from_utf8(content).unwrap()
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

/// The events of an answer, taken out of its chunks.
fn events(answer: &str) -> Vec<Value> {
    let data = answer.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn start(reply: impl Into<Step>) -> ResponsesServer {
    ResponsesServer::start(Script::new().then(reply))
}

#[test]
fn an_answer_has_the_events_of_the_api_in_order() {
    let usage = Usage { input: 7, cached: 2, output: 5, reasoning: 1 };
    let answer = Answer::new().reasoning("hm", "sealed").message("two words").call("c1", "exec_command", &json!({"cmd": "ls"}));
    let server = start(answer.completed_using(usage));
    let answer = ask(&server, "/v1/responses", &json!({}), LONG);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("0\r\n\r\n"));
    let events = events(&answer);
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    let deltas: String = events
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta")
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(deltas, "two words");
    let response = &events.last().unwrap()["response"];
    assert_eq!(response["usage"]["input_tokens_details"]["cached_tokens"], 2);
    let kinds: Vec<&str> = response["output"].as_array().unwrap().iter().filter_map(|item| item["type"].as_str()).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call"]);
    assert_eq!(response["output"][2]["arguments"], r#"{"cmd":"ls"}"#);
}

#[test]
fn requests_are_recorded_and_those_beyond_the_script_are_refused() {
    let server = start(Answer::saying("hello"));
    let body = json!({
        "tools": [{"name": "exec_command"}],
        "input": [{"type": "function_call_output", "call_id": "c1", "output": "text"}],
    });
    assert!(ask(&server, "/v1/responses?x=1", &body, LONG).contains("hello"));
    server.assert_played();
    let refused = ask(&server, "/v1/responses", &json!({}), LONG);
    assert!(
        refused.starts_with("HTTP/1.1 400") && refused.contains("the script has 1 steps, and this is request 2"),
        "{refused}"
    );
    assert!(ask(&server, "/v1/models", &json!({}), LONG).starts_with("HTTP/1.1 404"));
    let requests = server.requests();
    assert_eq!((requests.len(), server.connections()), (3, 3));
    assert_eq!((requests[0].header("x-test"), requests[0].output_of("c1")), (Some("yes"), Some("text")));
    assert_eq!((requests[0].tools(), requests[0].output_of("c2")), (vec!["exec_command"], None));
}

#[test]
fn a_connection_carries_several_requests() {
    let server = ResponsesServer::start(Script::new().then_times(2, &Reply::server_error(503)));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    for _ in 0..2 {
        stream.write_all(b"POST /v1/responses HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 503");
        let mut rest = [0; 4096];
        assert!(stream.read(&mut rest).unwrap() > 0);
    }
    assert_eq!((server.connections(), server.requests()[1].connection), (1, 1));
}

#[test]
fn an_answer_can_depend_on_the_request() {
    let step = Step::decided(|request| Answer::saying(request.body["word"].as_str().unwrap_or("none")));
    assert!(ask(&start(step), "/v1/responses", &json!({"word": "echo"}), LONG).contains("echo"));
}

#[test]
fn a_stream_can_break_off_in_the_middle_of_an_event() {
    let server = start(Answer::saying("hello").cut_in(3));
    let answer = ask(&server, "/v1/responses", &json!({}), LONG);
    assert_eq!(answer.matches("event: ").count(), 4);
    assert!(!answer.ends_with("\n\n\r\n") && !answer.contains("0\r\n\r\n"), "{answer}");
}

#[test]
fn a_stream_can_end_without_its_last_events() {
    let answer = ask(&start(Answer::saying("hello").ends_before(3)), "/v1/responses", &json!({}), LONG);
    assert!(answer.ends_with("0\r\n\r\n") && events(&answer).len() == 3);
    let answer = ask(&start(Answer::new().message("hello").unfinished()), "/v1/responses", &json!({}), LONG);
    assert!(answer.ends_with("0\r\n\r\n") && !answer.contains("response.completed"));
}

#[test]
fn a_dripped_stream_carries_the_same_events() {
    let pause = Duration::from_millis(1);
    let whole = ask_for_bytes(&start(Answer::saying("grüße")), "/v1/responses", &json!({}), LONG);
    let dripped = ask_for_bytes(&start(Answer::saying("grüße").dripped(7, pause)), "/v1/responses", &json!({}), LONG);
    assert!(String::from_utf8(dripped.clone()).is_err(), "no character was cut in two");
    assert_eq!(events(&unchunked(&dripped)), events(&unchunked(&whole)));
}

#[test]
fn silent_servers_end_with_their_handle() {
    for reply in [Reply::silence(), Answer::saying("hello").stalls_before(2)] {
        let (started, server) = (Instant::now(), start(reply));
        let answer = ask(&server, "/v1/responses", &json!({}), SHORT);
        assert!(events(&answer).len() <= 2 && !answer.contains("hello"));
        drop(server);
        assert!(started.elapsed() < LONGEST_WAIT / 2);
    }
}

#[test]
fn failures_say_what_a_provider_would_say() {
    let cases = [
        (Reply::too_many_requests_until(3), "HTTP/1.1 429", "retry-after: 3"),
        (Reply::too_many_requests(), "HTTP/1.1 429", "rate_limit_exceeded"),
        (Reply::server_error(500), "HTTP/1.1 500", "server_error"),
        (Reply::error_under_200("oh"), "HTTP/1.1 200", r#""message":"oh""#),
        (Reply::body("text/html", "<html>"), "content-type: text/html", "<html>"),
        (Answer::new().failed("server_error", "oh"), "event: response.failed", r#""code":"server_error""#),
        (Answer::new().incomplete("max_output_tokens"), "event: response.incomplete", r#""reason":"max_output_tokens""#),
        (Answer::new().raw("data: {oops\n\n").completed(), "{oops", "response.completed"),
    ];
    for (reply, first, second) in cases {
        let answer = ask(&start(reply), "/v1/responses", &json!({}), LONG);
        assert!(answer.contains(first) && answer.contains(second), "{answer}");
    }
    assert_eq!(ask(&start(Reply::hang_up()), "/v1/responses", &json!({}), LONG), "");
}

#[test]
fn a_connection_that_is_left_open_does_not_keep_the_server() {
    let (started, server) = (Instant::now(), start(Reply::server_error(503)));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"POST /v1/responses HTTP/1.1\r\ncontent-length: 0\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    drop(server);
    assert!(started.elapsed() < LONGEST_WAIT / 2);
}
