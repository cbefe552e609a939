//! What was in force, what was refused, and how it ended, in a file of the caller's.

use super::Scene;
use serde_json::json;

#[test]
fn the_proof_tells_the_level_the_user_the_limits_and_the_end() {
    let scene = Scene::new();
    let (run, proof) = scene.proven(&["-l", "memory=512MiB", "-l", "time=1h"], &["sh", "-c", "exit 3"]);
    run.assert_code(3);
    let enforced = &proof["enforced"];
    for key in ["landlock_abi", "seccomp_sha256", "landlock_rights", "uid", "namespaces", "missing"] {
        assert!(!enforced[key].is_null(), "{key}: {enforced:#}");
    }
    for key in ["no_new_privs", "capabilities_dropped", "network_closed"] {
        assert_eq!(enforced[key], true, "{key}: {enforced:#}");
    }
    let limits: Vec<&str> = enforced["limits"].as_array().unwrap().iter().filter_map(|limit| limit.as_str()).collect();
    assert!(limits.iter().any(|limit| limit.starts_with("memory=536870912 (")), "{limits:?}");
    assert!(limits.iter().any(|limit| limit.starts_with("total=3600000ms (")), "{limits:?}");
    assert_eq!((&proof["end"], &proof["denials"]), (&json!({"exited": {"code": 3}}), &json!([])));
}

#[test]
fn the_proof_of_no_sandbox_says_so() {
    let (_, proof) = Scene::new().proven(&["-s", "danger-full-access"], &["true"]);
    assert_eq!((&proof["enforced"]["level"], &proof["enforced"]["no_new_privs"]), (&json!("none"), &json!(false)));
}

#[test]
fn a_signal_and_a_limit_are_told_as_what_they_are() {
    let scene = Scene::new();
    let (_, proof) = scene.proven(&[], &["sh", "-c", "kill -9 $$"]);
    assert_eq!(proof["end"], json!({"signalled": {"signal": 9}}));
    let (run, proof) = scene.proven(&["-l", "time=300ms"], &["sleep", "71"]);
    assert_eq!(proof["end"], json!({"limit": "total"}));
    run.assert_code(137);
    assert!(run.stderr.contains("total time limit reached") && run.stderr.lines().count() == 1, "{run}");
}

/// Asks the session's proxy for a host, as a program does that the environment tells of it.
const ASK: &str = "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT %s HTTP/1.1\\r\\n\\r\\n' \"$0\" >&3; cat <&3";

#[test]
fn a_host_that_resolves_to_this_machine_is_refused_when_it_is_dialled() {
    let scene = Scene::new();
    let (run, proof) = scene.proven(&["-n", "localhost"], &["bash", "-c", ASK, "localhost:443"]);
    let denial = &proof["denials"][0];
    assert_eq!(denial["act"], "connect to localhost:443", "{proof:#}\n{run}");
    assert!(denial["reason"].as_str().is_some_and(|reason| reason.contains("127.0.0.1, a loopback address")), "{proof:#}");
    assert!(run.stdout.starts_with("HTTP/1.1 403"), "{run}");
}

#[test]
fn a_host_that_is_not_listed_is_refused_and_told() {
    let (run, proof) = Scene::new().proven(&["-n", "crates.io"], &["bash", "-c", ASK, "example.com:443"]);
    let denial = json!({"act": "connect to example.com:443", "reason": "not in the list of allowed hosts"});
    assert_eq!(proof["denials"], json!([denial]), "{run}");
    assert!(run.stderr.contains("connect to example.com:443 refused: not in the list of allowed hosts"), "{run}");
}
