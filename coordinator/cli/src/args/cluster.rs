//! The flags of `capstan cluster`.

mod local;

pub use local::{DownArgs, LocalArgs, UpArgs};

use capstan_identity::token::TokenId;
use capstan_types::principal::{Label, Role, Serial};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// `capstan cluster`.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ClusterCommand,
}

/// What to do with a cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Makes a cluster: its authority, below CAPSTAN_HOME, which the coordinator on this home then holds
    Init(InitArgs),
    /// Makes, lists and revokes join tokens
    Token(TokenArgs),
    /// Lists and revokes the certificates of members
    Cert(CertArgs),
    /// Joins a cluster as a client, so that commands on this home can use its coordinators
    #[command(visible_alias = "login")]
    Join(JoinArgs),
    /// Brings up a whole cluster on this machine, for trying and testing: etcd, coordinators and nodes
    Up(UpArgs),
    /// Says how the cluster on this machine is
    Status(LocalArgs),
    /// Takes the cluster on this machine down, and leaves nothing of it
    Down(DownArgs),
}

/// Which cluster.
#[derive(Debug, Default, Args)]
pub struct PlaceArgs {
    /// The directory with the cluster's authority [default: $CAPSTAN_HOME/cluster]
    #[arg(long, value_name = "DIR")]
    pub cluster: Option<PathBuf>,
}

/// `capstan cluster init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The cluster's name: 1 to 63 of a-z, 0-9, `-` and `.`
    #[arg(long, default_value = "capstan")]
    pub name: Label,
    /// How long a member's certificate is valid; it is renewed after half of that
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = time)]
    pub certificates: Duration,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `capstan cluster token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// What to do with join tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Makes a token and shows it, once
    Create(CreateTokenArgs),
    /// Lists the tokens, without their secrets
    #[command(visible_alias = "ls")]
    List(PlaceArgs),
    /// Takes a token away, so that nobody can join with it
    Revoke(RevokeTokenArgs),
}

/// `capstan cluster token create`.
#[derive(Debug, Args)]
pub struct CreateTokenArgs {
    /// What the process that joins becomes: node, coordinator or client
    #[arg(long)]
    pub role: Role,
    /// What it must be called; without it, it may choose
    #[arg(long)]
    pub name: Option<Label>,
    /// How long the token can be used
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = time)]
    pub ttl: Duration,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `capstan cluster token revoke`.
#[derive(Debug, Args)]
pub struct RevokeTokenArgs {
    /// The token's id, as `capstan cluster token list` shows it
    #[arg(value_name = "ID", value_parser = token_id)]
    pub id: TokenId,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `capstan cluster cert`.
#[derive(Debug, Args)]
pub struct CertArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CertCommand,
}

/// What to do with certificates.
#[derive(Debug, Subcommand)]
pub enum CertCommand {
    /// Lists the certificates that are valid, and who has them
    #[command(visible_alias = "ls")]
    List(PlaceArgs),
    /// Takes a certificate back: its holder is refused everywhere within seconds
    Revoke(RevokeCertArgs),
}

/// `capstan cluster cert revoke`.
#[derive(Debug, Args)]
pub struct RevokeCertArgs {
    /// The certificate's serial number, as `capstan cluster cert list` shows it
    #[arg(value_name = "SERIAL")]
    pub serial: Serial,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `capstan cluster join`.
#[derive(Debug, Args)]
pub struct JoinArgs {
    /// The token, as `capstan cluster token create --role client` shows it
    pub token: String,
    /// The coordinator that holds the cluster's authority: HOST:PORT
    pub address: String,
    /// What to be called [default: this host's name]
    #[arg(long)]
    pub name: Option<Label>,
}

fn token_id(text: &str) -> Result<TokenId, String> {
    text.parse().map_err(|_| "a token's id has 16 hexadecimal digits, as `capstan cluster token list` shows it".to_owned())
}

/// A time such as `15m`: a whole number of ms, s, m, h or d.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number and its unit, such as 30s, 15m, 24h or 7d".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let time = Duration::from_millis(number.checked_mul(factor).ok_or_else(wrong)?);
    if time.is_zero() || time > Duration::from_secs(3660 * 24 * 3600) { Err(wrong()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        assert_eq!(time("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "15", "m", "1.5h", "0s", "-1s", "15 m", "1w", "99999999999999999999s", "99999999d"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
