//! Which network a profile has: a word, a list of hosts, or Codex's table.

use super::reading::Reading;
use crate::config::error::ConfigError;
use capstan_types::policy::{HostRule, Network};
use toml::{Table, Value};

const KEY: &str = "network";

/// Keys of Codex's proxy, which has no counterpart here: they open nothing.
const WITHOUT_EFFECT: [&str; 7] = [
    "proxy_url",
    "socks_url",
    "enable_socks5",
    "enable_socks5_udp",
    "allow_local_binding",
    "allow_upstream_proxy",
    "dangerously_allow_non_loopback_proxy",
];

pub(in crate::config) fn read(reading: &Reading<'_>, value: &Value) -> Result<Network, ConfigError> {
    match value {
        Value::String(word) => match word.as_str() {
            "none" => Ok(Network::None),
            "loopback" => Ok(Network::Loopback),
            "full" => Ok(Network::Full),
            other => Err(reading.wrong(KEY, format!("`{other}` is no network; write none, loopback, full, or a list of hosts"))),
        },
        Value::Array(_) => {
            reading.texts(KEY, value)?.iter().map(|text| rule(reading, text)).collect::<Result<_, _>>().map(Network::Hosts)
        }
        Value::Table(table) => from_table(reading, table),
        other => Err(reading.type_error(KEY, "a word, a list of hosts, or a table", other)),
    }
}

fn rule(reading: &Reading<'_>, text: &str) -> Result<HostRule, ConfigError> {
    text.parse().map_err(|error| reading.wrong(KEY, error))
}

fn from_table(reading: &Reading<'_>, table: &Table) -> Result<Network, ConfigError> {
    let (mut enabled, mut domains) = (None, None);
    for (key, value) in table {
        let path = format!("{KEY}.{key}");
        match key.as_str() {
            "enabled" => enabled = Some(reading.flag(&path, value)?),
            "domains" => domains = Some(hosts(reading, reading.table(&path, value)?)?),
            "mode" if value.as_str() == Some("full") => {}
            "mode" => {
                return Err(reading.wrong(&path, "only `full` can be held: the proxy does not look into requests; leave it out"));
            }
            "unix_sockets" => closed(reading, &path, reading.table(&path, value)?)?,
            "dangerously_allow_all_unix_sockets" => {
                if reading.flag(&path, value)? {
                    return Err(
                        reading.wrong(&path, "sockets of the host are not let in as such; name their directory as writable")
                    );
                }
            }
            known if WITHOUT_EFFECT.contains(&known) => {}
            _ => return Err(reading.wrong(&path, "the key is not known")),
        }
    }
    match (enabled, domains) {
        (Some(false) | None, Some(Network::Hosts(rules))) if rules.is_empty() => Ok(Network::Loopback),
        (Some(false) | None, Some(_)) => {
            Err(reading.wrong(KEY, "hosts are listed, and it is not enabled; leave out one of the two"))
        }
        (Some(false) | None, None) => Ok(Network::Loopback),
        (Some(true), None) => Ok(Network::Full),
        (Some(true), Some(network)) => Ok(network),
    }
}

/// An allow-list. `**.NAME` is the name and those below it; `*` is every host, and then nothing can be kept out.
fn hosts(reading: &Reading<'_>, domains: &Table) -> Result<Network, ConfigError> {
    let (mut rules, mut denied, mut every) = (Vec::new(), Vec::new(), false);
    for (name, value) in domains {
        match value.as_str() {
            Some("allow") if name == "*" => every = true,
            Some("allow") => match name.strip_prefix("**.") {
                Some(below) => rules.extend([rule(reading, below)?, rule(reading, &format!("*.{below}"))?]),
                None => rules.push(rule(reading, name)?),
            },
            Some("deny" | "none") if name == "*" => {}
            Some("deny" | "none") => denied.push(rule(reading, name.strip_prefix("**.").unwrap_or(name))?),
            _ => return Err(reading.wrong(&format!("{KEY}.domains"), format!("`{name}` is neither allow nor deny"))),
        }
    }
    let kept_out = denied.iter().find(|denied| every || rules.iter().any(|rule| rule.meet(denied).is_some()));
    if let Some(denied) = kept_out {
        let reason = format!("`{denied}` cannot be kept out of hosts that are allowed; list the allowed ones without it");
        return Err(reading.wrong(&format!("{KEY}.domains"), reason));
    }
    Ok(if every { Network::Full } else { Network::Hosts(rules) })
}

fn closed(reading: &Reading<'_>, path: &str, sockets: &Table) -> Result<(), ConfigError> {
    match sockets.iter().find(|(_, value)| value.as_str() == Some("allow")) {
        Some((socket, _)) => Err(reading
            .wrong(path, format!("`{socket}`: sockets of the host are not let in as such; name its directory as writable"))),
        None => Ok(()),
    }
}
