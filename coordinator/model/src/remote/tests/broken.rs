//! Streams and connections that break.

use super::server::Event;
use super::*;

/// A first answer that breaks, and a good one.
async fn broken_then_good(first: Vec<Act>) -> (Vec<ModelEvent>, Result<Answer, ModelError>, usize) {
    let mut server = Server::start(vec![first, good("fine")]).await;
    let (events, answer) = go(&model(&server, "openai", "")).await;
    (events, answer, server.requests().len())
}

fn chunked(body: &[u8], declared: usize) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    bytes.extend_from_slice(format!("{declared:x}\r\n").as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again_and_its_calls_are_not_made() {
    let whole = sse(&[delta("lost"), message(0, "lost"), function_call(1, "c1", "{}"), completed()]);
    let in_an_event = whole[..whole.len() - 40].to_vec();
    let between_events = sse(&[delta("lost"), message(0, "lost"), function_call(1, "c1", "{}")]);
    let body = sse(&[delta("lost"), function_call(1, "c1", "{}")]).split_off(85);
    for cut in [in_an_event, between_events, chunked(&body, body.len() + 100)] {
        let (events, answer, requests) = broken_then_good(vec![Act::Send(cut.clone())]).await;
        assert_eq!(answer.unwrap().entries, [said("fine")], "{}", String::from_utf8_lossy(&cut));
        assert_eq!((requests, retries(&events)), (2, 1));
        let [.., ModelEvent::Retrying { attempt: 1, of: 5, .. }, ModelEvent::TextDelta(last)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(last, "fine");
    }
}

#[tokio::test]
async fn an_event_that_is_not_json_breaks_the_answer() {
    let mut bytes = sse(&[delta("lost")]);
    bytes.extend_from_slice(b"data: {\"type\":\"response.output_item.done\",\"item\":{\"ty\n\n");
    bytes.extend_from_slice(&sse(&[message(0, "lost"), completed()])[85..]);
    let (events, answer, requests) = broken_then_good(vec![Act::Send(bytes)]).await;
    assert_eq!((answer.unwrap().entries, requests, retries(&events)), (vec![said("fine")], 2, 1));
}

#[tokio::test]
async fn text_that_is_not_utf_8_breaks_the_answer() {
    let mut bytes = sse(&[delta("lost")]);
    bytes.extend_from_slice(b"data: \xff\xfe\n\n");
    let (_, answer, requests) = broken_then_good(vec![Act::Send(bytes)]).await;
    assert_eq!((answer.unwrap().entries, requests), (vec![said("fine")], 2));
}

#[tokio::test]
async fn an_error_in_the_place_of_a_stream_is_asked_past() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"error\":{\"message\":\"busy\"}}";
    let (events, answer, requests) = broken_then_good(vec![Act::Send(page.as_bytes().to_vec())]).await;
    assert_eq!((answer.unwrap().entries, requests, retries(&events)), (vec![said("fine")], 2, 1));
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_tried_again() {
    let (events, answer, requests) = broken_then_good(Vec::new()).await;
    assert_eq!((answer.unwrap().entries, requests, retries(&events)), (vec![said("fine")], 2, 1));
}

#[tokio::test]
async fn silence_has_an_end_before_and_inside_an_answer() {
    let idle = "stream_idle_timeout_ms = 150";
    let silent = [
        vec![Act::Hold],
        vec![Act::Send(sse(&[delta("lost")])), Act::Hold],
        // Comments keep a connection alive, not an answer.
        vec![Act::Send(sse(&[delta("lost")])), Act::Comment],
        // A refusal whose reason never comes.
        vec![Act::Send(b"HTTP/1.1 400 X\r\ncontent-length: 10\r\n\r\n".to_vec()), Act::Hold],
    ];
    for first in silent {
        let mut server = Server::start(vec![first, good("fine")]).await;
        let (events, answer) = go(&model(&server, "openai", idle)).await;
        assert_eq!((answer.unwrap().entries, retries(&events)), (vec![said("fine")], 1));
        assert!(
            events
                .iter()
                .any(|event| matches!(event, ModelEvent::Retrying { reason, .. } if reason == "nothing came for 0.15 s"))
        );
        // The silent connection is not kept.
        while !matches!(server.event().await, Event::ClientLeft) {}
    }
}

#[tokio::test]
async fn tries_of_both_kinds_together_are_no_more_than_the_larger_limit() {
    let table = "request_max_retries = 2\nstream_max_retries = 3";
    let cut = vec![Act::Send(sse(&[delta("lost")]))];
    let down = status(503, "", "down");
    let mut server = Server::start(vec![down.clone(), cut.clone(), down.clone(), down]).await;
    let (events, answer) = go(&model(&server, "openai", table)).await;
    // The third failure is of the kind that may be retried twice only.
    let error = answer.unwrap_err();
    assert_eq!(error, ModelError::Unavailable("503: down (tried 3 times)".to_owned()));
    assert_eq!((server.requests().len(), retries(&events)), (3, 2));
    let mut server = Server::start(vec![cut]).await;
    let (events, answer) = go(&model(&server, "openai", table)).await;
    assert!(matches!(answer.unwrap_err(), ModelError::Unavailable(_)));
    assert_eq!((server.requests().len(), retries(&events)), (4, 3));
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_said_to_be_so() {
    let server = Server::start(vec![]).await;
    let gone = model(&server, "openai", "request_max_retries = 1");
    drop(server);
    let (events, answer) = go(&gone).await;
    let said = answer.unwrap_err().to_string();
    assert!(said.starts_with("the provider did not answer: cannot connect: ") && said.ends_with("(tried 2 times)"), "{said}");
    assert_eq!(retries(&events), 1);
}

#[tokio::test]
async fn a_step_that_is_dropped_leaves_the_provider_at_once() {
    let mut server = Server::start(vec![vec![Act::Send(sse(&[delta("a")])), Act::Hold]]).await;
    let mut stream = model(&server, "openai", "").step(prompt(vec![user("go")])).await.unwrap();
    assert_eq!(stream.next().await, Some(Ok(ModelEvent::TextDelta("a".to_owned()))));
    assert!(matches!(server.event().await, Event::Asked(_)));
    drop(stream);
    assert!(matches!(server.event().await, Event::ClientLeft));
}
