//! Join tokens.

use crate::args::CreateTokenArgs;
use crate::failure::Failure;
use capstan_identity::issuer::Issuer;
use capstan_identity::ledger::Kept;
use capstan_identity::time_now::now_ms;
use capstan_identity::token::TokenId;
use capstan_types::principal::Role;
use std::fmt::Write;

/// Makes one.
pub(super) async fn create(args: &CreateTokenArgs, issuer: &Issuer) -> Result<String, Failure> {
    let token = issuer.token(args.role, args.name.clone(), args.ttl, now_ms()).await.map_err(Failure::bad_input)?;
    let token = token.reveal();
    let name = args.name.as_ref().map(|name| format!(" --name {name}")).unwrap_or_default();
    let how = match args.role {
        Role::Node => format!("capstan node{name} --listen https://HOST:PORT --join TOKEN ADDR"),
        Role::Coordinator => format!("capstan coordinator{name} --listen https://HOST:PORT --join TOKEN ADDR"),
        Role::Client => format!("capstan cluster join{name} TOKEN ADDR"),
    };
    let seconds = args.ttl.as_secs();
    Ok(format!("{token}\n\nIt lets one {} in within {seconds} s, and is not shown again. Use it with:\n  {how}\n", args.role))
}

/// Lists them.
pub(super) async fn list(issuer: &Issuer) -> Result<String, Failure> {
    let now = now_ms();
    let mut text = format!("{:<16}  {:<11}  {:<20}  STATE\n", "ID", "ROLE", "NAME");
    for Kept { token, used } in issuer.ledger().tokens().await.map_err(Failure::bad_input)? {
        let state = match used {
            Some(used) => format!("used by {}", used.by),
            None if now >= token.expires_ms => "expired".to_owned(),
            None => format!("good for {} s", (token.expires_ms - now) / 1000),
        };
        let name = token.name.map_or_else(|| "any".to_owned(), |name| name.to_string());
        let _ = writeln!(text, "{:<16}  {:<11}  {name:<20}  {state}", token.id, token.role.as_str());
    }
    Ok(text)
}

/// Takes one away.
pub(super) async fn revoke(id: &TokenId, issuer: &Issuer) -> Result<String, Failure> {
    if issuer.ledger().withdraw(id).await.map_err(Failure::bad_input)? {
        return Ok(format!("token {id} revoked; who joined with it stays a member until the certificate is revoked\n"));
    }
    Err(Failure::bad_input(format!("there is no token {id}")).hint("`capstan cluster token list` shows them"))
}
