//! With what repositories are asked for: `[git.credentials."HOST"]` with `username` and `token_file`.

use super::error::ConfigError;
use super::layers::Layers;
use super::permissions::reading::Reading;
use crate::surroundings::Surroundings;
use capstan_coordinator::{CredentialFile, GitCredentials};
use std::path::Path;

const CREDENTIALS: &str = "git.credentials";

/// The user name where none is given: servers that go by the token take any.
const ANY_USER: &str = "x-access-token";

/// The credentials of a coordinator.
///
/// # Errors
/// A key that is not known, or a value that is none. A secret itself has no place here.
pub fn git_credentials(layers: &Layers, surroundings: &Surroundings) -> Result<GitCredentials, ConfigError> {
    let reading = Reading::at(layers, CREDENTIALS.to_owned(), None)?;
    let mut hosts = Vec::new();
    for (host, value) in &layers.table(CREDENTIALS)? {
        let table = value.as_table().ok_or_else(|| reading.type_error(host, "a table", value))?;
        // As in an address, where nothing else would be understood.
        if format!("https://{host}/r").parse::<capstan_types::source::GitUrl>().is_err() || host.contains('/') {
            return Err(reading.wrong(host, "it is no host; write HOST or HOST:PORT, in quotes"));
        }
        let (mut username, mut token_file) = (ANY_USER.to_owned(), None);
        for (key, value) in table {
            let name = format!("{host}.{key}");
            match key.as_str() {
                "username" => username = reading.text(&name, value)?.to_owned(),
                "token_file" => {
                    let path = surroundings.absolute(Path::new(&reading.text(&name, value)?));
                    token_file = Some(path.map_err(|failure| reading.wrong(&name, failure.sentence))?);
                }
                _ => return Err(reading.wrong(&name, "the key is not known; a credential has username and token_file")),
            }
        }
        let token_file =
            token_file.ok_or_else(|| reading.wrong(host, "it has no token_file, which names a file with the token"))?;
        hosts.push((host.clone(), CredentialFile { username, token_file: token_file.as_path().to_owned() }));
    }
    Ok(GitCredentials::new(hosts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use capstan_types::path::AbsPath;
    use capstan_types::source::{GitSource, WorkspaceSource};

    fn found(config: &str) -> Result<GitCredentials, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let surroundings =
            Surroundings::new(std::collections::BTreeMap::default().into_iter().collect(), AbsPath::new("/etc").unwrap());
        let (layers, unknown) = read(Inputs { home: dir.path(), user: UserConfig::Read, profile: None, overrides: &[] }).unwrap();
        assert_eq!(unknown, []);
        git_credentials(&layers, &surroundings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_credential_is_a_host_and_the_file_of_its_token() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "t0k3n\n").unwrap();
        let known = found(&format!("[git.credentials.\"git.example:8443\"]\ntoken_file = '{}'", file.display())).unwrap();
        let source = WorkspaceSource::Git(GitSource::whole("https://git.example:8443/r".parse().unwrap()));
        let told = known.of(&source).unwrap();
        assert_eq!((told[0].username.as_str(), told[0].expose()), (ANY_USER, "t0k3n"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (config, said) in [
            ("[git.credentials.\"h.example\"]\nusername = 'x'", "it has no token_file"),
            ("[git.credentials.\"h.example\"]\ntoken = 'x'", "a credential has username and token_file"),
            ("[git.credentials.\"https://h\"]\ntoken_file = '/x'", "it is no host"),
            ("[git.credentials]\n\"h.example\" = 'secret'", "must be a table"),
        ] {
            let refused = found(config).unwrap_err();
            assert!(refused.contains(said), "{config}: {refused}");
        }
    }
}
