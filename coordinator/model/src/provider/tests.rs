//! Providers as they are configured.

use super::*;

fn table(text: &str) -> ProviderTable {
    toml::from_str(text).unwrap()
}

#[test]
fn the_built_in_providers_are_complete() {
    let ids: Vec<String> = ProviderConfig::built_ins().into_iter().map(|provider| provider.id).collect();
    assert_eq!(ids, ["openai", "openai-chat", "anthropic", "gemini", "ollama"]);
    let openai = ProviderConfig::built_in("openai").unwrap();
    assert_eq!((openai.wire, openai.env_key.as_deref()), (WireApi::Responses, Some("OPENAI_API_KEY")));
    assert_eq!((openai.request_max_retries, openai.stream_max_retries), (4, 5));
    assert_eq!(openai.stream_idle_timeout, Duration::from_secs(300));
    assert_eq!(ProviderConfig::built_in("ollama").unwrap().env_key, None);
    assert_eq!(ProviderConfig::built_in("acme"), None);
}

#[test]
fn a_table_of_codex_is_understood() {
    let read = table(
        r#"
        name = "Azure"
        base_url = "https://acme.openai.azure.com/openai"
        env_key = "AZURE_OPENAI_API_KEY"
        query_params = { api-version = "2025-04-01-preview" }
        wire_api = "responses"
        http_headers = { "X-Team" = "build" }
        env_http_headers = { "X-Key" = "ACME_KEY" }
        request_max_retries = 1000
        stream_max_retries = 10
        stream_idle_timeout_ms = 5000
        requires_openai_auth = true
        "#,
    );
    let azure = ProviderConfig::from_table("azure", read).unwrap();
    assert_eq!(azure.name, "Azure");
    assert_eq!(azure.query_params["api-version"].reveal(), "2025-04-01-preview");
    assert_eq!(azure.http_headers["X-Team"].reveal(), "build");
    assert_eq!(azure.env_http_headers["X-Key"], "ACME_KEY");
    assert_eq!((azure.request_max_retries, azure.stream_max_retries), (ProviderConfig::MOST_RETRIES, 10));
    assert_eq!(azure.stream_idle_timeout, Duration::from_secs(5));
}

#[test]
fn an_unknown_wire_api_is_named_with_the_known_ones() {
    let said = toml::from_str::<ProviderTable>("wire_api = \"soap\"").unwrap_err().to_string();
    assert!(said.contains("`soap` is not a wire_api; use \"responses\", \"chat\""), "{said}");
    for wire in WireApi::ALL {
        assert_eq!(table(&format!("wire_api = \"{wire}\"")).wire_api, Some(wire));
    }
}

#[test]
fn a_table_changes_only_what_it_names_of_a_built_in_provider() {
    let changed = ProviderConfig::from_table("anthropic", table("stream_max_retries = 0")).unwrap();
    let original = ProviderConfig::built_in("anthropic").unwrap();
    assert_eq!(changed, ProviderConfig { stream_max_retries: 0, ..original });
}

#[test]
fn an_address_that_cannot_be_used_is_refused() {
    let said = |base_url: &str| {
        let table = ProviderTable { base_url: Some(base_url.to_owned()), ..ProviderTable::default() };
        ProviderConfig::from_table("acme", table).unwrap_err().to_string()
    };
    assert!(said("host:80/v1").contains("http"), "{}", said("host:80/v1"));
    assert!(said("ftp://host/").contains("must start with http://"));
    assert!(said("https://me:sk-canary@host/v1").contains("holds a user or password"));
    assert!(!said("https://me:sk-canary@host/v1").contains("canary"));
    assert_eq!(ProviderConfig::from_table("acme", ProviderTable::default()), Err(ProviderError::NoBaseUrl("acme".to_owned())));
}

#[test]
fn a_provider_can_be_moved() {
    let moved = ProviderConfig::built_in("openai").unwrap().at("http://127.0.0.1:9/v1").unwrap();
    assert_eq!(moved.base_url.as_str(), "http://127.0.0.1:9/v1");
    assert!(ProviderConfig::built_in("openai").unwrap().at("nowhere").is_err());
}

#[test]
fn headers_and_parameters_are_not_shown() {
    let read = table("base_url = \"http://h\"\nhttp_headers = { a = \"sk-canary\" }\nquery_params = { key = \"sk-canary\" }");
    let shown = format!("{read:?} {:?}", ProviderConfig::from_table("acme", read.clone()).unwrap());
    assert!(!shown.contains("canary"), "{shown}");
}
