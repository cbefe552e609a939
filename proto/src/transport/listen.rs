//! Where a server is reached, and how it takes that place.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::net::{TcpListener, UnixListener, UnixStream};

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A loopback address. Port 0 lets the system choose.
    Tcp(SocketAddr),
    /// `HOST:PORT`, over TLS between members of a cluster. Port 0 lets the system choose.
    Tls(String),
    /// A Unix socket, made with mode 0600.
    Unix(PathBuf),
}

/// Why a server cannot listen somewhere. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The text is not an address.
    #[error("`{0}` is not an address; use 127.0.0.1:PORT, [::1]:PORT, https://HOST:PORT or unix:///PATH")]
    Syntax(String),
    /// The address can be reached from other hosts.
    #[error(
        "{0} can be reached from other hosts; use https://{0} as a member of a cluster, or a loopback address such as 127.0.0.1:PORT"
    )]
    NotLoopback(SocketAddr),
    /// Somebody else serves the socket.
    #[error("another process serves `{}`; stop it, or choose another path", .0.display())]
    Taken(PathBuf),
    /// The system said no.
    #[error("cannot listen at {place}: {source}{}", way_out(.source))]
    Bind {
        /// Where.
        place: String,
        /// What the system said.
        source: io::Error,
    },
}

fn way_out(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "; stop the process that has it, or choose another port",
        io::ErrorKind::AddrNotAvailable => "; name an address of this host",
        _ => "",
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        if let Some(path) = text.strip_prefix("unix://") {
            let path = PathBuf::from(path);
            return if path.is_absolute() { Ok(Self::Unix(path)) } else { Err(ListenError::Syntax(text.to_owned())) };
        }
        if let Some(host) = text.strip_prefix("https://") {
            return if is_host(host) { Ok(Self::Tls(host.to_owned())) } else { Err(ListenError::Syntax(text.to_owned())) };
        }
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("tcp://")).unwrap_or(text);
        let address: SocketAddr = host.parse().map_err(|_| ListenError::Syntax(text.to_owned()))?;
        if address.ip().is_loopback() { Ok(Self::Tcp(address)) } else { Err(ListenError::NotLoopback(address)) }
    }
}

/// Whether this is `HOST:PORT`. The system finds out whether there is such a host.
fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let known = !host.is_empty() && host.chars().all(plain) || text.parse::<SocketAddr>().is_ok();
    known && port.parse::<u16>().is_ok()
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Tls(host) => write!(f, "https://{host}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// A place that has been taken.
#[derive(Debug)]
pub enum Bound {
    /// A TCP listener, and the address with its real port.
    Tcp(TcpListener, SocketAddr),
    /// A TCP listener for members of a cluster, and the address with its real port.
    Tls(TcpListener, SocketAddr),
    /// A Unix socket, and its path.
    Unix(UnixListener, PathBuf),
}

impl Bound {
    /// Where it is, with its real port.
    #[must_use]
    pub fn place(&self) -> Listen {
        match self {
            Self::Tcp(_, address) => Listen::Tcp(*address),
            Self::Tls(_, address) => Listen::Tls(address.to_string()),
            Self::Unix(_, path) => Listen::Unix(path.clone()),
        }
    }
}

impl Listen {
    /// Takes the place. A Unix socket that nobody serves any more is replaced.
    ///
    /// # Errors
    /// [`ListenError::Taken`], [`ListenError::NotLoopback`] or what the system said.
    pub async fn bind(&self) -> Result<Bound, ListenError> {
        let failed = |source| ListenError::Bind { place: self.to_string(), source };
        match self {
            Self::Tcp(address) if !address.ip().is_loopback() => Err(ListenError::NotLoopback(*address)),
            Self::Tcp(address) => {
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Ok(Bound::Tcp(listener, address))
            }
            Self::Tls(host) => {
                let listener = TcpListener::bind(host).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Ok(Bound::Tls(listener, address))
            }
            Self::Unix(path) => {
                clear_stale(path).await?;
                let listener = UnixListener::bind(path).map_err(failed)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
                Ok(Bound::Unix(listener, path.clone()))
            }
        }
    }
}

async fn clear_stale(path: &Path) -> Result<(), ListenError> {
    match UnixStream::connect(path).await {
        Ok(_) => Err(ListenError::Taken(path.to_owned())),
        // Only a socket that refuses is stale; a plain file of that name is somebody's data and makes bind fail.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|source| ListenError::Bind { place: format!("unix://{}", path.display()), source })
        }
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_usual_spelling() {
        for text in ["127.0.0.1:70", "http://127.0.0.1:70", "tcp://127.0.0.1:70"] {
            assert_eq!(text.parse::<Listen>().unwrap(), Listen::Tcp("127.0.0.1:70".parse().unwrap()));
        }
        assert_eq!("unix:///run/n.sock".parse::<Listen>().unwrap(), Listen::Unix("/run/n.sock".into()));
        for text in ["https://127.0.0.1:70", "https://[::1]:70", "https://build-7.rack_2:70"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        for bad in ["https://", "https://:70", "https://a b:70", "https://a", "https://a:70/x", "https://u@a:70"] {
            assert!(matches!(bad.parse::<Listen>(), Err(ListenError::Syntax(_))), "{bad}");
        }
        for bad in ["", "localhost", "unix://relative", "127.0.0.1"] {
            assert!(matches!(bad.parse::<Listen>(), Err(ListenError::Syntax(_))), "{bad}");
        }
        assert!(matches!("0.0.0.0:70".parse::<Listen>(), Err(ListenError::NotLoopback(_))));
    }

    #[tokio::test]
    async fn a_served_socket_is_kept_and_a_stale_one_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let listen = Listen::Unix(dir.path().join("s"));
        let first = listen.bind().await.unwrap();
        assert!(matches!(listen.bind().await, Err(ListenError::Taken(_))));
        drop(first);
        assert!(listen.bind().await.is_ok());
        let mode = std::fs::metadata(dir.path().join("s")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
