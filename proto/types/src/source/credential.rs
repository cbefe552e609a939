//! What a repository is asked with.

use std::fmt;

/// The longest user name or password, in bytes.
const LONGEST: usize = 8192;

/// A user name and a password or token for the repositories of one host. It is shown without its secret, and is no part of anything that is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct GitCredential {
    /// The host's name, in small letters, with `:PORT` where one is named in addresses of its repositories.
    pub host: String,
    /// The user's name.
    pub username: String,
    password: String,
}

/// A text that cannot be sent as part of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a credential has a host, and a user name and a password of 1 to {LONGEST} bytes without control characters")]
pub struct NotACredential;

impl GitCredential {
    /// For the repositories of `host`.
    ///
    /// # Errors
    /// A part is missing, too long, or has control characters: git reads credentials line by line.
    pub fn new(host: &str, username: String, password: String) -> Result<Self, NotACredential> {
        let is_plain = |text: &str| (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control);
        if [host, &username, &password].into_iter().all(is_plain) {
            Ok(Self { host: host.to_ascii_lowercase(), username, password })
        } else {
            Err(NotACredential)
        }
    }

    /// The password or token. It belongs into no text that anybody reads.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for GitCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitCredential({} [redacted])", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_shown_without_its_secret_and_holds_no_second_line() {
        let credential = GitCredential::new("H.example", "x-user".into(), "CANARY".into()).unwrap();
        assert_eq!(format!("{credential:?}"), "GitCredential(h.example [redacted])");
        assert_eq!(credential.expose(), "CANARY");
        assert!(GitCredential::new("h", "u".into(), "a\nhost=other".into()).is_err());
        assert!(GitCredential::new("h", "u".into(), String::new()).is_err());
    }
}
