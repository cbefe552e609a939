//! The cluster's authority, and how another takes over from it.

use crate::failure::Failure;
use capstan_identity::issuer::{ClusterError, Issuer};
use capstan_identity::ledger::Issued;
use capstan_identity::succession::Office;
use capstan_identity::time_now::now_ms;
use std::fmt::Write;

/// Digits of an authority's pin that people are shown.
const DIGITS: usize = 16;

/// Begins a change.
pub(super) fn rotate(issuer: &Issuer) -> Result<String, Failure> {
    let now = now_ms();
    let (signs, ends) = issuer.rotate(now).map_err(|error| match error {
        ClusterError::Changing => Failure::bad_input(error).hint("wait until it is over; nothing has to be done for that"),
        _ => Failure::bad_input(error),
    })?;
    Ok(format!(
        "A new authority was made. All members that are there hear of it within seconds.\n\
         It signs in {} s, when whoever has not heard of it has no valid certificate any more; join tokens that are made before\n\
         and used after that moment let nobody in. The old one is believed for {} s, until its last certificate is over, and its\n\
         key is removed then.\n\n\
         Nothing more has to be done; `capstan cluster ca status` says how far it is. A coordinator on another host that holds the\n\
         authority needs a copy of the new files of this directory within the first of these times.\n",
        (signs - now) / 1000,
        (ends - now) / 1000
    ))
}

/// Says how it is.
pub(super) async fn status(issuer: &Issuer) -> Result<String, Failure> {
    let now = now_ms();
    let seats = issuer.seats(now).map_err(Failure::bad_input)?;
    let issued = issuer.ledger().issued().await.map_err(Failure::bad_input)?;
    let mut text = format!("{:<16}  {:>12}  STATE\n", "AUTHORITY", "CERTIFICATES");
    // Each signed from the end of the one before to its own.
    let mut from = 0;
    for (at, (pin, _, office)) in seats.iter().enumerate() {
        let until = seats.get(at + 1).map_or(u64::MAX, |(_, introduced, _)| issuer.signs_from(*introduced));
        let valid = |one: &&Issued| one.until_ms > now && (from..until).contains(&one.at_ms);
        let count = issued.iter().filter(valid).count();
        from = until;
        let pin: String = pin.to_string().chars().take(DIGITS).collect();
        let _ = writeln!(text, "{pin:<16}  {count:>12}  {}", told(*office, now));
    }
    Ok(text)
}

fn told(office: Office, now: u64) -> String {
    let seconds = |until: u64| until.saturating_sub(now).div_ceil(1000);
    match office {
        Office::Coming(from) => format!("believed; signs in {} s", seconds(from)),
        Office::Signing => "signs".to_owned(),
        Office::Going(until) => format!("signs no more; believed for {} s", seconds(until)),
        Office::Gone => "gone: nobody believes it".to_owned(),
    }
}
