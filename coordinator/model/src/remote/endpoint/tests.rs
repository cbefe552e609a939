//! Addresses, headers and what is secret of them.

use super::*;
use crate::provider::ProviderTable;

fn environment(name: &str) -> Option<String> {
    match name {
        "KEY" | "OPENAI_API_KEY" | "ANTHROPIC_API_KEY" | "GEMINI_API_KEY" => Some("sk-canary".to_owned()),
        "TEAM_TOKEN" => Some("team-canary".to_owned()),
        _ => None,
    }
}

fn endpoint(id: &str, table: &str) -> Endpoint {
    let table: ProviderTable = toml::from_str(table).unwrap();
    Endpoint::new(&ProviderConfig::from_table(id, table).unwrap(), &environment).unwrap()
}

fn sent(endpoint: &Endpoint, model: &str) -> (String, Vec<(String, String)>) {
    let AuthData::RequestOverride { url, headers } = endpoint.target(model) else { panic!("no override") };
    let mut headers: Vec<(String, String)> = headers.into_iter().collect();
    headers.sort();
    (url, headers)
}

#[test]
fn each_dialect_has_its_address() {
    let url = |id, table, model| sent(&endpoint(id, table), model).0;
    assert_eq!(url("openai", "", "gpt-5"), "https://api.openai.com/v1/responses");
    assert_eq!(url("openai-chat", "base_url = \"http://h/v1/\"", "m"), "http://h/v1/chat/completions");
    assert_eq!(url("anthropic", "", "claude"), "https://api.anthropic.com/v1/messages");
    assert_eq!(url("ollama", "", "llama"), "http://localhost:11434/api/chat");
    assert_eq!(
        url("gemini", "", "models/gemini-3"),
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-3:streamGenerateContent?alt=sse"
    );
}

#[test]
fn parameters_are_appended_and_a_models_name_cannot_leave_its_place() {
    let table = "base_url = \"http://h/v1?a=b\"\nquery_params = { api-version = \"1 & 2\" }";
    assert_eq!(sent(&endpoint("x", table), "m").0, "http://h/v1/responses?a=b&api-version=1+%26+2");
    assert!(sent(&endpoint("gemini", ""), "../../evil?x").0.contains("/v1beta/models/..%2F..%2Fevil%3Fx:stream"));
}

#[test]
fn headers_are_sent_once_and_ones_own_win() {
    let table = "base_url = \"http://h\"\nenv_key = \"KEY\"\nhttp_headers = { Authorization = \"Basic x\", X-Team = \"a\" }\n\
                 env_http_headers = { X-Token = \"TEAM_TOKEN\", X-None = \"UNSET\" }";
    let expected = [("accept", "text/event-stream"), ("authorization", "Basic x"), ("x-team", "a"), ("x-token", "team-canary")];
    let expected: Vec<(String, String)> = expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    assert_eq!(sent(&endpoint("x", table), "m").1, expected);
}

#[test]
fn keys_go_where_each_dialect_wants_them() {
    let has = |id, header: (&str, &str)| sent(&endpoint(id, ""), "m").1.contains(&(header.0.to_owned(), header.1.to_owned()));
    assert!(has("openai", ("authorization", "Bearer sk-canary")));
    assert!(has("anthropic", ("x-api-key", "sk-canary")) && has("anthropic", ("anthropic-version", "2023-06-01")));
    assert!(has("gemini", ("x-goog-api-key", "sk-canary")));
    assert_eq!(sent(&endpoint("ollama", ""), "m").1, []);
}

#[test]
fn a_missing_key_is_named_with_what_to_do() {
    let provider = ProviderConfig::built_in("openai").unwrap();
    let said = Endpoint::new(&provider, &|_: &str| None).unwrap_err().to_string();
    assert_eq!(
        said,
        "no key for model provider `openai`: set the environment variable OPENAI_API_KEY, or put {\"OPENAI_API_KEY\": \"...\"} \
         into auth.json in the CAPSTAN_HOME directory (`capstan demo` works without a key)"
    );
}

#[test]
fn a_header_that_cannot_be_sent_is_named_and_not_quoted() {
    let provider = ProviderConfig::built_in("openai").unwrap();
    let error = Endpoint::new(&provider, &|_: &str| Some("sk-canary\nx: y".to_owned())).unwrap_err();
    assert_eq!(error, SetupError::Header { provider: "openai".to_owned(), header: "authorization".to_owned() });
    assert!(!error.to_string().contains("canary"));
}

#[test]
fn all_secrets_are_known_to_the_redactor_and_shown_nowhere() {
    let table = "base_url = \"http://h\"\nenv_key = \"KEY\"\nquery_params = { key = \"query-canary\" }\n\
                 http_headers = { X-Auth = \"header-canary\", X-Title = \"My Team\" }\n\
                 env_http_headers = { X-Token = \"TEAM_TOKEN\" }";
    let endpoint = endpoint("x", table);
    assert!(!format!("{endpoint:?}").contains("canary"));
    assert_eq!(
        endpoint.redactor().clean("sk-canary query-canary header-canary team-canary My Team"),
        "[redacted] [redacted] [redacted] [redacted] My Team"
    );
}
