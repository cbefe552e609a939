//! The shared token that stands between loopback processes until they have certificates.

use std::fmt;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status};

/// A secret that both ends of a connection know. Its value is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A text that cannot be a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token must be 16 to 256 printable ASCII characters without spaces")]
pub struct TokenError;

impl Token {
    /// Reads a token, as a file holds it: white space around it is ignored.
    ///
    /// # Errors
    /// A text that is too short to be a secret, or cannot stand in a header.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if plain && (16..=256).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(TokenError) }
    }

    /// Whether `header` is `Bearer` with this token.
    fn matches(&self, header: &str) -> bool {
        header.strip_prefix("Bearer ").is_some_and(|given| self.is(given))
    }

    /// Whether this text is the token. Takes the same time for every wrong one of the same length.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let differences = text.bytes().zip(self.0.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b));
        text.len() == self.0.len() && differences == 0
    }

    /// Puts the token into a request.
    ///
    /// # Errors
    /// Never for a token that was parsed; the header's type requires the check.
    pub fn attach<T>(&self, mut request: Request<T>) -> Result<Request<T>, Status> {
        let value: MetadataValue<Ascii> =
            format!("Bearer {}", self.0).parse().map_err(|_| Status::internal("the token cannot stand in a header"))?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }

    /// Lets a request pass only if it carries this token.
    ///
    /// # Errors
    /// UNAUTHENTICATED, which says where the token is found.
    pub fn check<T>(&self, request: Request<T>) -> Result<Request<T>, Status> {
        let given = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        match given {
            Some(header) if self.matches(header) => Ok(request),
            Some(_) => Err(Status::unauthenticated("the token is wrong; use the token file that the server was started with")),
            None => Err(Status::unauthenticated("a token is required; use the token file that the server was started with")),
        }
    }

    /// The token's text, for the file that hands it on.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_passes() {
        let token = Token::parse(" 0123456789abcdef\n").unwrap();
        let carrying = |text: &str| Token::parse(text).unwrap().attach(Request::new(())).unwrap();
        assert!(token.check(carrying("0123456789abcdef")).is_ok());
        for wrong in ["0123456789abcdeg", "0123456789abcdef0", "x0123456789abcdef"] {
            assert_eq!(token.check(carrying(wrong)).unwrap_err().code(), tonic::Code::Unauthenticated, "{wrong}");
        }
        assert_eq!(token.check(Request::new(())).unwrap_err().code(), tonic::Code::Unauthenticated);
    }

    #[test]
    fn a_token_is_long_enough_and_never_printed() {
        assert_eq!(Token::parse("short"), Err(TokenError));
        assert_eq!(Token::parse("with a space in the middle"), Err(TokenError));
        assert!(!format!("{:?}", Token::parse("0123456789abcdef").unwrap()).contains("0123"));
    }
}
