use super::*;
use crate::thread::fixture::settings;

#[test]
fn added_instructions_follow_the_base_ones() {
    let added = ThreadSettings { instructions: Some("Answer in French.".into()), ..settings() };
    let text = instructions(&added);
    assert!(text.starts_with(BASE) && text.ends_with("Answer in French.\n"), "{text}");
}
