//! Output of every kind and amount stays bounded, valid and harmless.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Script};
use serde_json::json;

/// The most bytes of output that one result may show the model: 10 000 tokens.
const SHOWN: usize = 40_000;
/// What stands around the output in a result.
const AROUND: usize = 500;
/// The most bytes of output that an item may hold: head and tail of 128 KiB, and the marker between them.
const HELD: usize = 2 * 128 * 1024 + 100;

fn running(command: &str) -> Stage {
    let arguments = json!({"cmd": command, "login": false, "yield_time_ms": 30_000});
    Stage::playing(Script::new().then(Answer::calling("c1", "exec_command", &arguments)).then(Answer::saying("done")))
}

#[test]
fn five_megabytes_of_output_are_cut_in_the_middle_for_the_model_and_for_the_item() {
    let stage = running("seq -w 1 700000");
    let run = stage.run(stage.exec());
    run.assert_code(0);
    let output = stage.output_of("c1");
    assert!(output.len() < SHOWN + AROUND, "{} bytes", output.len());
    let beginning = "\nOutput:\nWarning: truncated output (original token count: 1225000)\nTotal output lines: ";
    let lines = output.split_once(beginning).and_then(|(_, rest)| rest.split_once("\n\n000001\n"));
    let (lines, _) = lines.unwrap_or_else(|| panic!("{}", output.chars().take(AROUND).collect::<String>()));
    // What the host dropped, because nobody could keep up, is counted in bytes only.
    let least = lines.strip_prefix("at least ").map(|number| number.parse::<u32>().expect("a number"));
    assert!(lines == "700000" || least.is_some_and(|least| least < 700_000), "{lines}");
    assert!(output.ends_with("699999\n700000\n"));
    // 4 900 000 bytes, less what is shown, in tokens of 4.
    assert!(
        output.contains("…1215000 tokens truncated…"),
        "{}",
        output.lines().find(|line| line.contains("truncated…")).unwrap_or("no marker")
    );
    let item = run.items_of("command_execution").remove(0);
    let held = item["aggregated_output"].as_str().unwrap();
    assert!(held.len() <= HELD && held.len() > HELD / 2, "{} bytes", held.len());
    assert!(held.starts_with("000001\n") && held.ends_with("700000\n") && held.contains("truncated…"));
    assert_eq!((&item["exit_code"], &item["status"]), (&json!(0), &json!("completed")));
}

#[test]
fn fewer_tokens_than_the_limit_may_be_asked_for_and_not_more() {
    for (asked, shown) in [(100, 400), (1_000_000, SHOWN)] {
        let arguments = json!({"cmd": "seq 1 100000", "login": false, "yield_time_ms": 30_000, "max_output_tokens": asked});
        let stage =
            Stage::playing(Script::new().then(Answer::calling("c1", "exec_command", &arguments)).then(Answer::saying("done")));
        stage.run(stage.exec()).assert_code(0);
        let output = stage.output_of("c1");
        assert!(output.len() > shown && output.len() < shown + AROUND, "{asked}: {} bytes", output.len());
        assert!(output.ends_with("\n100000\n"));
    }
}

#[test]
fn bytes_that_are_no_text_and_escape_sequences_stay_out_of_json_and_of_the_terminal() {
    let command = r"printf 'a\377b \033[31mred\033[0m \033]0;title\007 nul\000nul \302'";
    let stage = running(command);
    let run = stage.run(stage.exec());
    let shown = "/bin/bash -c 'printf '\\''a\\377b \\033[31mred\\033[0m \\033]0;title\\007 nul\\000nul \\302'\\'''";
    let text = "a\u{fffd}b \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} nul\0nul \u{fffd}";
    assert_eq!(told(&run), Turn::begun().command(shown, text, 0).message("done").completed_after(2), "{run}");
    assert!(
        run.stdout.bytes().all(|byte| byte == b'\n' || byte >= b' '),
        "JSON holds no control character but the ends of lines"
    );
    assert!(stage.output_of("c1").ends_with("\nOutput:\na\u{fffd}b red  nul␀nul \u{fffd}"), "{}", stage.output_of("c1"));

    let stage = running(command);
    let run = stage.run(stage.exec_for_people());
    assert!(run.stderr.contains("red"), "{run}");
    let harmless = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
    assert!(harmless(&run.stdout) && harmless(&run.stderr), "{run}");
}

#[test]
fn escape_sequences_of_the_model_itself_do_not_reach_the_terminal() {
    let message = "fine \u{1b}]0;owned\u{7}\u{1b}[2J \u{9b}31m \u{202e}txt";
    let call = json!({"cmd": "true # \u{1b}[2J\u{1b}]0;owned\u{7}", "login": false});
    let answer = Answer::new().reasoning("hm \u{1b}[2J", "sealed").message(message).call("c1", "exec_command", &call);
    let stage = Stage::playing(Script::new().then(answer.completed()).then(Answer::saying(message)));
    let run = stage.run(stage.exec_for_people());
    run.assert_code(0);
    let harmless = |text: &str| text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}'));
    assert!(harmless(&run.stdout) && harmless(&run.stderr), "{run}");
}
