//! Files and directories that are named on the command line.

use super::{Case, told};

#[test]
fn a_workspace_that_cannot_be_used_is_told() {
    let all = told(&[
        Case::of("a missing workspace", "exec -C /no/such --script ok.json hi"),
        Case::of("a workspace that is a file", "exec -C ok.json --script ok.json hi"),
        Case::of("a workspace in no repository", "exec -C / --script ok.json hi").code(1),
        Case::of("a missing directory to write", "exec --add-dir /no/such --script ok.json hi"),
        Case::of("a file for a message, in no directory", "exec --script ok.json -o /no/such/answer hi"),
        Case::of("a directory for a message", "exec --script ok.json -o .git hi"),
        Case::of("a missing token file", "exec --script ok.json --node 127.0.0.1:1 --node-token-file /no/such hi"),
        Case::of("a token file without a token", "exec --script ok.json --node 127.0.0.1:1 --node-token-file ok.json hi"),
    ]);
    insta::assert_snapshot!(all);
}

#[test]
fn an_image_or_schema_that_cannot_be_used_is_told() {
    let all = told(&[
        Case::of("a missing image", "exec --script ok.json hi -i /no/such.png"),
        Case::of("an image that is none", "exec --script ok.json hi -i ok.json"),
        Case::of("an image that is a directory", "exec --script ok.json hi -i .git"),
        Case::of("a prompt behind an image", "exec --script ok.json -i logo.png hi").file("logo.png", b"\x89PNG\r\n\x1a\n"),
        Case::of("a missing schema", "exec --script ok.json --output-schema /no/such hi"),
        Case::of("a schema that is no JSON", "exec --script ok.json --output-schema s.json hi").file("s.json", b"{\"type\": }"),
        Case::of("a schema that is no object", "exec --script ok.json --output-schema s.json hi").file("s.json", b"[1]"),
    ]);
    insta::assert_snapshot!(all);
}

fn script(what: &'static str, text: &'static [u8]) -> Case {
    Case::of(what, "exec --script s.json hi").file("s.json", text)
}

#[test]
fn a_malformed_script_is_told_with_its_place() {
    let all = told(&[
        Case::of("missing", "exec --script /no/such.json hi"),
        Case::of("a directory", "exec --script .git hi"),
        script("empty", b""),
        script("no text", b"\xff\xfe"),
        script("no object", b"[]"),
        script("cut off", b"{\"version\": 1,\n \"steps\": ["),
        script("another version", b"{\"version\": 2, \"steps\": []}"),
        script("no version", b"{\"steps\": []}"),
        script("no steps", b"{\"version\": 1, \"steps\": []}"),
        script("a misspelt field", b"{\"version\": 1, \"steps\": [{\"answr\": []}]}"),
        script("an empty answer", b"{\"version\": 1, \"steps\": [{\"answer\": []}]}"),
        script("a part that is not known", b"{\"version\": 1, \"steps\": [{\"answer\": [{\"type\": \"shout\"}]}]}"),
        script(
            "arguments of a wrong type",
            b"{\"version\": 1, \"steps\": [{\"answer\": [{\"type\": \"call\", \"id\": \"a\", \"tool\": \"t\", \"arguments\": 7}]}]}",
        ),
        script(
            "an expectation of nothing",
            b"{\"version\": 1, \"steps\": [{\"expect\": [{\"output_of\": \"a\"}], \"answer\": [{\"type\": \"message\", \"text\": \"\"}]}]}",
        ),
        script(
            "a pattern that is none",
            b"{\"version\": 1}\n{\"answer\": [{\"type\": \"call\", \"id\": \"a\", \"tool\": \"t\", \"arguments\": {}}]}\n\
              {\"expect\": [{\"output_of\": \"a\", \"matches\": \"(\"}], \"answer\": [{\"type\": \"message\", \"text\": \"\"}]}",
        ),
    ]);
    insta::assert_snapshot!(all);
}
