//! Where a coordinator is, what lets one in, and how long it is waited for.

use crate::args::DaemonArgs;
use crate::failure::Failure;
use crate::home::Home;
use crate::membership::Source;
use crate::surroundings::Surroundings;
use crate::token_file;
use capstan_identity::live::Live;
use capstan_proto::token::Token;
use capstan_proto::transport::Listen;
use std::time::Duration;

/// How long a lost coordinator is waited for when nobody says otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way to a coordinator in another process.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Where it is.
    pub place: Listen,
    /// What lets one in.
    pub token: Option<Token>,
    /// What makes this process a member of the coordinator's cluster, for one that is reached as such.
    pub member: Option<(Live, Source)>,
    /// How long it is waited for when it is lost.
    pub patience: Duration,
}

/// The coordinator that the flags or the environment name; `None` is one in this process.
///
/// # Errors
/// The address, the token's file or the token makes no sense.
pub fn reach(args: &DaemonArgs, surroundings: &Surroundings) -> Result<Option<Reach>, Failure> {
    let variable = surroundings.variable("CAPSTAN_COORDINATOR");
    let (name, address) = match (&args.coordinator, variable) {
        (Some(given), _) => ("--coordinator", given.as_str()),
        (None, Some(variable)) => ("CAPSTAN_COORDINATOR", variable),
        (None, None) => return Ok(None),
    };
    if address.is_empty() {
        return Ok(None);
    }
    let place = address.parse().map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
    to(place, args, surroundings).map(Some)
}

/// The way to the coordinator at this place.
///
/// # Errors
/// The token's file or the token makes no sense.
pub fn to(place: Listen, args: &DaemonArgs, surroundings: &Surroundings) -> Result<Reach, Failure> {
    let token = match (&args.coordinator_token_file, surroundings.variable("CAPSTAN_COORDINATOR_TOKEN")) {
        (Some(file), _) => Some(token_file::read(file)?),
        (None, Some(text)) => {
            Some(Token::parse(text).map_err(|error| Failure::bad_input(format!("CAPSTAN_COORDINATOR_TOKEN: {error}")))?)
        }
        (None, None) => None,
    };
    let member = match &place {
        Listen::Tls(host) => Some(member(host, surroundings)?),
        Listen::Tcp(_) | Listen::Unix(_) => None,
    };
    Ok(Reach { place, token, member, patience: args.coordinator_timeout.map_or(PATIENCE, Duration::from_secs) })
}

/// What the commands of this home joined the cluster as.
fn member(host: &str, surroundings: &Surroundings) -> Result<(Live, Source), Failure> {
    let dir = Home::open(surroundings)?.client_identity();
    if !dir.is_there() {
        let sentence = format!("https://{host} is for members of its cluster, and this home is none");
        return Err(Failure::bad_input(sentence).hint("join with a token of the role client: `capstan cluster join TOKEN ADDR`"));
    }
    let source = Source::There(dir.issuers().map_err(Failure::bad_input)?);
    Ok((Live::open(dir).map_err(Failure::bad_input)?, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::path::AbsPath;

    fn reached(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<Reach>, Failure> {
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let surroundings = Surroundings::new(variables.iter().map(text).collect(), AbsPath::new("/").unwrap());
        reach(&DaemonArgs { coordinator: flag.map(str::to_owned), ..DaemonArgs::default() }, &surroundings)
    }

    #[test]
    fn the_flag_goes_before_the_variable_and_nothing_is_embedded() {
        let variable = [("CAPSTAN_COORDINATOR", "127.0.0.1:70")];
        let place = |flag, variables: &[_]| reached(flag, variables).unwrap().map(|reach| reach.place.to_string());
        assert_eq!(place(None, &[]), None);
        assert_eq!(place(None, &variable).as_deref(), Some("http://127.0.0.1:70"));
        assert_eq!(place(Some("unix:///run/c"), &variable).as_deref(), Some("unix:///run/c"));
        assert_eq!(place(Some(""), &variable), None);
    }

    #[test]
    fn what_makes_no_sense_is_told_by_its_name() {
        assert!(reached(Some("nonsense"), &[]).unwrap_err().sentence.starts_with("--coordinator: `nonsense` is not an address"));
        let token = [("CAPSTAN_COORDINATOR", "127.0.0.1:70"), ("CAPSTAN_COORDINATOR_TOKEN", "short-secret")];
        let failure = reached(None, &token).unwrap_err();
        assert!(
            failure.sentence.starts_with("CAPSTAN_COORDINATOR_TOKEN: ") && !failure.sentence.contains("secret"),
            "{failure:?}"
        );
    }
}
