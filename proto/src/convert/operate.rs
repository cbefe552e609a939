//! Operating: who acts, and on which session.

use super::{Malformed, nonempty, parse};
use crate::wire::node as wire;
use capstan_types::operator::{Operator, SessionPlace};

impl From<&Operator> for wire::Operator {
    fn from(operator: &Operator) -> Self {
        let via = operator.via.as_ref().map(ToString::to_string).unwrap_or_default();
        Self { by: operator.by.to_string(), via }
    }
}

/// Reads who acts.
///
/// # Errors
/// Nobody is named.
pub fn operator(wire: Option<wire::Operator>) -> Result<Operator, Malformed> {
    let wire = wire.ok_or_else(|| Malformed::missing("operator"))?;
    let via = nonempty(wire.via).map(|via| parse("operator.via", &via)).transpose()?;
    Ok(Operator { by: parse("operator.by", &wire.by)?, via })
}

impl From<SessionPlace> for wire::SessionPlace {
    fn from(place: SessionPlace) -> Self {
        Self { thread_id: place.thread.to_string(), session_id: place.session.to_string() }
    }
}

/// Reads which session is meant.
///
/// # Errors
/// None is named.
pub fn place(wire: Option<wire::SessionPlace>) -> Result<SessionPlace, Malformed> {
    let wire = wire.ok_or_else(|| Malformed::missing("place"))?;
    Ok(SessionPlace { thread: parse("place.thread_id", &wire.thread_id)?, session: parse("place.session_id", &wire.session_id)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::{SessionId, ThreadId};

    #[test]
    fn who_acts_on_what_survives_the_wire() {
        let who = Operator { by: "ann".parse().unwrap(), via: Some("c1".parse().unwrap()) };
        assert_eq!(operator(Some((&who).into())), Ok(who.clone()));
        let alone = Operator { via: None, ..who };
        assert_eq!(operator(Some((&alone).into())), Ok(alone));
        let session = SessionPlace { thread: ThreadId::from_u128(1), session: SessionId::from_u128(2) };
        assert_eq!(place(Some(session.into())), Ok(session));
    }

    #[test]
    fn nobody_and_nothing_are_refused() {
        let said = |error: Malformed| error.to_string();
        assert_eq!(said(operator(None).unwrap_err()), "malformed message: operator: it is missing");
        assert!(operator(Some(wire::Operator::default())).is_err(), "nobody was taken for somebody");
        assert!(place(Some(wire::SessionPlace::default())).is_err(), "nothing was taken for a session");
    }
}
