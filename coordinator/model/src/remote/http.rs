//! The HTTP client of one provider.

use super::endpoint::SetupError;
use crate::provider::ProviderConfig;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Makes the client. A proxy from the environment is used, but never for this very host.
pub(super) fn client(provider: &ProviderConfig) -> Result<Client, SetupError> {
    // Without a provider of cryptography for the process, making a client panics. Somebody else may have chosen one: that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = |reason: String| SetupError::Tls { provider: provider.id.clone(), reason };
    let mut builder = Client::builder()
        .user_agent(concat!("capstan/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        // A redirect to another host would carry the key of some providers along.
        .redirect(Policy::none());
    if is_loopback(&provider.base_url) {
        builder = builder.no_proxy();
    }
    if provider.base_url.scheme() == "http" {
        // A host without CA certificates can still speak to a model of its own; and nobody waits for them to load.
        builder = builder.tls_backend_preconfigured(without_roots().map_err(|error| tls(error.to_string()))?);
    }
    builder.build().map_err(|error| tls(innermost(&error)))
}

fn without_roots() -> Result<ClientConfig, rustls::Error> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_address || host == "localhost" || host.ends_with(".localhost")
}

/// What an error comes down to. The outer texts of the HTTP client hold the whole address, parameters included.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_is_known_by_all_its_names() {
        let is = |url: &str| is_loopback(&Url::parse(url).unwrap());
        for here in ["http://localhost:1/v1", "http://127.0.0.1", "http://127.8.8.8", "http://[::1]:80/", "https://a.localhost"] {
            assert!(is(here), "{here}");
        }
        for there in ["https://api.openai.com", "http://10.0.0.1", "http://localhost.example.com", "http://[::2]"] {
            assert!(!is(there), "{there}");
        }
    }

    #[test]
    fn a_client_can_be_made_for_every_built_in_provider() {
        for provider in ProviderConfig::built_ins() {
            match client(&provider) {
                Ok(_) => {}
                // What a host without certificates says instead; anything else is a fault.
                Err(SetupError::Tls { reason, .. }) => assert!(reason.contains("No CA certificates"), "{reason}"),
                Err(other) => panic!("{other}"),
            }
        }
    }
}
