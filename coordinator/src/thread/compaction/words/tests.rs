use super::*;
use capstan_types::id::{CallId, SessionId};

fn call(tool: &str, arguments: &str) -> Entry {
    Entry::Call { model_call_id: "c".into(), tool: tool.into(), arguments: arguments.into() }
}

fn text_of(entry: Entry) -> String {
    if let Entry::User { text, .. } = entry { text } else { panic!("a summary is told by the user") }
}

#[test]
fn a_summary_tells_the_plan_and_the_sessions_again() {
    let dropped = [
        call("update_plan", r#"{"plan":[{"step":"look","status":"in_progress"}]}"#),
        call("update_plan", r#"{"plan":[{"step":"look","status":"completed"},{"step":"mend","status":"pending"}]}"#),
    ];
    let session = ListedSession {
        number: 1000,
        session: SessionId::generate(),
        elsewhere: None,
        call: CallId::generate(),
        command: "make watch".into(),
        ended: false,
        away: false,
        untold: 0,
    };
    let told = text_of(summary("All is well.\n", &dropped, &[session]));
    insta::assert_snapshot!(told, @r"
    <summary_of_earlier_work>
    The conversation became too long, and its older part was replaced by this. What the user said in it stands above, as far as there was room. Files and sessions are as they were left; look at them instead of guessing.

    All is well.

    Your plan, as you showed it last:
    - [completed] look
    - [pending] mend

    Sessions that you started (write_stdin reads and writes them, `sessions` ends them):
    - session 1000: make watch (runs)
    </summary_of_earlier_work>
    ");
    assert!(is_summary(&told));
}

#[test]
fn a_transcript_is_cut_evenly_before_its_oldest_parts_are_left_out() {
    let output = |text: &str| Entry::CallOutput { model_call_id: "c".into(), output: text.repeat(4_000) };
    let dropped = [Entry::User { text: "wish".into(), images: Vec::new() }, output("a"), output("b")];
    let whole = transcript(&dropped, 10_000);
    assert!(whole.starts_with("### user\nwish\n\n### output\naaaa") && !whole.contains("truncated"), "{whole}");
    let cut = transcript(&dropped, 600);
    assert!(cut.len() < 2_600 && cut.contains("wish") && cut.matches("truncated").count() == 2, "{cut}");
    let many: Vec<Entry> = (0..100).map(|_| output("x")).collect();
    let rest = transcript(&many, 1_000);
    assert!(rest.len() < 4_100 && rest.contains("earlier parts are left out]"), "{rest}");
}

#[test]
fn without_a_summary_the_last_of_what_was_done_is_told() {
    let dropped: Vec<Entry> = (0..40).map(|number| call("exec_command", &format!("{{\"cmd\":\"n{number}\"}}"))).collect();
    let told = without_model(&dropped);
    assert!(
        told.starts_with("No summary could be made. This is the last") && told.contains("n39") && !told.contains("n15\""),
        "{told}"
    );
    let before = summary("It began.", &[], &[]);
    assert!(without_model(&[before]).contains("It began."));
}
