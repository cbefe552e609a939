//! Where daemons find each other: `--registry`, else `CAPSTAN_REGISTRY`, else `[registry]`; without any of them, in one process alone.

use super::error::ConfigError;
use super::layers::Layers;
use super::permissions::reading::Reading;
use crate::failure::Failure;
use crate::given_file;
use crate::surroundings::Surroundings;
use capstan_coordinator::{EndpointError, Endpoints, EtcdLocation, Login, RegistryLocation, Tls};
use capstan_types::path::AbsPath;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use toml::Value;

/// The table.
const TABLE: &str = "registry";

/// The variable.
const VARIABLE: &str = "CAPSTAN_REGISTRY";

const KEYS: &str = "endpoints, prefix, lease_ttl_ms, ca_file, cert_file, key_file, username and password_file";

/// The lease, in milliseconds: etcd grants no shorter one, and a longer one hides the dead.
const LEASE: std::ops::RangeInclusive<i64> = 2_000..=600_000;

/// The largest file with a certificate, a key or a password.
const LARGEST_FILE: u64 = 1 << 20;

/// The registry of a daemon, and the files that its sessions may not see.
#[derive(Debug, PartialEq, Eq)]
pub struct ChosenRegistry {
    /// Where it is.
    pub location: RegistryLocation,
    /// Files with secrets.
    pub secrets: Vec<AbsPath>,
}

#[derive(Debug, Default)]
struct Table {
    endpoints: Option<Endpoints>,
    prefix: Option<String>,
    lease_ttl: Option<Duration>,
    authority: Option<AbsPath>,
    certificate: Option<AbsPath>,
    key: Option<AbsPath>,
    user: Option<String>,
    password: Option<AbsPath>,
}

/// The registry of a daemon.
///
/// # Errors
/// Endpoints that are none, a key that is not known, or a file that cannot be read.
pub fn registry(given: Option<&str>, layers: &Layers, surroundings: &Surroundings) -> Result<ChosenRegistry, Failure> {
    let table = table(layers)?;
    let read = |by: &str, text: &str| {
        text.parse::<Endpoints>().map_err(|error: EndpointError| Failure::bad_input(format!("{by}: {error}")))
    };
    let endpoints = match (given, surroundings.variable(VARIABLE)) {
        (Some(text), _) => Some(read("--registry", text)?),
        (None, Some(text)) => Some(read(VARIABLE, text)?),
        (None, None) => table.endpoints.clone(),
    };
    let Some(endpoints) = endpoints else {
        return Ok(ChosenRegistry { location: RegistryLocation::Embedded, secrets: Vec::new() });
    };
    let secrets = [&table.key, &table.password].into_iter().flatten().cloned().collect();
    let usual = EtcdLocation::open(endpoints);
    let location = EtcdLocation {
        tls: tls(&table)?,
        login: login(&table)?,
        prefix: table.prefix.unwrap_or(usual.prefix),
        lease_ttl: table.lease_ttl.unwrap_or(usual.lease_ttl),
        ..usual
    };
    Ok(ChosenRegistry { location: RegistryLocation::Etcd(Box::new(location)), secrets })
}

fn table(layers: &Layers) -> Result<Table, ConfigError> {
    let mut table = Table::default();
    let reading = Reading::at(layers, TABLE.to_owned(), None)?;
    let path =
        |key: &str, value: &Value| AbsPath::new(reading.text(key, value)?).map(Some).map_err(|error| reading.wrong(key, error));
    for (key, value) in &layers.table(TABLE)? {
        match key.as_str() {
            "endpoints" => {
                let endpoints = Endpoints::new(reading.texts(key, value)?);
                table.endpoints = Some(endpoints.map_err(|error| reading.wrong(key, error))?);
            }
            "prefix" => table.prefix = Some(prefix(&reading, key, value)?),
            "lease_ttl_ms" => table.lease_ttl = Some(lease(&reading, key, value)?),
            "ca_file" => table.authority = path(key, value)?,
            "cert_file" => table.certificate = path(key, value)?,
            "key_file" => table.key = path(key, value)?,
            "username" => table.user = Some(reading.text(key, value)?),
            "password_file" => table.password = path(key, value)?,
            _ => return Err(reading.wrong(key, format!("the key is not known; a registry has {KEYS}"))),
        }
    }
    Ok(table)
}

fn prefix(reading: &Reading<'_>, key: &str, value: &Value) -> Result<String, ConfigError> {
    let prefix = reading.text(key, value)?;
    let plain = prefix.len() > 1 && prefix.starts_with('/') && prefix.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { Ok(prefix) } else { Err(reading.wrong(key, format!("`{prefix}` is no prefix; write one such as /capstan/v1/"))) }
}

fn lease(reading: &Reading<'_>, key: &str, value: &Value) -> Result<Duration, ConfigError> {
    let number = value.as_integer().ok_or_else(|| reading.type_error(key, "a whole number", value))?;
    let milliseconds = u64::try_from(number).ok().filter(|_| LEASE.contains(&number));
    let milliseconds = milliseconds
        .ok_or_else(|| reading.wrong(key, format!("{number} is out of range; it is {} to {}", LEASE.start(), LEASE.end())))?;
    // etcd counts whole seconds.
    Ok(Duration::from_secs(milliseconds.div_ceil(1000)))
}

fn tls(table: &Table) -> Result<Option<Tls>, Failure> {
    let own = match (&table.certificate, &table.key) {
        (Some(certificate), Some(key)) => Some((file("cert_file", certificate)?, secret("key_file", key)?)),
        (None, None) => None,
        (_, _) => return Err(together("cert_file", "key_file")),
    };
    match (&table.authority, own) {
        (Some(authority), own) => Ok(Some(Tls { authorities: file("ca_file", authority)?, own })),
        (None, None) => Ok(None),
        (None, Some(_)) => {
            Err(Failure::bad_input("`registry.cert_file` needs `registry.ca_file`: a certificate is shown to nobody unknown"))
        }
    }
}

