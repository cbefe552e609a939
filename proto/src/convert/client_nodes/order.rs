//! What an operator asks for.

use crate::convert::{Malformed, parse};
use crate::wire::client as wire;
use capstan_types::label::{LabelKey, LabelValue};
use capstan_types::taint::{Effect, Taint};
use wire::order_node_request::Change;

/// What an operator asks for. What the node says of itself is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Set a label, over another value if that is said.
    Label(LabelKey, LabelValue, bool),
    /// Take a label away.
    Unlabel(LabelKey),
    /// Set a taint.
    Taint(Taint),
    /// Take taints away.
    Untaint(LabelKey, Option<Effect>),
    /// Close the node.
    Cordon,
    /// Open it.
    Uncordon,
}

/// Reads what an operator asks for.
///
/// # Errors
/// Nothing, or nothing that makes sense.
pub fn asked(change: Option<Change>) -> Result<Asked, Malformed> {
    match change.ok_or_else(|| Malformed::missing("change"))? {
        Change::Label(label) => {
            Ok(Asked::Label(parse("label.key", &label.key)?, parse("label.value", &label.value)?, label.overwrite))
        }
        Change::Unlabel(key) => Ok(Asked::Unlabel(parse("unlabel", &key)?)),
        Change::Taint(taint) => Ok(Asked::Taint(parse("taint", &taint)?)),
        Change::Untaint(text) => match text.split_once(':') {
            Some((key, effect)) => Ok(Asked::Untaint(parse("untaint", key)?, Some(parse("untaint", effect)?))),
            None => Ok(Asked::Untaint(parse("untaint", &text)?, None)),
        },
        Change::Cordon(_) => Ok(Asked::Cordon),
        Change::Uncordon(_) => Ok(Asked::Uncordon),
    }
}

impl From<Asked> for Change {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Label(key, value, overwrite) => {
                Self::Label(wire::SetLabel { key: key.into(), value: value.into(), overwrite })
            }
            Asked::Unlabel(key) => Self::Unlabel(key.into()),
            Asked::Taint(taint) => Self::Taint(taint.into()),
            Asked::Untaint(key, None) => Self::Untaint(key.into()),
            Asked::Untaint(key, Some(effect)) => Self::Untaint(format!("{key}:{}", effect.as_str())),
            Asked::Cordon => Self::Cordon(true),
            Asked::Uncordon => Self::Uncordon(true),
        }
    }
}
