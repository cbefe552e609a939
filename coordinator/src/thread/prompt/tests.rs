use super::*;
use crate::thread::fixture::settings;

#[test]
fn added_instructions_follow_the_base_ones() {
    let added = ThreadSettings { instructions: Some("Answer in French.".into()), ..settings() };
    let text = instructions(&added);
    assert!(text.starts_with(BASE) && text.ends_with("Answer in French.\n"), "{text}");
}

#[test]
fn the_instructions_of_a_model_that_reasons() {
    insta::assert_snapshot!(instructions(&ThreadSettings { model: "gpt-5.5".into(), ..settings() }));
}

#[test]
fn a_model_that_does_not_reason_is_asked_to_think_aloud() {
    let text = instructions(&ThreadSettings { model: "gpt-4.1".into(), ..settings() });
    assert_eq!(text, format!("{BASE}\n{UNREASONING}"));
}
