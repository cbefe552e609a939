//! A key is shown to its provider and to nobody else.

use super::*;
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        tracing::subscriber::set_default(log.with_span_events(FmtSpan::FULL).with_writer(self.clone()).finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_key_that_the_provider_quotes_is_in_no_error_and_in_no_log() {
    let log = Log::default();
    let _guard = log.listen();
    let quote = format!("you sent authorization: Bearer {KEY}");
    let in_json = json!({"error": {"message": quote, "code": "invalid_request_error"}}).to_string();
    let in_stream =
        sse(&[json!({"type": "response.failed", "response": {"error": {"code": "invalid_prompt", "message": quote}}})]);
    let mut not_json = sse(&[]);
    not_json.extend_from_slice(format!("data: {{{quote}\n\n").as_bytes());
    let answers = [
        status(400, "", &in_json),
        status(500, "", &quote),
        status(401, "", &quote),
        vec![Act::Send(in_stream)],
        vec![Act::Send(not_json)],
    ];
    for answer in answers {
        let server = Server::start(vec![answer]).await;
        let model = model(&server, "openai", "request_max_retries = 1\nstream_max_retries = 1");
        let (events, outcome) = go(&model).await;
        let shown = format!("{events:?} {outcome:?} {} {model:?}", outcome.as_ref().unwrap_err());
        assert!(!shown.contains("canary"), "{shown}");
    }
    let text = log.text();
    assert!(text.contains("the model gave no answer"), "nothing was logged: {text}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn the_span_of_a_step_tells_its_figures_and_none_of_its_words() {
    let log = Log::default();
    let _guard = log.listen();
    let server = Server::start(vec![status(503, "", "tired"), good("nothing to see here")]).await;
    ask(&model(&server, "openai", ""), prompt(vec![user("my private words")])).await.1.unwrap();
    let text = log.text();
    let expected = [
        "otel.name=\"chat gpt-5\"",
        "otel.kind=\"client\"",
        "gen_ai.operation.name=\"chat\"",
        "gen_ai.provider.name=\"openai\"",
        "gen_ai.request.model=\"gpt-5\"",
        "gen_ai.usage.input_tokens=100",
        "gen_ai.usage.output_tokens=10",
        "gen_ai.response.finish_reasons=\"completed\"",
        "server.address=\"127.0.0.1\"",
        "the model is asked again",
    ];
    for field in expected {
        assert!(text.contains(field), "{field} is missing in {text}");
    }
    for words in ["private", "nothing to see", "Be brief", "tired"] {
        assert!(!text.contains(words), "{words} is in {text}");
    }
}
