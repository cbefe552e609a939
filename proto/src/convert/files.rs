//! Files of a workspace.

mod answer;
mod enums;
mod facts;
mod query;

use super::exec::{authority, policy};
use super::{Malformed, parse};
use crate::wire::node as wire;
use capstan_types::files::path::FilePath;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::Authority;

/// Whose files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesPlace {
    /// Who asks.
    pub authority: Authority,
    /// The workspace's top.
    pub top: AbsPath,
    /// The policy of the thread's sessions.
    pub policy: SandboxPolicy,
}

impl From<&FilesPlace> for wire::FilesPlace {
    fn from(place: &FilesPlace) -> Self {
        Self { authority: Some((&place.authority).into()), top: place.top.to_string(), policy: Some((&place.policy).into()) }
    }
}

/// Reads whose files are meant.
///
/// # Errors
/// Nobody's are.
pub fn place(wire: Option<wire::FilesPlace>) -> Result<FilesPlace, Malformed> {
    let wire = wire.ok_or_else(|| Malformed::missing("place"))?;
    Ok(FilesPlace { authority: authority(wire.authority)?, top: parse("place.top", &wire.top)?, policy: policy(wire.policy)? })
}

/// Reads what is asked.
///
/// # Errors
/// Nothing is, or something that makes no sense.
pub fn query<W, Q: TryFrom<W, Error = Malformed>>(wire: Option<W>) -> Result<Q, Malformed> {
    wire.ok_or_else(|| Malformed::missing("query"))?.try_into()
}

fn path(field: &'static str, bytes: &[u8]) -> Result<FilePath, Malformed> {
    FilePath::new(bytes).map_err(|error| Malformed::new(field, error))
}

/// Of a number whose zero stands for the usual one.
fn usual(number: u64, usual: u64, most: u64) -> u64 {
    if number == 0 { usual } else { number.min(most) }
}

#[cfg(test)]
mod tests;
