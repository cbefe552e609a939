//! What a member's answer means for the next step.

use tonic::{Code, Status};

/// What an answer of one member means for the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another member may do better, or the same one later.
    Elsewhere(String),
    /// The token is not known any more.
    Token,
    /// The user may not do it.
    Denied,
    /// The user is not let in.
    Login(String),
    /// It stays refused.
    Refused(String),
}

impl Fault {
    pub(super) fn of(status: &Status) -> Self {
        let said = status.message();
        // etcd gives the second of these the code of a bad request.
        if said.contains("invalid auth token") || said.contains("revision of auth store is old") {
            return Self::Token;
        }
        match status.code() {
            Code::PermissionDenied => Self::Denied,
            Code::Unauthenticated => Self::Login(said.to_owned()),
            Code::InvalidArgument if said.contains("authentication failed") => {
                Self::Login("the user or the password is wrong".to_owned())
            }
            Code::InvalidArgument if said.contains("user name is empty") => {
                Self::Login("it asks for a user, and none is named".to_owned())
            }
            Code::FailedPrecondition if said.contains("authentication is not enabled") => {
                Self::Login("it has no users switched on, and a user is named".to_owned())
            }
            Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::NotFound
            | Code::ResourceExhausted
            | Code::Unimplemented
            | Code::AlreadyExists => Self::Refused(said.to_owned()),
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Self::Elsewhere(told(status)),
        }
    }
}

/// The innermost reason, which says more than "transport error".
fn told(status: &Status) -> String {
    let mut reason: &dyn std::error::Error = status;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    match std::ptr::addr_eq(std::ptr::from_ref(reason), std::ptr::from_ref::<Status>(status)) {
        true => status.message().to_owned(),
        false => reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_etcd_says_is_told_apart() {
        let fault = |code, said: &str| Fault::of(&Status::new(code, said));
        assert_eq!(fault(Code::Unauthenticated, "etcdserver: invalid auth token"), Fault::Token);
        assert_eq!(fault(Code::InvalidArgument, "etcdserver: revision of auth store is old"), Fault::Token);
        assert_eq!(fault(Code::PermissionDenied, "etcdserver: permission denied"), Fault::Denied);
        assert!(matches!(fault(Code::InvalidArgument, "etcdserver: user name is empty"), Fault::Login(_)));
        assert_eq!(
            fault(Code::Unavailable, "etcdserver: leader changed"),
            Fault::Elsewhere("etcdserver: leader changed".to_owned())
        );
        assert!(matches!(fault(Code::ResourceExhausted, "etcdserver: mvcc: database space exceeded"), Fault::Refused(_)));
    }
}
