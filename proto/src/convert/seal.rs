//! What was kept of a session's output, as nodes tell coordinators and these tell people.

use super::{Malformed, parse};
use crate::wire::{client, node};
use capstan_types::output::Seq;
use capstan_types::output::chain::Chain;
use capstan_types::output::seal::{Hole, KeptWhole, Seal, Stopped};

fn chain(field: &'static str, text: &str) -> Result<Option<Chain>, Malformed> {
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

/// The same for each of the two wires.
macro_rules! seal_on {
    ($wire:ident) => {
        impl From<&Seal> for $wire::Seal {
            fn from(seal: &Seal) -> Self {
                Self {
                    total_bytes: seal.total,
                    hole_from: seal.hole.from.0,
                    hole_bytes: seal.hole.bytes,
                    chain: seal.chain.map(String::from).unwrap_or_default(),
                    kept: seal.kept.as_ref().map(Into::into),
                }
            }
        }

        impl TryFrom<$wire::Seal> for Seal {
            type Error = Malformed;

            fn try_from(wire: $wire::Seal) -> Result<Self, Malformed> {
                Ok(Self {
                    total: wire.total_bytes,
                    hole: Hole { from: Seq(wire.hole_from), bytes: wire.hole_bytes },
                    chain: chain("seal.chain", &wire.chain)?,
                    kept: wire.kept.map(KeptWhole::try_from).transpose()?,
                })
            }
        }

        impl From<&KeptWhole> for $wire::KeptWhole {
            fn from(kept: &KeptWhole) -> Self {
                let stopped = match kept.stopped {
                    None => $wire::KeptStopped::Unspecified,
                    Some(Stopped::Limit) => $wire::KeptStopped::Limit,
                    Some(Stopped::Disk) => $wire::KeptStopped::Disk,
                };
                Self {
                    bytes: kept.bytes,
                    sha256: kept.sha256.to_string(),
                    chain: kept.chain.map(String::from).unwrap_or_default(),
                    stopped: stopped.into(),
                }
            }
        }

        impl TryFrom<$wire::KeptWhole> for KeptWhole {
            type Error = Malformed;

            fn try_from(wire: $wire::KeptWhole) -> Result<Self, Malformed> {
                let stopped = match wire.stopped() {
                    $wire::KeptStopped::Unspecified => None,
                    $wire::KeptStopped::Limit => Some(Stopped::Limit),
                    $wire::KeptStopped::Disk => Some(Stopped::Disk),
                };
                let sha256 = parse("seal.kept.sha256", &wire.sha256)?;
                Ok(Self { bytes: wire.bytes, sha256, chain: chain("seal.kept.chain", &wire.chain)?, stopped })
            }
        }
    };
}

seal_on!(node);
seal_on!(client);
