//! The certificates of members.

use crate::failure::Failure;
use capstan_identity::issuer::Issuer;
use capstan_identity::ledger::Denied;
use capstan_identity::time_now::now_ms;
use capstan_types::principal::Serial;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Lists those that are valid.
pub(super) async fn list(issuer: &Issuer) -> Result<String, Failure> {
    let now = now_ms();
    let denied: BTreeSet<Serial> =
        issuer.ledger().denied().await.map_err(Failure::bad_input)?.into_iter().map(|denied| denied.serial).collect();
    let mut text = format!("{:<32}  {:<44}  STATE\n", "SERIAL", "MEMBER");
    let issued = issuer.ledger().issued().await.map_err(Failure::bad_input)?;
    for issued in issued.into_iter().filter(|issued| issued.until_ms > now) {
        let state = if denied.contains(&issued.serial) {
            "revoked".to_owned()
        } else {
            format!("valid for {} s", (issued.until_ms - now) / 1000)
        };
        let _ = writeln!(text, "{:<32}  {:<44}  {state}", issued.serial.as_str(), issued.name.to_string());
    }
    Ok(text)
}

/// Takes one back.
pub(super) async fn revoke(serial: &Serial, issuer: &Issuer) -> Result<String, Failure> {
    let issued = issuer.ledger().issued().await.map_err(Failure::bad_input)?;
    let Some(known) = issued.iter().find(|issued| issued.serial == *serial) else {
        return Err(
            Failure::bad_input(format!("there is no certificate {serial}")).hint("`capstan cluster cert list` shows them")
        );
    };
    issuer.ledger().deny(Denied { serial: serial.clone(), at_ms: now_ms() }).await.map_err(Failure::bad_input)?;
    let newer = issued.iter().any(|issued| issued.name == known.name && issued.at_ms > known.at_ms && issued.until_ms > now_ms());
    let more = if newer { "; it has a newer certificate as well, which is still good: revoke that too" } else { "" };
    Ok(format!("certificate {serial} of {} revoked{more}\n", known.name))
}
