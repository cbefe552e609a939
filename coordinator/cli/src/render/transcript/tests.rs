use super::*;
use crate::render::fixture;
use crate::render::ink::Ink;

fn shown(page: Page, events: &[Event]) -> (String, String) {
    let mut transcript = Transcript::new(page, Vec::new(), Vec::new());
    events.iter().for_each(|event| transcript.show(event).unwrap());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(transcript.progress), text(transcript.message))
}

fn page(width: usize) -> Page {
    Page { ink: Ink::Plain, width, detail: Detail::Full }
}

#[test]
fn a_whole_turn_on_a_wide_page() {
    let (progress, message) = shown(page(100), &fixture::turn());
    insta::assert_snapshot!(progress);
    assert_eq!(message, "The counter is mended.\nAll tests pass.\n");
}

#[test]
fn a_whole_turn_on_a_narrow_page() {
    let (progress, _) = shown(page(36), &fixture::turn());
    insta::assert_snapshot!(progress);
}

#[test]
fn a_whole_turn_in_colours() {
    let (progress, _) = shown(Page { ink: Ink::Ansi, ..page(100) }, &fixture::turn());
    insta::assert_snapshot!(progress.replace('\u{1b}', "␛"));
}

#[test]
fn a_whole_turn_in_a_log() {
    let (progress, message) = shown(Page { detail: Detail::Brief, ..page(100) }, &fixture::turn());
    insta::assert_snapshot!(progress);
    assert_eq!(message, "The counter is mended.\nAll tests pass.\n");
}

#[test]
fn a_failed_turn_has_no_final_message() {
    let mut bodies = fixture::opening();
    let text = ItemBody::AgentMessage { text: "I try.".into() };
    bodies.push(EventBody::ItemCompleted { item: fixture::item(1, text) });
    bodies.push(EventBody::TurnFailed { message: "no key".into() });
    let (progress, message) = shown(page(80), &fixture::events(bodies));
    assert_eq!(message, "");
    assert!(progress.ends_with("\nI try.\n\nfailed in 4.0 s\n"), "{progress}");
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    for detail in [Detail::Full, Detail::Brief] {
        let (progress, message) = shown(Page { detail, ..page(200) }, &fixture::turn());
        let harmful = |c: &char| c.is_control() && *c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
        assert_eq!(format!("{progress}{message}").chars().find(harmful), None);
    }
}
