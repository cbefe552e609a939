//! The flags of `capstan cluster`.

mod local;

pub use local::{DownArgs, LocalArgs, UpArgs};

use capstan_identity::token::TokenId;
use capstan_types::principal::{Label, Principal, Role, Serial};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::str::FromStr;
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
    /// Changes the cluster's authority, and says how far that is
    Ca(CaArgs),
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
    /// The etcd in which the cluster keeps its records, if `capstan cluster init --shared` made it [env: CAPSTAN_REGISTRY]
    #[arg(long, value_name = "ETCD")]
    pub registry: Option<String>,
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
    /// Keep join tokens and the lists of certificates in the registry (etcd), so that several coordinators can hold the authority, each
    /// with a copy of its directory
    #[arg(long)]
    pub shared: bool,
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
    /// Takes a certificate back, or all those of a member: whoever holds one is refused everywhere within seconds
    Revoke(RevokeCertArgs),
}

/// `capstan cluster cert revoke`.
#[derive(Debug, Args)]
pub struct RevokeCertArgs {
    /// The certificate's serial number, or a member such as node/NAME for all of its certificates, as `capstan cluster cert list` shows
    /// them
    #[arg(value_name = "SERIAL|MEMBER")]
    pub which: Revoked,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// What is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// One certificate.
    Serial(Serial),
    /// All of a member's that are valid.
    Member(Role, Label),
}

impl FromStr for Revoked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no serial number and no member; write one as `capstan cluster cert list` shows it, such as node/NAME"
            )
        };
        if let Ok(Principal { role, id, .. }) = text.parse() {
            return Ok(Self::Member(role, id));
        }
        match text.split_once('/') {
            Some((role, id)) => Ok(Self::Member(role.parse().map_err(|_| wrong())?, id.parse().map_err(|_| wrong())?)),
            None => text.parse().map(Self::Serial).map_err(|_| wrong()),
        }
    }
}

/// `capstan cluster ca`.
#[derive(Debug, Args)]
pub struct CaArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CaCommand,
}

/// What to do with the cluster's authority.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Begins to change the authority: a new one is made beside the old one, and takes over by itself without anybody being cut off
    Rotate(PlaceArgs),
    /// Says which authority signs, which are believed, and how far a change is
    Status(PlaceArgs),
}

/// `capstan cluster join`.
#[derive(Debug, Args)]
pub struct JoinArgs {
    /// The token, as `capstan cluster token create --role client` shows it
    pub token: String,
    /// The coordinator that holds the cluster's authority: HOST:PORT; several, with commas between them, are tried in turn
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
    fn what_is_taken_back_is_a_certificate_or_a_member() {
        let member = Revoked::Member(Role::Node, "far.1".parse().unwrap());
        assert_eq!(("node/far.1".parse(), "capstan://c1/node/far.1".parse()), (Ok(member.clone()), Ok(member)));
        assert_eq!("4a01".parse(), Ok(Revoked::Serial("4a01".parse().unwrap())));
        for bad in ["", "far", "nobody/far", "node/", "node/far/x", "4A01"] {
            assert!(bad.parse::<Revoked>().unwrap_err().contains("is no serial number and no member"), "{bad}");
        }
    }

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        assert_eq!(time("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "15", "m", "1.5h", "0s", "-1s", "15 m", "1w", "99999999999999999999s", "99999999d"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
