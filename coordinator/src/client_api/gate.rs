//! Lets a request in only by a connection that is served, and with the token where one is asked for.

use super::connections::Welcome;
use capstan_proto::token::Token;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// What stands before the services of one listener.
#[derive(Debug, Clone)]
pub(crate) enum Gate {
    /// Whoever can reach the listener may enter: the pipe in memory, a socket on which only this user's processes are let in.
    Open,
    /// The token is asked for.
    Token(Token),
}

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let request = Welcome::check(request)?;
        match self {
            Self::Open => Ok(request),
            Self::Token(token) => token.check(request),
        }
    }
}
