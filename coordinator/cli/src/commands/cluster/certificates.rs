//! The certificates of members.

use crate::args::Revoked;
use crate::failure::Failure;
use capstan_identity::issuer::Issuer;
use capstan_identity::ledger::{Denied, Issued};
use capstan_identity::time_now::now_ms;
use capstan_types::principal::{Label, Role, Serial};
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

/// Takes one back, or all of a member's.
pub(super) async fn revoke(which: &Revoked, issuer: &Issuer) -> Result<String, Failure> {
    match which {
        Revoked::Serial(serial) => revoke_one(serial, issuer).await,
        Revoked::Member(role, id) => revoke_all(*role, id, issuer).await,
    }
}

async fn revoke_all(role: Role, id: &Label, issuer: &Issuer) -> Result<String, Failure> {
    let of_member = |issued: &&Issued| issued.name.role == role && issued.name.id == *id && issued.until_ms > now_ms();
    let mut count = 0;
    let mut denied = BTreeSet::new();
    // Until a list has nothing new: what is renewed at this moment is found by the next look, or finds what was denied before.
    loop {
        let issued = issuer.ledger().issued().await.map_err(Failure::bad_input)?;
        let fresh: Vec<Serial> = issued
            .iter()
            .filter(of_member)
            .map(|issued| issued.serial.clone())
            .filter(|serial| !denied.contains(serial))
            .collect();
        if fresh.is_empty() {
            break;
        }
        for serial in fresh {
            let at_ms = now_ms();
            count += u32::from(issuer.ledger().deny(Denied { serial: serial.clone(), at_ms }).await.map_err(Failure::bad_input)?);
            denied.insert(serial);
        }
    }
    if denied.is_empty() {
        let sentence = format!("no {role} `{id}` has a certificate that is valid");
        return Err(Failure::bad_input(sentence).hint("`capstan cluster cert list` shows who has"));
    }
    Ok(match count {
        0 => format!("the certificates of the {role} `{id}` were revoked before\n"),
        1 => format!("1 certificate of the {role} `{id}` revoked; it comes back with a new token only\n"),
        more => format!("{more} certificates of the {role} `{id}` revoked; it comes back with a new token only\n"),
    })
}

async fn revoke_one(serial: &Serial, issuer: &Issuer) -> Result<String, Failure> {
    let issued = issuer.ledger().issued().await.map_err(Failure::bad_input)?;
    let Some(known) = issued.iter().find(|issued| issued.serial == *serial) else {
        return Err(
            Failure::bad_input(format!("there is no certificate {serial}")).hint("`capstan cluster cert list` shows them")
        );
    };
    issuer.ledger().deny(Denied { serial: serial.clone(), at_ms: now_ms() }).await.map_err(Failure::bad_input)?;
    let newer = issued.iter().any(|issued| issued.name == known.name && issued.at_ms > known.at_ms && issued.until_ms > now_ms());
    let more = if newer {
        "; it has a newer certificate as well, which is still good: revoke all with `capstan cluster cert revoke MEMBER`"
    } else {
        ""
    };
    Ok(format!("certificate {serial} of {} revoked{more}\n", known.name))
}
