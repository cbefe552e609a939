//! Where threads are kept: `CAPSTAN_STORE`, else `store`, else the file in the home directory.

use super::layers::Layers;
use crate::failure::Failure;
use crate::home::Home;
use crate::surroundings::Surroundings;
use capstan_coordinator::{PostgresUrl, StoreLocation};

/// The variable, for a URL whose password should stand in no file.
const VARIABLE: &str = "CAPSTAN_STORE";

/// The key.
const KEY: &str = "store";

/// The store of a coordinator: the PostgreSQL database that is named, or the home's own file. No message repeats the URL.
///
/// # Errors
/// A URL that cannot be read.
pub fn store(layers: &Layers, home: &Home, surroundings: &Surroundings) -> Result<StoreLocation, Failure> {
    let named = match surroundings.variable(VARIABLE).filter(|text| !text.is_empty()) {
        Some(text) => {
            let url = text.parse::<PostgresUrl>();
            Some(url.map_err(|error| Failure::bad_input(format!("{VARIABLE}: {error}")))?)
        }
        None => layers.parsed::<PostgresUrl>(KEY)?,
    };
    Ok(named.map_or_else(|| StoreLocation::Sqlite(home.store()), StoreLocation::Postgres))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use capstan_types::path::AbsPath;

    fn found(config: &str, variable: &str) -> Result<StoreLocation, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let home = dir.path().to_str().unwrap().to_owned();
        let variables = [("CAPSTAN_HOME".to_owned(), home), (VARIABLE.to_owned(), variable.to_owned())];
        let surroundings = Surroundings::new(variables.into_iter().collect(), AbsPath::new("/").unwrap());
        let inputs = Inputs { home: dir.path(), user: UserConfig::Read, profile: None, overrides: &[] };
        let (layers, unknown) = read(inputs).unwrap();
        assert_eq!(unknown, []);
        store(&layers, &Home::open(&surroundings).unwrap(), &surroundings).map_err(|failure| failure.sentence)
    }

    fn at(url: &str) -> StoreLocation {
        StoreLocation::Postgres(url.parse().unwrap())
    }

    #[test]
    fn the_variable_goes_before_the_file_and_the_home_is_the_default() {
        assert!(matches!(found("", ""), Ok(StoreLocation::Sqlite(path)) if path.ends_with("capstan.db")));
        let config = "store = 'postgres://me:pw@db/capstan'";
        assert_eq!(found(config, ""), Ok(at("postgres://me:pw@db/capstan")));
        assert_eq!(found(config, "postgresql://other/capstan"), Ok(at("postgresql://other/capstan")));
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_repeated() {
        for said in [found("store = 'mysql://me:s3cret@db'", ""), found("", "postgres://me:s3cret@db:99999999/x")] {
            let said = said.unwrap_err();
            assert!(said.contains("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE"), "{said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
        assert!(found("store = 5", "").unwrap_err().contains("`store` must be"));
    }
}