fn login(table: &Table) -> Result<Option<Login>, Failure> {
    match (&table.user, &table.password) {
        (Some(user), Some(file)) => {
            let password = secret("password_file", file)?.trim_end_matches(['\n', '\r']).to_owned();
            Ok(Some(Login { user: user.clone(), password }))
        }
        (None, None) => Ok(None),
        (_, _) => Err(together("username", "password_file")),
    }
}

fn together(one: &str, other: &str) -> Failure {
    Failure::bad_input(format!("`{TABLE}.{one}` and `{TABLE}.{other}` belong together; set both or neither"))
}

fn file(key: &str, path: &AbsPath) -> Result<String, Failure> {
    let text = given_file::text(path.as_path(), LARGEST_FILE);
    text.map_err(|error| Failure::bad_input(format!("`{TABLE}.{key}`: {path} cannot be read: {error}")))
}

fn secret(key: &str, path: &AbsPath) -> Result<String, Failure> {
    let text = file(key, path)?;
    let mode = fs::metadata(path.as_path()).map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    match mode & 0o077 {
        0 => Ok(text),
        _ => Err(Failure::bad_input(format!("`{TABLE}.{key}`: {path} cannot be used: other users may read it"))
            .hint(format!("run `chmod 600 {path}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use std::path::Path;

    fn found(given: Option<&str>, variable: &str, overrides: &[&str]) -> Result<ChosenRegistry, String> {
        let overrides: Vec<String> = overrides.iter().map(|set| (*set).to_owned()).collect();
        let inputs = Inputs { home: Path::new("/"), user: UserConfig::Ignored, profile: None, overrides: &overrides };
        let (layers, unknown) = read(inputs).unwrap();
        assert_eq!(unknown, []);
        let surroundings = Surroundings::new([(VARIABLE.to_owned(), variable.to_owned())].into(), AbsPath::new("/").unwrap());
        registry(given, &layers, &surroundings).map_err(|failure| failure.sentence)
    }

    fn etcd(chosen: Result<ChosenRegistry, String>) -> EtcdLocation {
        match chosen.unwrap().location {
            RegistryLocation::Etcd(location) => *location,
            RegistryLocation::Embedded | RegistryLocation::Kept(_) => panic!("none was chosen"),
        }
    }

    #[test]
    fn the_flag_goes_before_the_variable_and_that_before_the_file() {
        let table = ["registry.endpoints=['c']", "registry.lease_ttl_ms=2500", "registry.prefix='/x'"];
        assert_eq!(etcd(found(Some("etcd://a"), "etcd://b", &table)).endpoints.to_string(), "http://a:2379");
        assert_eq!(etcd(found(None, "etcd://b", &table)).endpoints.to_string(), "http://b:2379");
        let read = etcd(found(None, "", &table));
        assert_eq!((read.endpoints.to_string().as_str(), read.prefix.as_str()), ("http://c:2379", "/x"));
        assert_eq!(read.lease_ttl, Duration::from_secs(3));
        assert_eq!(found(None, "", &["registry.prefix='/x'"]).unwrap().location, RegistryLocation::Embedded);
    }

    #[test]
    fn certificates_and_passwords_are_read_and_kept_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str, mode: u32| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path.display().to_string()
        };
        let (ca, key, password) = (file("ca", "A", 0o644), file("key", "K", 0o600), file("pw", "s3cret\n", 0o600));
        let set = |key: &str, value: &str| format!("registry.{key}='{value}'");
        let all = [
            set("ca_file", &ca),
            set("cert_file", &ca),
            set("key_file", &key),
            set("username", "n1"),
            set("password_file", &password),
        ];
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let chosen = found(Some("etcds://a"), "", &all).unwrap();
        assert_eq!(chosen.secrets.len(), 2);
        let location = etcd(Ok(chosen));
        assert_eq!(location.tls, Some(Tls { authorities: "A".to_owned(), own: Some(("A".to_owned(), "K".to_owned())) }));
        assert_eq!(location.login, Some(Login { user: "n1".to_owned(), password: "s3cret".to_owned() }));
        assert!(!format!("{location:?}").contains("s3cret"));
        let open = set("password_file", &file("open", "x", 0o640));
        assert!(
            found(Some("etcd://a"), "", &["registry.username='n1'", &open]).unwrap_err().ends_with("other users may read it")
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_in_a_sentence() {
        let said = |overrides: &[&str]| found(Some("etcd://a"), "", overrides).unwrap_err();
        assert!(found(Some("nonsense"), "", &[]).unwrap_err().starts_with("--registry: `nonsense` is no endpoint of etcd"));
        assert!(found(None, "etcd://", &[]).unwrap_err().starts_with("CAPSTAN_REGISTRY: no endpoint is named"));
        assert!(said(&["registry.mood=1"]).ends_with(&format!("a registry has {KEYS}")));
        assert!(said(&["registry.lease_ttl_ms=500"]).ends_with("500 is out of range; it is 2000 to 600000"));
        assert!(said(&["registry.endpoints=['http://a','https://b']"]).contains("some endpoints are reached by TLS"));
        assert!(said(&["registry.prefix='x y'"]).contains("is no prefix"));
        assert!(said(&["registry.username='a'"]).contains("belong together"));
        assert!(said(&["registry.ca_file='/nowhere/ca'"]).contains("/nowhere/ca cannot be read"));
        assert!(said(&["registry.ca_file='ca'"]).contains("is not an absolute path"));
    }
}
