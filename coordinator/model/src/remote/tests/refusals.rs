//! Answers that say no.

use super::*;

async fn asked(answers: Vec<Vec<Act>>) -> (Vec<ModelEvent>, Result<Answer, ModelError>, usize) {
    let mut server = Server::start(answers).await;
    let (events, answer) = go(&model(&server, "openai", "")).await;
    (events, answer, server.requests().len())
}

fn error(code: &str) -> String {
    json!({"error": {"message": "No.", "type": code, "code": code}}).to_string()
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_for_as_long_as_it_says() {
    let limited = status(429, "retry-after-ms: 30\r\n", &error("rate_limit_exceeded"));
    let start = std::time::Instant::now();
    let (events, answer, requests) = asked(vec![limited, good("fine")]).await;
    assert_eq!((answer.unwrap().entries, requests), (vec![said("fine")], 2));
    assert!(start.elapsed() >= Duration::from_millis(30));
    let after = Duration::from_millis(30);
    assert_eq!(events[0], ModelEvent::Retrying { attempt: 1, of: 5, reason: "429: No.".to_owned(), after });
}

#[tokio::test]
async fn a_rate_limit_without_a_time_is_tried_again_a_few_times() {
    let (_, answer, requests) = asked(vec![status(429, "", ""), good("fine")]).await;
    assert_eq!((answer.unwrap().entries, requests), (vec![said("fine")], 2));
    let (_, answer, requests) = asked(vec![status(429, "", "")]).await;
    assert_eq!(requests, 6);
    let said = answer.unwrap_err();
    assert_eq!(said, ModelError::RateLimited("429 (tried 6 times; wait a minute and try again)".to_owned()));
}

#[tokio::test]
async fn a_rate_limit_of_an_hour_ends_the_step_at_once() {
    let (_, answer, requests) = asked(vec![status(429, "retry-after: 3600\r\n", "")]).await;
    assert_eq!(requests, 1);
    assert!(answer.unwrap_err().to_string().contains("come back in 3600 s"));
}

#[tokio::test]
async fn a_used_up_quota_is_not_asked_again() {
    let (_, answer, requests) = asked(vec![status(429, "", &error("insufficient_quota"))]).await;
    assert_eq!(requests, 1);
    assert!(matches!(answer.unwrap_err(), ModelError::RateLimited(said) if said.contains("quota is used up")));
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    for number in [500, 502, 503, 504, 529] {
        let (events, answer, requests) = asked(vec![status(number, "", "<h1>trouble</h1>"), good("fine")]).await;
        assert_eq!((answer.unwrap().entries, requests), (vec![said("fine")], 2));
        let ModelEvent::Retrying { reason, of: 4, .. } = &events[0] else { panic!("{events:?}") };
        assert_eq!(*reason, format!("{number}: trouble"));
    }
    let (_, answer, requests) = asked(vec![status(500, "", "")]).await;
    assert_eq!((answer.unwrap_err(), requests), (ModelError::Unavailable("500 (tried 5 times)".to_owned()), 5));
}

#[tokio::test]
async fn a_refused_key_is_named_by_its_variable() {
    let (_, answer, requests) = asked(vec![status(401, "", &error("invalid_api_key"))]).await;
    assert_eq!(requests, 1);
    assert_eq!(
        answer.unwrap_err().to_string(),
        "model provider `openai` refused the key from OPENAI_API_KEY (401: No.); set OPENAI_API_KEY to a valid key"
    );
}

#[tokio::test]
async fn a_wrong_request_is_not_asked_again() {
    for number in [400, 403, 404, 422] {
        let (_, answer, requests) = asked(vec![status(number, "", &error("bad"))]).await;
        let error = answer.unwrap_err();
        assert!(matches!(&error, ModelError::Refused(said) if said.starts_with(&format!("{number}: No."))), "{error}");
        assert_eq!(requests, 1);
    }
    let (_, answer, _) = asked(vec![status(400, "", &error("context_length_exceeded"))]).await;
    assert_eq!(answer.unwrap_err(), ModelError::ContextWindow("400: No.".to_owned()));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (_, answer, requests) = asked(vec![status(307, "location: http://127.0.0.1:1/\r\n", ""), good("fine")]).await;
    assert_eq!(requests, 1);
    assert!(matches!(answer.unwrap_err(), ModelError::Refused(said) if said.contains("set base_url to where it leads")));
}

fn failed(code: &str) -> Vec<Act> {
    let error = json!({"code": code, "message": "No."});
    let failed = json!({"type": "response.failed", "response": {"id": "r", "status": "failed", "model": "m", "error": error}});
    vec![Act::Send(sse(&[delta("lost"), failed]))]
}

#[tokio::test]
async fn the_code_of_a_failed_answer_decides() {
    for code in ["server_error", "rate_limit_exceeded", "unheard_of"] {
        let (events, answer, requests) = asked(vec![failed(code), good("fine")]).await;
        assert_eq!((answer.unwrap().entries, requests, retries(&events)), (vec![said("fine")], 2, 1), "{code}");
    }
    let (_, answer, requests) = asked(vec![failed("context_length_exceeded")]).await;
    assert_eq!((answer.unwrap_err(), requests), (ModelError::ContextWindow("No.".to_owned()), 1));
    let (_, answer, requests) = asked(vec![failed("insufficient_quota")]).await;
    assert!(matches!(answer.unwrap_err(), ModelError::RateLimited(_)) && requests == 1);
    let (_, answer, requests) = asked(vec![failed("invalid_prompt")]).await;
    assert_eq!((answer.unwrap_err(), requests), (ModelError::Refused("No.".to_owned()), 1));
}

#[tokio::test]
async fn an_error_event_is_read_in_both_its_shapes() {
    let flat = json!({"type": "error", "code": "context_length_exceeded", "message": "No.", "param": null});
    let nested = json!({"type": "error", "error": {"code": "context_length_exceeded", "message": "No."}});
    for event in [flat, nested] {
        let (_, answer, requests) = asked(vec![vec![Act::Send(sse(&[event]))]]).await;
        assert_eq!((answer.unwrap_err(), requests), (ModelError::ContextWindow("No.".to_owned()), 1));
    }
}

#[tokio::test]
async fn an_answer_cut_short_on_purpose_is_not_asked_for_again() {
    let response =
        json!({"id": "r", "status": "incomplete", "model": "m", "incomplete_details": {"reason": "max_output_tokens"}});
    let events = [message(0, "half"), function_call(1, "c1", "{}"), json!({"type": "response.incomplete", "response": response})];
    let (_, answer, requests) = asked(vec![vec![Act::Send(sse(&events))], good("fine")]).await;
    assert_eq!(requests, 1);
    assert!(matches!(answer.unwrap_err(), ModelError::Incomplete(said) if said.contains("max_output_tokens")));
}
