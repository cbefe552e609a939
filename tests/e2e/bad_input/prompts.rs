//! The prompt, as an argument and piped in.

use super::{Case, told};

#[test]
fn a_prompt_that_is_none_is_told() {
    let all = told(&[
        Case::of("none", "exec --script ok.json"),
        Case::of("an empty one", "exec --script ok.json ''"),
        Case::of("an empty one, piped", "exec --script ok.json -").stdin(b" \n\n"),
        Case::of("several words", "exec --script ok.json do it"),
        Case::of("no text", "exec --script ok.json -").stdin(b"\x00\xff\xfe\x80"),
        Case::of("no text beside a prompt", "exec --script ok.json look").stdin(b"\x1f\x8b\x08\x00\xff"),
    ]);
    insta::assert_snapshot!(all);
}
