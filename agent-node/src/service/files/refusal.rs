//! Why something was not done with files, as the protobuf files promise.

use capstan_types::files::report::{FilesRefusal, Why};
use tonic::{Code, Status};

/// The status of a refusal.
pub(super) fn status(refusal: FilesRefusal) -> Status {
    let code = match refusal.why {
        Why::Missing => Code::NotFound,
        // Not PERMISSION_DENIED: that is what whoever has no right to ask at all is told.
        Why::Kind | Why::Outside | Why::Denied => Code::FailedPrecondition,
        Why::Changed => Code::Aborted,
        Why::TooMuch => Code::OutOfRange,
        Why::Question => Code::InvalidArgument,
        Why::Host => Code::Unknown,
    };
    Status::new(code, refusal.said)
}
