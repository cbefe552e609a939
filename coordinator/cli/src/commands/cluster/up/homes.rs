//! What members find in their directories when they start: configuration of this home, keys for coordinators, the cluster's authority.

use super::layout::{Member, Part, homes, logs};
use super::state::State;
use crate::failure::Failure;
use crate::home::Home;
use capstan_identity::issuer::{self, Issuer};
use capstan_identity::secret_file;
use capstan_identity::time_now::now_ms;
use capstan_runtime::config_file;
use capstan_types::principal::{Label, Role};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::{Table, Value};

/// What nodes read of a configuration. The rest is for coordinators, and some of it is secret.
const OF_NODES: [&str; 3] = ["node", "otel", "ownerless_timeout_ms"];

/// How long a member has to use its token.
const TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);

/// The name of the cluster.
const CLUSTER: &str = "up";

/// Makes the directories of all members.
pub(super) fn make(dir: &Path, state: &State, home: &Home) -> Result<(), Failure> {
    let user = config_file::read(&home.path().as_path().join("config.toml")).map_err(Failure::bad_input)?;
    let hidden = [home.path().as_path(), dir];
    written(&logs(dir), || secret_file::make_dir(&logs(dir)))?;
    for member in &state.members {
        let at = member.home(dir);
        written(&at, || secret_file::make_dir(&at))?;
        match member.part {
            Part::Etcd => {}
            Part::Coordinator => {
                keep(&at, &of_coordinator(&user))?;
                copied(home, &at, &user)?;
            }
            Part::Node => keep(&at, &of_node(&user, &hidden))?,
        }
    }
    let lifetime = issuer::DEFAULT_LIFETIME;
    let name: Label = CLUSTER.parse().map_err(Failure::bad_input)?;
    issuer::init(&authority(dir), name, (lifetime, issuer::Records::Here), now_ms()).map_err(Failure::bad_input)
}

/// A token by which this member joins.
pub(super) async fn token(dir: &Path, role: Role, name: Option<&Member>) -> Result<String, Failure> {
    let name = name.map(|member| member.name.parse::<Label>()).transpose().map_err(Failure::bad_input)?;
    let issuer = Issuer::open(&authority(dir)).map_err(Failure::bad_input)?;
    let token = issuer.token(role, name, TOKEN_LIFE, now_ms()).await.map_err(Failure::bad_input)?;
    Ok(token.reveal())
}

/// Where the first coordinator looks for it.
fn authority(dir: &Path) -> PathBuf {
    homes(dir).join("coordinator-1").join("cluster")
}

/// All but where daemons find each other, which is told on the command line.
fn of_coordinator(user: &Table) -> Table {
    user.iter().filter(|(key, _)| *key != "registry").map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Sessions of one member may not see what another one keeps.
fn of_node(user: &Table, hidden: &[&Path]) -> Table {
    let mut table: Table = user
        .iter()
        .filter(|(key, _)| OF_NODES.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let node = table.entry("node").or_insert_with(|| Table::new().into());
    let ceiling = node.as_table_mut().map(|node| node.entry("ceiling").or_insert_with(|| Table::new().into()));
    let paths = ceiling
        .and_then(Value::as_table_mut)
        .map(|ceiling| ceiling.entry("hidden").or_insert_with(|| Vec::<Value>::new().into()));
    // What has another form is told by the node that reads it.
    if let Some(paths) = paths.and_then(Value::as_array_mut) {
        paths.extend(hidden.iter().map(|path| path.display().to_string().into()));
    }
    table
}

/// The keys, and the file of the profile that is in force.
fn copied(home: &Home, to: &Path, user: &Table) -> Result<(), Failure> {
    let profile = user.get("profile").and_then(Value::as_str).map(|profile| format!("{profile}.config.toml"));
    for name in ["auth.json".to_owned()].into_iter().chain(profile) {
        let path = home.path().as_path().join(&name);
        match fs::read(&path) {
            Ok(bytes) => written(&to.join(&name), || secret_file::replace(&to.join(&name), &bytes))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::bad_input(format!("{} cannot be read: {error}", path.display()))),
        }
    }
    Ok(())
}

fn keep(home: &Path, config: &Table) -> Result<(), Failure> {
    let path = home.join("config.toml");
    written(&path, || secret_file::replace(&path, config.to_string().as_bytes()))
}

fn written(path: &Path, write: impl Fn() -> io::Result<()>) -> Result<(), Failure> {
    write().map_err(|error| Failure::bad_input(format!("{} cannot be made: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_gets_nothing_that_is_for_coordinators() {
        let user: Table = toml::from_str(
            "store = 'postgres://me:secret@db/x'\nownerless_timeout_ms = 5000\n[registry]\nendpoints = []\n\
             [node.ceiling]\nhidden = ['/srv']\n[model_providers.x]\nname = 'x'\n",
        )
        .unwrap();
        let node = of_node(&user, &[Path::new("/h/up")]).to_string();
        assert_eq!(node, "ownerless_timeout_ms = 5000\n\n[node.ceiling]\nhidden = [\"/srv\", \"/h/up\"]\n");
        let coordinator = of_coordinator(&user);
        assert!(coordinator.contains_key("store") && !coordinator.contains_key("registry"));
        assert_eq!(of_node(&Table::new(), &[Path::new("/a")]).to_string(), "[node.ceiling]\nhidden = [\"/a\"]\n");
    }
}
