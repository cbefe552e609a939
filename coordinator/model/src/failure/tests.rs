//! What each failure means for the next try.

use super::*;

fn status(status: u16, code: &str, message: &str) -> Verdict {
    Failure::Status { status, code: code.to_owned(), wait: None, message: message.to_owned(), quotas: Box::default() }.verdict()
}

fn reported(code: &str) -> Verdict {
    Failure::Reported { code: code.to_owned(), wait: None, message: "m".to_owned() }.verdict()
}

#[test]
fn a_passing_trouble_is_tried_again() {
    for number in [408, 409, 425, 500, 502, 503, 504, 520, 529] {
        assert!(matches!(status(number, "", "m"), Verdict::Again(_)), "{number}");
    }
    assert!(matches!(status(529, "invalid_request_error", "m"), Verdict::Again(_)));
    for code in ["server_error", "overloaded_error", "api_error", "never heard of"] {
        assert!(matches!(reported(code), Verdict::Again(_)), "{code}");
    }
    let passing = [Failure::Unreachable("m".into()), Failure::Silent(Duration::from_secs(1)), Failure::Cut("m".into())];
    assert!(passing.iter().all(|failure| matches!(failure.verdict(), Verdict::Again(_))));
}

#[test]
fn a_rate_limit_is_waited_out_and_a_used_up_quota_is_not() {
    assert!(matches!(status(429, "", "m"), Verdict::Later { .. }));
    assert!(matches!(reported("rate_limit_exceeded"), Verdict::Later { .. }));
    assert!(matches!(reported("RESOURCE_EXHAUSTED"), Verdict::Later { .. }));
    for verdict in [status(429, "insufficient_quota", "m"), reported("insufficient_quota")] {
        let Verdict::Never(ModelError::RateLimited(said)) = verdict else { panic!("{verdict:?}") };
        assert!(said.contains("waiting does not help"), "{said}");
    }
}

#[test]
fn what_a_retry_would_meet_again_is_final() {
    assert!(matches!(status(401, "", "m"), Verdict::Never(ModelError::Credentials(_))));
    for number in [301, 400, 402, 403, 404, 422] {
        assert!(matches!(status(number, "", "m"), Verdict::Never(ModelError::Refused(_))), "{number}");
    }
    assert!(matches!(status(400, "context_length_exceeded", "m"), Verdict::Never(ModelError::ContextWindow(_))));
    assert!(matches!(reported("context_length_exceeded"), Verdict::Never(ModelError::ContextWindow(_))));
    assert!(matches!(Failure::Incomplete("m".into()).verdict(), Verdict::Never(ModelError::Incomplete(_))));
    assert!(matches!(Failure::Unsendable("m".into()).verdict(), Verdict::Never(ModelError::Refused(_))));
}

#[test]
fn a_prompt_that_is_too_long_is_known_by_the_providers_phrases() {
    let phrases = [
        "prompt is too long: 250000 tokens > 200000 maximum",
        "This model's maximum context length is 8192 tokens",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ];
    for phrase in phrases {
        assert!(matches!(status(400, "", phrase), Verdict::Never(ModelError::ContextWindow(_))), "{phrase}");
        let coded = status(400, "invalid_request_error", phrase);
        assert!(matches!(coded, Verdict::Never(ModelError::ContextWindow(_))), "{phrase}");
    }
}

#[test]
fn a_busy_server_that_names_a_wait_is_waited_for() {
    let wait = Some(Duration::from_secs(3));
    let busy = Failure::Status { status: 503, code: String::new(), wait, message: "m".to_owned(), quotas: Box::default() };
    assert_eq!(busy.verdict(), Verdict::Later { wait, message: "503: m".to_owned() });
}
