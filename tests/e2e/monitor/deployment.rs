//! What stands in `deploy/`, judged by the tools that will read it and by what daemons really tell.

use super::{Watched, get, monitor_of};
use crate::monitor::figures::{after_a_turn, families};
use capstan_tests::capstan::binary;
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::process::command;
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the repository").join("deploy")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What a tool said, if this machine has it.
fn tool(words: &[&str]) -> Option<Output> {
    let (program, arguments) = words.split_first()?;
    command(program).args(arguments).current_dir(deploy()).output().ok()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_metric_that_is_named_is_told() {
    let Watched { node, coordinator, home } = &after_a_turn();
    let told = [coordinator, node].map(|daemon| families(&get(&monitor_of(daemon), "/metrics").1));
    let told: BTreeSet<String> = told.concat().iter().flat_map(|family| samples(family)).collect();
    let name = Regex::new(r"\bcapstan_[a-z0-9_]+").expect("the expression is valid");
    let mut named = 0;
    for path in files(&deploy().join("prometheus")) {
        let text = fs::read_to_string(&path).expect("it can be read");
        for found in name.find_iter(&text) {
            assert!(told.contains(found.as_str()), "{}: no daemon tells `{}`", path.display(), found.as_str());
            named += 1;
        }
    }
    assert!(named > 8, "the rules are not where they are looked for");
    drop(home.path());
}

/// The names of the samples of a family, as OpenMetrics forms them.
fn samples(family: &str) -> Vec<String> {
    let (name, kind) = family.split_once(' ').expect("a name and a type");
    let suffixes: &[&str] = match kind {
        "counter" => &["_total"],
        "histogram" => &["_bucket", "_count", "_sum"],
        "info" => &["_info"],
        _ => &[""],
    };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

#[test]
fn systemd_finds_nothing_wrong_with_its_units() {
    let dir = tempfile::tempdir().expect("a directory can be made");
    let units: Vec<PathBuf> =
        files(&deploy().join("systemd")).into_iter().filter(|path| path.extension() == Some("service".as_ref())).collect();
    assert_eq!(units.len(), 2);
    for unit in units {
        // The program is where packages put it, which is not here.
        let text = fs::read_to_string(&unit).expect("it can be read");
        let text = text.replace("/usr/bin/capstan", &binary("capstan").display().to_string());
        let copy = dir.path().join(unit.file_name().expect("a name"));
        fs::write(&copy, text).expect("a file can be written");
        let Some(output) = tool(&["systemd-analyze", "verify", "--man=no", &copy.display().to_string()]) else { return };
        let name = copy.file_name().expect("a name").to_string_lossy().into_owned();
        // Other units of the machine are not the question.
        let said = said(&output);
        let about: Vec<&str> = said.lines().filter(|line| line.contains(&name)).collect();
        assert!(output.status.success() && about.is_empty(), "{said}");
    }
}

#[test]
fn compose_and_prometheus_find_nothing_wrong_where_they_are_there() {
    // What is not installed answers with another error, or not at all.
    if tool(&["docker", "compose", "version"]).is_some_and(|output| output.status.success()) {
        let output = tool(&["docker", "compose", "-f", "compose/compose.yaml", "config", "-q"]).expect("it was there");
        assert!(output.status.success(), "{}", said(&output));
    }
    for words in
        [["promtool", "check", "rules", "prometheus/alerts.yaml"], ["promtool", "check", "config", "prometheus/prometheus.yaml"]]
    {
        if let Some(output) = tool(&words) {
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}

#[test]
fn the_users_that_are_set_up_in_etcd_can_write_their_own_keys_alone() {
    let (etcd, dir) = (EtcdCluster::start(1), tempfile::tempdir().expect("a directory can be made"));
    let endpoint = etcd.url().replace("etcd://", "http://");
    for name in ["root", "coordinators", "a"] {
        fs::write(dir.path().join(format!("{name}.password")), format!("pw-{name}\n")).expect("a file can be written");
    }
    let script = deploy().join("etcd/set-up.sh");
    let set_up = |words: &[&str]| {
        let mut script = command(&script.display().to_string());
        let output = script.args(words).current_dir(dir.path()).env("ENDPOINTS", &endpoint).output().expect("it can be started");
        assert!(output.status.success(), "{words:?}: {}", said(&output));
    };
    set_up(&["init", "root.password", "coordinators.password"]);
    set_up(&["node", "root.password", "a", "a.password"]);
    // Twice is as good as once.
    set_up(&["node", "root.password", "a", "a.password"]);
    let put = |user: &str, key: &str| {
        let mut ctl = command("etcdctl");
        ctl.env("ETCDCTL_API", "3").args(["--endpoints", &endpoint, "--user", user, "put", key, "x"]);
        ctl.output().expect("etcdctl is there").status.success()
    };
    let node = "capstan-node-a:pw-a";
    assert!(put(node, "/capstan/v1/nodes/a"));
    assert!(!put(node, "/capstan/v1/nodes/b") && !put(node, "/capstan/v1/coordinators/x"));
    let coordinators = "capstan-coordinator:pw-coordinators";
    assert!(put(coordinators, "/capstan/v1/coordinators/x") && !put(coordinators, "/capstan/v1/nodes/a"));
}
