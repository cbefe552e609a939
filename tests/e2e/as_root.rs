//! Where a file system cannot be given to another user, an embedded node goes on as root, and says so.

use crate::bad_input::am_root;
use crate::scripted;
use crate::stage::Stage;
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::responses_server::{Answer, Script};
use capstan_tests::wait;
use serde_json::json;
use std::fs;
use std::time::Duration;

/// How long a coordinator may take until it serves, on a busy machine.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// Mounts an overlay, whose owners cannot be translated, for what follows alone.
const ON_AN_OVERLAY: &str = "mount -t overlay overlay -o \"lowerdir=$OVERLAY/low,upperdir=$OVERLAY/up,workdir=$OVERLAY/work\" \
                             \"$OVERLAY/all\"; exec \"$0\" \"$@\"";

#[test]
fn commands_that_run_as_root_are_warned_of_once_in_a_run_with_the_reason() {
    if !am_root() {
        return;
    }
    let call = |id: &str| Answer::calling(id, "exec_command", &json!({"cmd": "id -u", "login": false}));
    let stage = Stage::playing(Script::new().then(call("c1")).then(call("c2")).then(Answer::saying("done")));
    let overlay = stage.home.root().join("overlay");
    for part in ["low", "up", "work", "all"] {
        fs::create_dir_all(overlay.join(part)).expect("a directory can be made");
    }
    let exec = stage.exec().arg("-C").arg(overlay.join("all")).env("OVERLAY", &overlay.display().to_string());
    let run = stage.run(exec.through(&["unshare", "--mount", "sh", "-c", ON_AN_OVERLAY]));
    run.assert_code(0);
    for item in run.items_of("command_execution") {
        let enforced = &item["capstan"]["enforced"];
        assert_eq!(
            (&enforced["level"], &enforced["uid"], &item["exit_code"]),
            (&json!("namespaces"), &json!(0), &json!(0)),
            "{run}"
        );
    }
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("commands run as root in the sandbox (own user: `"), "{run}");
}

#[test]
fn a_coordinator_of_roots_makes_no_client_root() {
    if !am_root() {
        return;
    }
    let home = Home::new();
    scripted::write(
        home.root(),
        &[
            scripted::step([], [scripted::command("c1", "id -u")]),
            scripted::step([scripted::contains("c1", "this node is a daemon of root's")], [scripted::says("done")]),
        ],
    );
    let script = home.root().join("script.json");
    let daemon = Capstan::new(&home).args(["coordinator", "--script"]).arg(script).deadline(SERVES_WITHIN * 4).start();
    wait::until(SERVES_WITHIN, "a coordinator that serves", || daemon.stdout().lines().next().map(str::to_owned));
    let socket = format!("unix://{}", home.path().join("coordinator.sock").display());
    let run = Capstan::exec(&home, "Do it.").args(["-s", "danger-full-access", "-m", "scripted", "--coordinator", &socket]).run();
    run.assert_code(0);
}
