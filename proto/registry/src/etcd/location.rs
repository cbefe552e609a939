//! Where an etcd is, and as whom it is spoken to. Read once, at the door.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The port of an endpoint that names none.
const PORT: u16 = 2379;

/// The beginning of every key, unless another is given.
pub const PREFIX: &str = "/capstan/v1/";

/// How long a process that says nothing is still taken for alive, unless another time is given.
pub const LEASE_TTL: Duration = Duration::from_secs(5);

/// The members of one etcd: each `http://host:port` or `https://host:port`, and of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints(Vec<String>);

/// What is wrong with endpoints. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// There is none.
    #[error("no endpoint is named; write etcd://HOST:2379,HOST2:2379, or etcds:// for TLS")]
    None,
    /// One is not an address.
    #[error("`{0}` is no endpoint of etcd; write HOST:PORT, http://HOST:PORT or https://HOST:PORT")]
    Syntax(String),
    /// Some are reached by TLS and others are not.
    #[error("some endpoints are reached by TLS and others are not; write http:// or https:// before all of them")]
    Mixed,
}

impl Endpoints {
    /// Reads them from a list, as a configuration has it.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new<T: AsRef<str>>(endpoints: impl IntoIterator<Item = T>) -> Result<Self, EndpointError> {
        let read = endpoints.into_iter().map(|endpoint| read(endpoint.as_ref(), "http"));
        Self::checked(read.collect::<Result<_, _>>()?)
    }

    fn checked(endpoints: Vec<String>) -> Result<Self, EndpointError> {
        let by_tls = endpoints.iter().filter(|endpoint| endpoint.starts_with("https:")).count();
        match by_tls {
            _ if endpoints.is_empty() => Err(EndpointError::None),
            0 => Ok(Self(endpoints)),
            all if all == endpoints.len() => Ok(Self(endpoints)),
            _ => Err(EndpointError::Mixed),
        }
    }

    /// Whether they are reached by TLS.
    #[must_use]
    pub fn by_tls(&self) -> bool {
        self.0.first().is_some_and(|endpoint| endpoint.starts_with("https:"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// `etcd://HOST:PORT,HOST:PORT`, or `etcds://` for TLS.
impl FromStr for Endpoints {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (scheme, hosts) = match (text.strip_prefix("etcd://"), text.strip_prefix("etcds://")) {
            (Some(hosts), _) => ("http", hosts),
            (None, Some(hosts)) => ("https", hosts),
            (None, None) => return Err(EndpointError::Syntax(text.to_owned())),
        };
        let hosts = hosts.trim_end_matches('/').split(',').map(str::trim).filter(|host| !host.is_empty());
        Self::checked(hosts.map(|host| read(host, scheme)).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn read(text: &str, usual: &str) -> Result<String, EndpointError> {
    let wrong = || EndpointError::Syntax(text.to_owned());
    let (scheme, authority) = text.trim().split_once("://").unwrap_or_else(|| (usual, text.trim()));
    let authority = authority.trim_end_matches('/');
    let bracketed_end = authority.rfind(']').map_or(0, |at| at + 1);
    let whole = match authority[bracketed_end..].rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => authority.to_owned(),
        Some(_) => return Err(wrong()),
        None => format!("{authority}:{PORT}"),
    };
    let plain = !whole.contains(['@', '/', '?', '#', ' ']) && !whole.starts_with(':');
    let uri: tonic::transport::Uri = format!("{scheme}://{whole}").parse().map_err(|_| wrong())?;
    (plain && matches!(scheme, "http" | "https") && uri.host().is_some_and(|host| !host.is_empty()))
        .then(|| format!("{scheme}://{whole}"))
        .ok_or_else(wrong)
}

/// How etcd proves who it is, and this process who it is: PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// The authorities that etcd's certificate may come from.
    pub authorities: String,
    /// This process's own certificate and its key, where etcd asks for one.
    pub own: Option<(String, String)>,
}

/// Whom etcd is told this is.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

/// An etcd, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdLocation {
    /// Its members.
    pub endpoints: Endpoints,
    /// The beginning of every key; it ends with a slash.
    pub prefix: String,
    /// The lease that is asked for; whole seconds count, and etcd may grant more.
    pub lease_ttl: Duration,
    /// Needed when the endpoints are reached by TLS.
    pub tls: Option<Tls>,
    /// Needed when etcd asks for users and their passwords.
    pub login: Option<Login>,
}

impl EtcdLocation {
    /// An etcd that asks for nothing, with the usual prefix and lease.
    #[must_use]
    pub fn open(endpoints: Endpoints) -> Self {
        Self { endpoints, prefix: PREFIX.to_owned(), lease_ttl: LEASE_TTL, tls: None, login: None }
    }
}

impl fmt::Debug for Tls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("own", &self.own.is_some()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Endpoints>().map(|endpoints| endpoints.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn endpoints_are_read_with_their_usual_port() {
        assert_eq!(read("etcd://a:1,b").unwrap(), "http://a:1, http://b:2379");
        assert_eq!(read("etcds://[::1]:1,[::2]").unwrap(), "https://[::1]:1, https://[::2]:2379");
        assert!("etcds://a".parse::<Endpoints>().unwrap().by_tls());
        assert_eq!(Endpoints::new(["a", "http://b:7/"]).unwrap().to_string(), "http://a:2379, http://b:7");
    }

    #[test]
    fn what_is_no_endpoint_is_named() {
        assert_eq!(read("etcd://"), Err(EndpointError::None.to_string()));
        for bad in ["a:2379", "etcd://a:99999", "etcd://a:b", "etcd://u:p@a:1", "etcd://a/b", "etcd://:1", "http://a"] {
            assert!(read(bad).unwrap_err().contains("is no endpoint of etcd"), "{bad}");
        }
        assert_eq!(Endpoints::new(["http://a", "https://b"]), Err(EndpointError::Mixed));
        assert_eq!(Endpoints::new(["ftp://a"]), Err(EndpointError::Syntax("ftp://a".to_owned())));
    }
}
