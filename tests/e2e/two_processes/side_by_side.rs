//! Two clients use one node at once.

use super::{Node, workspace};
use crate::scripted::{command, contains, says, step};
use capstan_tests::capstan::Home;
use serde_json::Value;
use std::fs;

/// Each waits for a file that only the other writes, so that neither can end before both run.
fn steps(own: &str, others: &str) -> Vec<Value> {
    let meet =
        format!("echo {own} > \"$MEET/{own}\"; until [ -s \"$MEET/{others}\" ]; do sleep 0.02; done; cat \"$MEET/{others}\"");
    vec![
        step([], [command("meet", &meet)]),
        step([contains("meet", &format!("Output:\n{others}\n"))], [command("write", &format!("echo {own} > mine; cat mine"))]),
        step([contains("write", &format!("Output:\n{own}\n"))], [says(&format!("I am {own}."))]),
    ]
}

#[test]
fn two_clients_on_one_node_do_not_disturb_each_other() {
    let node = Node::listening("127.0.0.1:0");
    let meeting = node.home.root().join("meeting");
    fs::create_dir(&meeting).expect("a directory can be made");
    let (ann, ben) = (Home::new(), Home::new());
    let set = format!("shell_environment_policy.set.MEET={:?}", meeting.display().to_string());
    let start = |client: &Home, own: &str, others: &str| {
        node.exec(client, &steps(own, others)).args(["-c", &set, "--add-dir"]).arg(meeting.clone()).start()
    };
    let (first, second) = (start(&ann, "ann", "ben"), start(&ben, "ben", "ann"));
    for (client, run, name) in [(&ann, first.wait(), "ann"), (&ben, second.wait(), "ben")] {
        run.assert_code(0);
        assert_eq!(run.final_message(), Some(format!("I am {name}.")));
        assert_eq!(fs::read_to_string(workspace(client).join("mine")).expect("the file was written"), format!("{name}\n"));
    }
}
