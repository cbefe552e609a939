//! The figures after a known run.

use super::{SOON, Watched, get, monitor_of};
use crate::scripted::{self, command, exited, says, step};
use capstan_tests::process::Signal;
use capstan_tests::wait::until_true;
use std::time::{Duration, Instant};

/// The value of a line such as `name{label="value"} 3`.
fn value(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// The families with their types, sorted.
pub(super) fn families(metrics: &str) -> Vec<String> {
    let mut families: Vec<String> = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_owned).collect();
    families.sort();
    families
}

/// A node and a coordinator after one turn with one command.
pub(super) fn after_a_turn() -> Watched {
    let steps = [step([], [command("c", "echo hello")]), step([exited("c", 0)], [says("Done.")])];
    let watched = Watched::start(|dir| scripted::write(dir, &steps));
    let _ = monitor_of(&watched.coordinator);
    watched.exec().run().assert_code(0);
    watched
}

#[test]
fn a_known_run_is_counted_once_in_each_figure() {
    let watched = after_a_turn();
    let (node, coordinator) = (monitor_of(&watched.node), monitor_of(&watched.coordinator));
    for (at, checks) in [
        (&node, "[+]serving ok\n[+]resources ok\nreadyz check passed\n"),
        (&coordinator, "[+]serving ok\n[+]registry ok\nreadyz check passed\n"),
    ] {
        let ok = ("200 OK".to_owned(), "ok\n".to_owned());
        assert_eq!((get(at, "/livez"), get(at, "/readyz")), (ok.clone(), ok));
        assert_eq!(get(at, "/readyz?verbose").1, checks);
    }
    let metrics = get(&coordinator, "/metrics").1;
    for (name, expected) in [
        ("capstan_turns_started_total", 1.0),
        ("capstan_turns_ended_total{end=\"Completed\"}", 1.0),
        ("capstan_calls_asked_total", 1.0),
        ("capstan_calls_ended_total{outcome=\"Finished\"}", 1.0),
        ("capstan_model_answers_total", 2.0),
        ("capstan_model_tokens_total{kind=\"Input\"}", 200.0),
        ("capstan_model_tokens_total{kind=\"Output\"}", 20.0),
        ("capstan_store_append_failures_total", 0.0),
        ("capstan_nodes", 1.0),
        ("capstan_registry_stale", 0.0),
    ] {
        assert_eq!(value(&metrics, name), Some(expected), "{name} in\n{metrics}");
    }
    let stored = value(&metrics, "capstan_store_append_seconds_count");
    assert!(stored.is_some_and(|stored| stored > 0.0), "{metrics}");
    // The node hears of the end on its own way.
    until_true(SOON, "a session that has ended", || {
        value(&get(&node, "/metrics").1, "capstan_node_session_ends_total{end=\"Exited\"}") == Some(1.0)
    });
    let metrics = get(&node, "/metrics").1;
    for (name, expected) in [
        ("capstan_node_session_starts_total{outcome=\"Started\"}", 1.0),
        ("capstan_node_session_start_seconds_count", 1.0),
        ("capstan_node_sessions{state=\"running\"}", 0.0),
        ("capstan_node_output_dropped_bytes_total", 0.0),
        ("capstan_node_resource_short{resource=\"disk\"}", 0.0),
    ] {
        assert_eq!(value(&metrics, name), Some(expected), "{name} in\n{metrics}");
    }
    assert!(value(&metrics, "capstan_node_output_relayed_bytes_total").is_some_and(|bytes| bytes >= 6.0), "{metrics}");
}

#[test]
fn a_node_that_hangs_is_found_out_within_ten_seconds_and_used_again_when_it_goes_on() {
    let watched = after_a_turn();
    let coordinator = monitor_of(&watched.coordinator);
    let links = |state: &str| value(&get(&coordinator, "/metrics").1, &format!("capstan_node_links{{state=\"{state}\"}}"));
    until_true(SOON, "a link that lives", || links("Alive") == Some(1.0));
    watched.node.send(Signal::Stop);
    let began = Instant::now();
    until_true(SOON, "a link that is silent", || links("Silent") == Some(1.0));
    // The machine may be busy with other tests.
    assert!(began.elapsed() < Duration::from_secs(13), "it took {:?}", began.elapsed());
    let refused = watched.exec().run();
    assert_ne!(refused.status.code(), Some(0), "{refused}");
    assert!(refused.stderr.contains("they do not answer"), "{refused}");
    watched.node.send(Signal::Continue);
    until_true(SOON, "a link that lives again", || links("Alive") == Some(1.0) && links("Silent") == Some(0.0));
    watched.exec().run().assert_code(0);
}

#[test]
fn the_families_are_these() {
    let watched = after_a_turn();
    let told = [&watched.coordinator, &watched.node].map(|daemon| families(&get(&monitor_of(daemon), "/metrics").1).join("\n"));
    let [coordinator, node] = told;
    insta::assert_snapshot!(coordinator, @"
    capstan_build info
    capstan_calls_asked counter
    capstan_calls_ended counter
    capstan_model_answers counter
    capstan_model_cost_usd counter
    capstan_model_tokens counter
    capstan_node_links gauge
    capstan_nodes gauge
    capstan_registry_stale gauge
    capstan_registry_suspects gauge
    capstan_store_append_failures counter
    capstan_store_append_seconds histogram
    capstan_turns_ended counter
    capstan_turns_started counter
    ");
    insta::assert_snapshot!(node, @"
    capstan_build info
    capstan_node_output_dropped_bytes counter
    capstan_node_output_relayed_bytes counter
    capstan_node_resource_free gauge
    capstan_node_resource_limit gauge
    capstan_node_resource_short gauge
    capstan_node_session_ends counter
    capstan_node_session_start_seconds histogram
    capstan_node_session_starts counter
    capstan_node_sessions gauge
    capstan_node_starts_refused counter
    capstan_node_streams gauge
    ");
}
