//! A refused start on the wire: a status with the typed refusal beside its text, so that no one has to read the text.

use crate::wire::node as wire;
use capstan_types::launch::Refusal;
use prost::Message;
use tonic::metadata::{BinaryMetadataKey, MetadataValue};
use tonic::{Code, Status};

/// The trailer that holds the refusal.
const TRAILER: &str = "capstan-refusal-bin";

/// The status that says that nothing was started.
#[must_use]
pub fn to_status(refusal: &Refusal) -> Status {
    let mut status = Status::new(Code::Aborted, refusal.to_string());
    let bytes = wire::Refusal::from(refusal).encode_to_vec();
    if let Ok(key) = BinaryMetadataKey::from_bytes(TRAILER.as_bytes()) {
        status.metadata_mut().insert_bin(key, MetadataValue::from_bytes(&bytes));
    }
    status
}

/// The refusal that a status carries, if it carries one.
#[must_use]
pub fn from_status(status: &Status) -> Option<Refusal> {
    let bytes = status.metadata().get_bin(TRAILER)?.to_bytes().ok()?;
    wire::Refusal::decode(bytes).ok()?.try_into().ok()
}

impl From<&Refusal> for wire::Refusal {
    fn from(refusal: &Refusal) -> Self {
        use wire::refusal::Reason;
        let reason = match refusal.clone() {
            Refusal::Program { program, cwd, reason } => Reason::Program(wire::RefusedProgram { program, cwd, reason }),
            Refusal::WorkingDirectory { cwd, reason } => Reason::WorkingDirectory(wire::RefusedDirectory { cwd, reason }),
            Refusal::Policy { reason } => Reason::Policy(reason),
            Refusal::CannotEnforce { missing, remedy } => Reason::CannotEnforce(wire::RefusedEnforcement { missing, remedy }),
            Refusal::Document { reason } => Reason::Document(reason),
            Refusal::Host { step, reason } => Reason::Host(wire::RefusedHost { step, reason }),
        };
        Self { reason: Some(reason) }
    }
}

impl TryFrom<wire::Refusal> for Refusal {
    type Error = crate::convert::Malformed;

    fn try_from(wire: wire::Refusal) -> Result<Self, Self::Error> {
        use wire::refusal::Reason;
        Ok(match wire.reason.ok_or_else(|| crate::convert::Malformed::missing("reason"))? {
            Reason::Program(program) => Self::Program { program: program.program, cwd: program.cwd, reason: program.reason },
            Reason::WorkingDirectory(directory) => Self::WorkingDirectory { cwd: directory.cwd, reason: directory.reason },
            Reason::Policy(reason) => Self::Policy { reason },
            Reason::CannotEnforce(lack) => Self::CannotEnforce { missing: lack.missing, remedy: lack.remedy },
            Reason::Document(reason) => Self::Document { reason },
            Reason::Host(host) => Self::Host { step: host.step, reason: host.reason },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_the_trailer() {
        let refusal = Refusal::Program { program: "no-such".into(), cwd: "/w".into(), reason: "it was not found".into() };
        let status = to_status(&refusal);
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(from_status(&status), Some(refusal));
        assert_eq!(from_status(&Status::aborted("something else")), None);
    }
}
