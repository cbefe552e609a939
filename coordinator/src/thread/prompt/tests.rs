use super::*;
use crate::thread::fixture::{facts, path, settings};

#[test]
fn the_model_is_told_where_it_works_and_what_it_may_do() {
    let facts = WorkspaceFacts { git: true, ..facts() };
    let policy = SandboxPolicy::workspace_write(vec![path("/w"), path("/tmp")]);
    let Entry::Developer { text } = environment(&settings(), &facts, &policy) else { panic!("not for the developer") };
    insta::assert_snapshot!(text, @r"
    <environment>
    <node>n1</node>
    <cwd>/w</cwd> (a git work tree)
    <shell>bash</shell>
    </environment>
    <permissions>
    Sandbox: workspace-write. Files can be read; they can be written only below: /w, /tmp. There is no network.
    Approval policy: never. Nobody can be asked: what the sandbox refuses stays refused, so find another way or report it.
    </permissions>
    ");
}

#[test]
fn added_instructions_follow_the_base_ones() {
    let added = ThreadSettings { instructions: Some("Answer in French.".into()), ..settings() };
    let text = instructions(&added);
    assert!(text.starts_with(BASE) && text.ends_with("Answer in French.\n"), "{text}");
}
