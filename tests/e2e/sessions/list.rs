//! What runs is listed, and found by filters.

use super::Stand;
use regex::Regex;

/// What differs from one run to the next is replaced.
fn settled(text: &str, root: &str) -> String {
    let rules = [
        ("[0-9a-f]{8}(-[0-9a-f]{4}){4}[0-9a-f]{8}", "ID"),
        ("[0-9a-f]{8}-[0-9a-f]{4}[0-9a-f-]*", "SHORT"),
        (r"\b\d+s\b", "AGE"),
        (" {2,}", "  "),
    ];
    let text = text.replace(root, "[ROOT]");
    rules.iter().fold(text, |text, (pattern, by)| Regex::new(pattern).expect("a pattern").replace_all(&text, *by).into_owned())
}

#[test]
fn people_see_what_runs_where() {
    let stand = Stand::on_terminal("echo ready; sleep 1000");
    let root = stand.home.root().display().to_string();
    let (list, wide) = (stand.run(["list"]), stand.run(["ls", "-o", "wide"]));
    list.assert_code(0);
    wide.assert_code(0);
    insta::assert_snapshot!(settled(&format!("{}---\n{}", list.stdout, wide.stdout), &root));
    assert!(list.stderr.is_empty() && wide.stderr.is_empty(), "{list}\n{wide}");
    let session = stand.session();
    assert_eq!(
        (&session["terminal"]["rows"], &session["state"], &session["node"]),
        (&24.into(), &"running".into(), &"local".into())
    );
    stand.end();
}

#[test]
fn a_list_is_narrowed_by_thread_and_node() {
    let stand = Stand::on_pipes("sleep 1000");
    let thread = stand.session()["thread"].as_str().expect("an id").to_owned();
    let lines = |args: &[&str]| {
        let run = stand.sessions().arg("list").args(args.iter().copied()).run();
        run.assert_code(0);
        run.stdout.lines().count() - 1
    };
    assert_eq!(lines(&["--thread", &thread]), 2);
    assert_eq!(lines(&["--thread", &thread[..13], "--node-name", "local"]), 2);
    assert_eq!(lines(&["--thread", "ffffffff"]), 0);
    let nowhere = stand.run(["list", "--node-name", "nowhere"]);
    nowhere.assert_code(2);
    assert!(nowhere.stderr.contains("this coordinator has no node nowhere"), "{nowhere}");
    stand.end();
}

#[test]
fn the_number_that_the_model_knows_is_a_name_within_its_thread() {
    let stand = Stand::on_pipes("echo mine; sleep 1000");
    let session = stand.session();
    let (id, thread) = (stand.id(), session["thread"].as_str().expect("an id").to_owned());
    assert_eq!(session["number"], 1000);
    let logs = stand.run(["logs", "1000", "--thread", &thread[..13]]);
    logs.assert_code(0);
    assert_eq!(logs.stdout, "mine\n");
    let nobody = stand.run(["logs", "1009", "--thread", &thread]);
    nobody.assert_code(1);
    let alone = stand.run(["kill", "1000"]);
    alone.assert_code(2);
    assert!(alone.stderr.contains("sessions have numbers within their thread"), "{alone}");
    let killed = stand.run(["kill", "1000", "--thread", &thread]);
    killed.assert_code(0);
    assert!(killed.stdout.starts_with(&format!("session {id} has ended: killed by ann")), "{killed}");
    stand.end();
}
